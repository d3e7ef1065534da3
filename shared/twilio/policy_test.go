package twilio

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/retry"
)

// TestPolicy is the fault policy from end to end: what happened, which kind that is, and what is done about it. The codes
// are in TestClassifyCode and TestClassifyReceiptByCode; here is one of each kind.
func TestPolicy(t *testing.T) {
	tests := []struct {
		name   string
		e      Exchange
		kind   fault.Kind
		answer retry.Answer
	}{
		{"not sent", Exchange{Err: io.EOF}, fault.NotSent, retry.Wait},
		{"sent without an answer", Exchange{Sent: true, Err: io.EOF}, fault.Unknown, retry.Unknown},
		{"a yes cut short", Exchange{Sent: true, Status: 201, CutShort: true, Err: io.EOF}, fault.Unknown, retry.Unknown},
		{"a 400 cut short", Exchange{Sent: true, Status: 400, CutShort: true, Err: io.EOF}, fault.Transient, retry.Retry},
		{"a 403 cut short", Exchange{Sent: true, Status: 403, CutShort: true, Err: io.EOF}, fault.Transient, retry.Retry},
		{"a 401 cut short", Exchange{Sent: true, Status: 401, CutShort: true, Err: io.EOF}, fault.Fatal, retry.Halt},
		{"a 408 cut short", Exchange{Sent: true, Status: 408, CutShort: true, Err: io.EOF}, fault.Unknown, retry.Unknown},
		{"a 429 cut short", Exchange{Sent: true, Status: 429, CutShort: true, Err: io.EOF}, fault.Throttled, retry.Wait},
		{"a 502 cut short", Exchange{Sent: true, Status: 502, CutShort: true, Err: io.EOF}, fault.Unknown, retry.Unknown},
		{"100", Exchange{Sent: true, Status: 100}, fault.Unknown, retry.Unknown},
		{"200 unreadable", Exchange{Sent: true, Status: 200, Err: errUnreadable}, fault.Unknown, retry.Unknown},
		{"201 without a Sid", Exchange{Sent: true, Status: 201, Err: errNoSid}, fault.Unknown, retry.Unknown},
		{"204", Exchange{Sent: true, Status: 204}, fault.Unknown, retry.Unknown},
		{"301", Exchange{Sent: true, Status: 301}, fault.Unknown, retry.Unknown},
		{"307", Exchange{Sent: true, Status: 307}, fault.Unknown, retry.Unknown},
		{"400 without a code", Exchange{Sent: true, Status: 400}, fault.NotSent, retry.Wait},
		{"407", Exchange{Sent: true, Status: 407}, fault.Fatal, retry.Halt},
		{"413 without a code", Exchange{Sent: true, Status: 413}, fault.NotSent, retry.Wait},
		{"418", Exchange{Sent: true, Status: 418}, fault.NotSent, retry.Wait},
		{"499", Exchange{Sent: true, Status: 499}, fault.Unknown, retry.Unknown},
		{"400 with a code that nobody knows", Exchange{Sent: true, Status: 400, Code: 99999}, fault.Permanent, retry.Failed},
		{"401", Exchange{Sent: true, Status: 401}, fault.Fatal, retry.Halt},
		{"403 without a code", Exchange{Sent: true, Status: 403}, fault.Fatal, retry.Halt},
		{"403 with a code that nobody knows", Exchange{Sent: true, Status: 403, Code: 99999}, fault.Fatal, retry.Halt},
		{"404 without a code", Exchange{Sent: true, Status: 404}, fault.Fatal, retry.Halt},
		{"404 of the account", Exchange{Sent: true, Status: 404, Code: 20404}, fault.Fatal, retry.Halt},
		{"408", Exchange{Sent: true, Status: 408}, fault.Unknown, retry.Unknown},
		{"429", Exchange{Sent: true, Status: 429}, fault.Throttled, retry.Wait},
		{"429 of a quota", Exchange{Sent: true, Status: 429, Code: 63038}, fault.Quota, retry.Wait},
		{"429 with a code that nobody knows", Exchange{Sent: true, Status: 429, Code: 99999}, fault.Throttled, retry.Wait},
		{"500", Exchange{Sent: true, Status: 500}, fault.Unknown, retry.Unknown},
		{"502", Exchange{Sent: true, Status: 502}, fault.Unknown, retry.Unknown},
		{"503", Exchange{Sent: true, Status: 503}, fault.Unknown, retry.Unknown},
		{"504", Exchange{Sent: true, Status: 504}, fault.Unknown, retry.Unknown},
		{"99", Exchange{Sent: true, Status: 99}, fault.Unknown, retry.Unknown},
		{"999", Exchange{Sent: true, Status: 999}, fault.Unknown, retry.Unknown},
		{"a code about the sender", Exchange{Sent: true, Status: 400, Code: 21606}, fault.Permanent, retry.Failed},
		{"a code about the recipient", Exchange{Sent: true, Status: 400, Code: 21614}, fault.Unreachable, retry.NextHop},
		{"a recipient who opted out", Exchange{Sent: true, Status: 400, Code: 21610}, fault.OptedOut, retry.NextHop},
		{"a code about the account", Exchange{Sent: true, Status: 403, Code: 20403}, fault.Fatal, retry.Halt},
		{"a code about too much", Exchange{Sent: true, Status: 400, Code: 21611}, fault.Throttled, retry.Wait},
		{"a code of a server", Exchange{Sent: true, Status: 400, Code: 20500}, fault.Unknown, retry.Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Classify(test.e)
			if answer := retry.AnswerTo(got.Kind); got.Kind != test.kind || answer != test.answer {
				t.Errorf("%s is answered %s, want %s and %s", got, answer, test.kind, test.answer)
			}
		})
	}
}

