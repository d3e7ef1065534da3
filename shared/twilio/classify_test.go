package twilio

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// codeAnswer is what a code is answered with.
type codeAnswer struct {
	kind  fault.Kind
	after time.Duration
}

// wantedAnswers is written beside Codes, not from it: a code added to Codes needs a row here.
func wantedAnswers() map[int]codeAnswer {
	var (
		unknown   = codeAnswer{kind: fault.Unknown}
		throttled = codeAnswer{kind: fault.Throttled}
		permanent = codeAnswer{kind: fault.Permanent}
		fatal     = codeAnswer{kind: fault.Fatal}
	)
	return map[int]codeAnswer{
		14107: {fault.Throttled, 45 * time.Second},
		20003: fatal,
		20403: fatal,
		20404: fatal,
		20429: throttled,
		20500: unknown,
		20503: unknown,
		21211: permanent,
		21212: permanent,
		21265: permanent,
		21266: permanent,
		21408: permanent,
		21601: permanent,
		21606: permanent,
		21608: permanent,
		21610: permanent,
		21611: {fault.Throttled, 5 * time.Minute},
		21612: permanent,
		21614: permanent,
		21617: permanent,
		21620: permanent,
		21635: permanent,
		21658: permanent,
		21659: permanent,
		21660: permanent,
		30001: permanent,
		30002: fatal,
		30003: permanent,
		30004: permanent,
		30005: permanent,
		30006: permanent,
		30007: permanent,
		30008: permanent,
		30022: throttled,
		30024: permanent,
		30032: permanent,
		30034: permanent,
		30410: permanent,
		30450: permanent,
		30532: permanent,
		30533: permanent,
		30610: permanent,
		63017: throttled,
		70051: fatal,
	}
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
		if got.Kind != expected.kind || got.RetryAfter != expected.after {
			t.Errorf("code %d is %s after %s, want %s after %s", code.Number, got.Kind, got.RetryAfter, expected.kind, expected.after)
		}
		if got.Code != code.Number || got.HTTPStatus != http.StatusBadRequest || got.Err == nil {
			t.Errorf("code %d gives %+v, want its code, status and meaning in it", code.Number, got)
		}
	}
	for number := range want {
		t.Errorf("code %d is not in Codes()", number)
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
		if code.Meaning == "" {
			t.Errorf("code %d has no meaning", code.Number)
		}
		if code.RetryAfter != 0 && code.Kind != fault.Throttled {
			t.Errorf("code %d is %s and has a wait that nobody will read", code.Number, code.Kind)
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

// Every HTTP status, with no code, with one that nobody knows, and with one whose kind is permanent.
func TestClassifyStatus(t *testing.T) {
	for status := 100; status < 600; status++ {
		for _, code := range []int{0, 99999, 21211} {
			want := fault.Permanent
			switch {
			case status < 400, status >= 500:
				want = fault.Unknown
			case status == 401:
				want = fault.Fatal
			case status == 429:
				want = fault.Throttled
			case (status == 403 || status == 404) && code == 0:
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
		{"a 403 with a permanent code is permanent", 403, 21408, fault.Permanent},
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
	if got := classifyRead(Exchange{Status: 404, Code: 20404}); got.Kind != fault.Permanent {
		t.Errorf("a read of what is not there is %s, want permanent", got.Kind)
	}
}
