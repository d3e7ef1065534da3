package twilio

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/retry"
)

// codeAnswer is what a code is answered with: when it refuses a POST, and in a receipt.
type codeAnswer struct {
	post, receipt fault.Kind
	after         time.Duration
}

// wantedAnswers is written by hand, not from Codes: a code added to Codes needs a row here.
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
	quota := codeAnswer{fault.Quota, fault.Quota, 15 * time.Minute}
	want := map[int]codeAnswer{
		14107: after(45 * time.Second), 21611: after(5 * time.Minute), 30001: after(5 * time.Minute), 30017: after(5 * time.Minute),
		30450: after(15 * time.Minute), 30047: {post: fault.Transient, receipt: fault.Transient},
	}
	for of, numbers := range map[codeAnswer][]int{
		fatal:     {10001, 10002, 20003, 20005, 20006, 20008, 20010, 20403, 20404, 20410, 21609, 30002, 70051, 70052},
		looked:    {20500, 20503, 30020, 30021, 63010},
		throttled: {20429, 30036, 63017},
		quota:     {30022, 30023, 30027, 30454, 60728, 63018, 63038},
		optedOut:  {21610},
		unreachable: {
			11200, 11751, 12300, 30011,
			21211, 21265, 21266, 21268, 21408, 21608, 21612, 21614, 21635, 21657, 30003, 30004, 30005, 30006, 30007, 30008,
			30018, 30019, 30410, 30453, 30610, 30615, 572002, 572005,
		},
		permanent: {
			20413, 21212, 21601, 21602, 21603, 21604, 21606, 21607, 21613, 21616, 21617, 21618, 21620, 21623, 21624, 21658, 21659,
			21660, 30024, 30032, 30033, 30034, 30035, 30042, 30044, 30532, 30533,
		},
	} {
		for _, number := range numbers {
			want[number] = of
		}
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
		10001, 10002, 14107, 20003, 20005, 20006, 20403, 20404, 20410, 20413, 20429, 20500, 20503, 21211, 21212, 21265, 21266, 21408,
		21601, 21606, 21608, 21610,
		21611, 21612, 21614, 21617, 21620, 21635, 21658, 21659, 21660, 30001, 30002, 30003, 30004, 30005, 30006, 30007,
		30008, 30017, 30018, 30019, 30020, 30021, 30022, 30023, 30024, 30027, 30032, 30033, 30034, 30035, 30042, 30044, 30047,
		30410, 30450, 30453, 30454, 30532, 30533, 30610, 30615, 60728, 63010, 63017, 63018, 63038, 70051, 572002, 572005,
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
		if code.RetryAfter != 0 && !waits(code.Post) && !waits(code.Receipt) {
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
		{"not sent", false, fault.NotSent, "not_sent: request was not sent: dial refused"},
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

// answersTo4xx is written by hand, not from HTTPOutcomes: what each 4xx without a code of Twilio's is. Those that are not here
// are NotSent: something in between answered, and Twilio has nothing.
func answersTo4xx() map[int]fault.Kind {
	return map[int]fault.Kind{
		401: fault.Fatal, 402: fault.Fatal, 403: fault.Fatal, 404: fault.Fatal, 405: fault.Fatal, 407: fault.Fatal, 410: fault.Fatal,
		411: fault.Fatal, 414: fault.Fatal, 415: fault.Fatal, 426: fault.Fatal, 431: fault.Fatal, 451: fault.Fatal,
		408: fault.Unknown, 499: fault.Unknown, 429: fault.Throttled,
	}
}

// Every HTTP status, with no code, with one that nobody knows, and with one that is about the recipient.
func TestClassifyStatus(t *testing.T) {
	for status := 100; status < 600; status++ {
		bare, special := answersTo4xx()[status]
		unknown, known := fault.Permanent, fault.Unreachable
		switch {
		case status/100 != 4:
			bare, unknown, known = fault.Unknown, fault.Unknown, fault.Unknown
		case !special:
			bare = fault.NotSent
		case status == 401:
			unknown, known = bare, bare
		case status == 403, status == 408, status == 429:
			unknown = bare
		}
		for code, want := range map[int]fault.Kind{0: bare, 99999: unknown, 21211: known} {
			got := Classify(Exchange{Sent: true, Status: status, Code: code})
			if got.Kind != want {
				t.Errorf("status %d with code %d is %s, want %s", status, code, got.Kind, want)
			}
			if status/100 == 4 && code == 0 && want != fault.Unknown && !slices.Contains([]int{401, 403, 429}, status) && got.Err == nil {
				t.Errorf("status %d without a code says nothing of what it means", status)
			}
		}
	}
}

// A status that something in between gave ends no text, whatever it is: only Twilio's own word does.
func TestNoForeign4xxIsForGood(t *testing.T) {
	for status := 400; status < 500; status++ {
		answer := retry.AnswerTo(Classify(Exchange{Sent: true, Status: status}).Kind)
		if answer != retry.Halt && answer != retry.Wait && answer != retry.Unknown {
			t.Errorf("status %d without a code of Twilio's is answered %s", status, answer)
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
		{"a 429 of a quota is a quota", 429, 63038, fault.Quota},
		{"a 429 with a recipient's code is the recipient's", 429, 21211, fault.Unreachable},
		{"a 429 with a code that nobody knows is throttled", 429, 99999, fault.Throttled},
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
		{"a quota's", Exchange{Status: 429, Code: 63038}, 15 * time.Minute},
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