// What people are shown is what is done: each outcome's row says the kind that Classify gives.
func TestOutcomesAreTheAnswers(t *testing.T) {
	for _, outcome := range HTTPOutcomes() {
		for _, status := range []int{outcome.First, outcome.Last} {
			e := Exchange{Sent: true, Status: status}
			if outcome.Name == "4xx" {
				e.Code = 99999
			}
			if outcome.Name == "4xx-no-code" && status == 499 {
				continue // has a row of its own
			}
			if got := Classify(e); got.Kind != outcome.Kind {
				t.Errorf("status %d is %s, and the row %s says %s", status, got.Kind, outcome.Name, outcome.Kind)
			}
		}
	}
	exchanges := map[string]Exchange{
		"not-sent": {Err: io.EOF}, "no-answer": {Sent: true, Err: io.EOF}, "cut-short": {Sent: true, Status: 201, CutShort: true, Err: io.EOF},
		"refusal-cut-short": {Sent: true, Status: 400, CutShort: true, Err: io.EOF},
	}
	for _, outcome := range TransportOutcomes() {
		e, found := exchanges[outcome.Name]
		if got := Classify(e); !found || got.Kind != outcome.Kind {
			t.Errorf("%s is %s, and its row says %s", outcome.Name, got.Kind, outcome.Kind)
		}
	}
	if len(exchanges) != len(TransportOutcomes()) {
		t.Errorf("%d outcomes of the transport, want %d", len(TransportOutcomes()), len(exchanges))
	}
}

func TestOutcomesSayWhatTheyMean(t *testing.T) {
	seen := map[string]bool{}
	for _, outcome := range append(HTTPOutcomes(), TransportOutcomes()...) {
		if outcome.Meaning == "" || len(strings.Fields(outcome.Why)) < 10 || !strings.HasSuffix(outcome.Why, ".") {
			t.Errorf("%s does not say what it means, or why it is answered as it is", outcome.Name)
		}
		if seen[outcome.Name] {
			t.Errorf("%s has two rows", outcome.Name)
		}
		seen[outcome.Name] = true
	}
}

func TestOutcomeNamesAreTheirStatuses(t *testing.T) {
	for _, outcome := range HTTPOutcomes() {
		first, isOne := strconv.Itoa(outcome.First), outcome.First == outcome.Last
		hundreds, _, _ := strings.Cut(outcome.Name, "xx")
		if isOne && outcome.Name != first {
			t.Errorf("%s is about %s", outcome.Name, first)
		}
		if !isOne && hundreds+"00" != first {
			t.Errorf("%s begins at %s", outcome.Name, first)
		}
	}
}
