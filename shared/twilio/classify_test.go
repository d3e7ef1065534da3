package twilio

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// codeAnswer is what a code is answered with: when it refuses a POST, and in a receipt.
type codeAnswer struct {
	post, receipt fault.Kind
	after         time.Duration
}

// wantedAnswers is written beside Codes, not from it: a code added to Codes needs a row here.
func wantedAnswers() map[int]codeAnswer {
	var (
		looked      = codeAnswer{post: fault.Unknown, receipt: fault.Transient}
		throttled   = codeAnswer{post: fault.Throttled, receipt: fault.Throttled}
		permanent   = codeAnswer{post: fault.Permanent, receipt: fault.Permanent}
		unreachable = codeAnswer{post: fault.Unreachable, receipt: fault.Unreachable}
		optedOut    = codeAnswer{post: fault.OptedOut, receipt: fault.OptedOut}
		fatal       = codeAnswer{post: fault.Fatal, receipt: fault.Fatal}
	)
	after := func(wait time.Duration) codeAnswer { return codeAnswer{fault.Throttled, fault.Throttled, wait} }
	rows := []struct {
		number int
		codeAnswer
	}{
		{14107, after(45 * time.Second)},
		{20003, fatal},
		{20403, fatal},
		{20404, fatal},
		{20429, throttled},
		{20500, looked},
		{20503, looked},
		{21211, unreachable},
		{21212, permanent},
		{21265, unreachable},
		{21266, unreachable},
		{21408, unreachable},
		{21601, permanent},
		{21602, permanent},
		{21603, permanent},
		{21604, permanent},
		{21606, permanent},
		{21608, unreachable},
		{21609, fatal},
		{21610, optedOut},
		{21611, after(5 * time.Minute)},
		{21612, unreachable},
		{21614, unreachable},
		{21617, permanent},
		{21620, permanent},
		{21623, permanent},
		{21624, permanent},
		{21635, unreachable},
		{21658, permanent},
		{21659, permanent},
		{21660, permanent},
		{30001, after(5 * time.Minute)},
		{30002, fatal},
		{30003, unreachable},
		{30004, unreachable},
		{30005, unreachable},
		{30006, unreachable},
		{30007, unreachable},
		{30008, unreachable},
		{30022, after(time.Minute)},
		{30024, permanent},
		{30032, permanent},
		{30034, permanent},
		{30036, throttled},
		{30410, unreachable},
		{30450, permanent},
		{30532, permanent},
		{30533, permanent},
		{30610, after(2 * time.Hour)},
		{63017, throttled},
		{70051, fatal},
	}
	want := map[int]codeAnswer{}
	for _, row := range rows {
		want[row.number] = row.codeAnswer
	}
	return want
}

// TestClassifyCode holds each code of Twilio's that the relay answers to, once.
func TestClassifyCode(t *testing.T) {
	want := wantedAnswers()
	for _, code := range Codes() {
		expected, found := want[code.Number]
		if !found {
			t.Errorf("code %d has no row in this test", code.Number)
			continue
		}
		delete(want, code.Number)
		got := Classify(Exchange{Sent: true, Status: http.StatusBadRequest, Code: code.Number})
		if got.Kind != expected.post || got.RetryAfter != expected.after {
			t.Errorf("code %d is %s after %s, want %s after %s", code.Number, got.Kind, got.RetryAfter, expected.post, expected.after)
		}
		if got.Code != code.Number || got.HTTPStatus != http.StatusBadRequest || got.Err == nil {
			t.Errorf("code %d gives %+v, want its code, status and meaning in it", code.Number, got)
		}
	}
	for number := range want {
		t.Errorf("code %d is not in Codes()", number)
	}
}

// TestTheCodesOfTheMessagesAPIAreKnown lists the codes with which Twilio's documentation says that sending and delivering
// a message may fail.
func TestTheCodesOfTheMessagesAPIAreKnown(t *testing.T) {
	for _, number := range []int{
		14107, 20003, 20403, 20404, 20429, 20500, 20503, 21211, 21212, 21265, 21266, 21408, 21601, 21606, 21608, 21610,
		21611, 21612, 21614, 21617, 21620, 21635, 21658, 21659, 21660, 30001, 30002, 30003, 30004, 30005, 30006, 30007,
		30008, 30022, 30024, 30032, 30034, 30410, 30450, 30532, 30533, 30610, 63017, 70051,
	} {
		if _, known := lookUp(number); !known {
			t.Errorf("code %d is not in Codes()", number)
		}
	}
}

