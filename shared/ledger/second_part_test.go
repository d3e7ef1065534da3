package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// A phone that has another place in the route by now keeps the name of its second part: the one that waits ends, or goes out, and the
// phone gets no two.
func TestSecondPartKeepsItsName(t *testing.T) {
	accepted := func(number, hop int) ledger.Attempt {
		return ledger.Attempt{Number: number, Hop: hop, To: relaytest.Fallback, Outcome: ledger.OutcomeAccepted}
	}
	first := accepted(1, 0)
	first.To = relaytest.Destination
	r := ledger.Record{MessageSid: relaytest.MessageSid(1), Attempts: []ledger.Attempt{
		first, accepted(2, 1), {Number: 3, To: relaytest.Fallback, Outcome: "transient"}, accepted(4, 0),
	}}
	firsts := r.FirstParts()
	if len(firsts) != 2 || firsts[0].Number != 1 || firsts[1].Number != 4 {
		t.Fatalf("first parts %+v", firsts)
	}
	if got, want := r.NewSecondPart(firsts[1], 0, "rest", firsts[1].StartedAt).MessageSid, r.MessageSid+"/p2.1"; got != want {
		t.Errorf("the second part is %s, want %s", got, want)
	}
}

// An operator has a text sent again whose second part was too old by then: the phone gets both parts once more. Otherwise what was too old
// stays so.
func TestSecondPartOfATextThatIsSentAgain(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	first := ledger.Record{MessageSid: relaytest.MessageSid(1), RedrivenAt: now.Add(-time.Minute)}
	for name, tt := range map[string]struct {
		reason     ledger.Reason
		redrivenAt time.Time
		want       bool
	}{
		"too old":            {ledger.ReasonExpired, time.Time{}, true},
		"too old once more":  {ledger.ReasonExpired, first.RedrivenAt, false},
		"blocked":            {ledger.ReasonBlocked, time.Time{}, false},
		"without first part": {ledger.ReasonNoFirstPart, first.RedrivenAt, true},
	} {
		second := ledger.Record{Version: 1, State: ledger.Dropped, Reason: tt.reason, RedrivenAt: tt.redrivenAt}
		again, changed, err := second.Again(first, now)
		if err != nil || changed != tt.want || changed && (again.State != ledger.Queued || !again.RedrivenAt.Equal(first.RedrivenAt)) {
			t.Errorf("%s: %+v, changed %v, error %v", name, again, changed, err)
		}
	}
}