func TestCodesAreInOrderAndSayWhatTheyMean(t *testing.T) {
	codes := Codes()
	if !slices.IsSortedFunc(codes, func(a, b Code) int { return a.Number - b.Number }) {
		t.Error("Codes() is not in ascending order")
	}
	for i, code := range codes {
		if i > 0 && codes[i-1].Number == code.Number {
			t.Errorf("code %d has two answers", code.Number)
		}
		if code.Meaning == "" || len(strings.Fields(code.Why)) < 10 || !strings.HasSuffix(code.Why, ".") {
			t.Errorf("code %d does not say what it means, or why it is answered as it is: %q, %q", code.Number, code.Meaning, code.Why)
		}
		if code.RetryAfter != 0 && code.Post != fault.Throttled && code.Receipt != fault.Throttled {
			t.Errorf("code %d is %s and has a wait that nobody will read", code.Number, code.Post)
		}
	}
}

func TestClassifyNoAnswer(t *testing.T) {
	cause := errors.New("dial refused")
	tests := []struct {
		name string
		sent bool
		want fault.Kind
		text string
	}{
		{"not sent: transient", false, fault.Transient, "transient: request was not sent: dial refused"},
		{"sent: unknown", true, fault.Unknown, "unknown: request was sent, no answer: dial refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Classify(Exchange{Sent: test.sent, Err: cause})
			if got.Kind != test.want || got.Error() != test.text {
				t.Errorf("Classify() = %q, want %q", got, test.text)
			}
			if !errors.Is(got, cause) {
				t.Error("the cause is not in the chain")
			}
		})
	}
}

// Every HTTP status, with no code, with one that nobody knows, and with one that is about the recipient.
func TestClassifyStatus(t *testing.T) {
	for status := 100; status < 600; status++ {
		for _, code := range []int{0, 99999, 21211} {
			want := fault.Permanent
			if code == 21211 {
				want = fault.Unreachable
			}
			switch {
			case status < 400, status >= 500:
				want = fault.Unknown
			case status == 401:
				want = fault.Fatal
			case status == 429:
				want = fault.Throttled
			case status == 404 && code == 0, status == 403 && code != 21211:
				want = fault.Fatal
			case status == 408 && code != 21211:
				want = fault.Unknown
			}
			if got := Classify(Exchange{Sent: true, Status: status, Code: code}); got.Kind != want {
				t.Errorf("status %d with code %d is %s, want %s", status, code, got.Kind, want)
			}
		}
	}
}

func TestClassifyWhereStatusAndCodeDisagree(t *testing.T) {
	tests := []struct {
		name         string
		status, code int
		want         fault.Kind
	}{
		{"a 5xx is unknown, whatever it says", 500, 21211, fault.Unknown},
		{"even if it says that there is too much", 503, 20429, fault.Unknown},
		{"a 429 is throttled, whatever it says", 429, 21211, fault.Throttled},
		{"a 401 is fatal, whatever it says", 401, 21211, fault.Fatal},
		{"a 403 with a recipient's code is the recipient's", 403, 21408, fault.Unreachable},
		{"a 403 of a suspended account is fatal", 403, 20403, fault.Fatal},
		{"a 400 with a server's code is unknown", 400, 20500, fault.Unknown},
		{"a 201 without a message is unknown, whatever it says", 201, 21211, fault.Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Classify(Exchange{Status: test.status, Code: test.code}); got.Kind != test.want {
				t.Errorf("Classify() = %s, want %s", got.Kind, test.want)
			}
		})
	}
}

func TestClassifyRetryAfter(t *testing.T) {
	tests := []struct {
		name string
		e    Exchange
		want time.Duration
	}{
		{"the answer's wait", Exchange{Status: 429, Code: 20429, RetryAfter: 3 * time.Second}, 3 * time.Second},
		{"the answer's goes before the code's", Exchange{Status: 400, Code: 21611, RetryAfter: time.Hour}, time.Hour},
		{"the code's if the answer has none", Exchange{Status: 429, Code: 14107}, 45 * time.Second},
		{"none of either", Exchange{Status: 429}, 0},
		{"an unknown outcome keeps the answer's", Exchange{Status: 503, RetryAfter: time.Minute}, time.Minute},
		{"but not the code's", Exchange{Status: 503, Code: 14107}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Classify(test.e).RetryAfter; got != test.want {
				t.Errorf("RetryAfter is %s, want %s", got, test.want)
			}
		})
	}
}

func TestClassifyRead(t *testing.T) {
	for _, status := range []int{0, 200, 302, 408, 500, 503} {
		if got := classifyRead(Exchange{Sent: true, Status: status, Err: errBroken}); got.Kind != fault.Transient {
			t.Errorf("a read that ends with status %d is %s, want transient", status, got.Kind)
		}
	}
	for _, code := range []int{21211, 21610, 21212} {
		if got := classifyRead(Exchange{Status: 400, Code: code}); got.Kind != fault.Permanent {
			t.Errorf("a read that is refused with code %d is %s, want permanent: it is for no phone", code, got.Kind)
		}
	}
	if got := classifyRead(Exchange{Status: 404, Code: 20404}); got.Kind != fault.Permanent {
		t.Errorf("a read of what is not there is %s, want permanent", got.Kind)
	}
}
