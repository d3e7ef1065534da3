package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// A text that is held keeps its place in the ledger alone, and is as old as the opening afterwards.
func TestClose(t *testing.T) {
	came := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	until, opened := came.Add(11*time.Hour), came.Add(10*time.Hour)
	r := ledger.Record{MessageSid: "SM1", ReceivedAt: came, UpdatedAt: came}
	held, err := r.Close(ledger.ReasonClosed, until, came)
	if err != nil || !held.IsClosed() || !held.NotBefore.Equal(until) || !held.DueSince().Equal(came) {
		t.Fatalf("held %+v, error %v", held, err)
	}
	if _, changed := held.Open(ledger.ReasonClosed, until, came.Add(time.Minute)); changed {
		t.Error("it is written again that it is held until the same time")
	}
	longer, changed := held.Open(ledger.ReasonClosed, until.Add(time.Hour), came.Add(time.Minute))
	if !changed || !longer.IsClosed() || !longer.NotBefore.Equal(until.Add(time.Hour)) || !longer.OpenedAt.IsZero() {
		t.Errorf("held longer: %+v", longer)
	}
	open, changed := longer.Open("", time.Time{}, opened)
	if !changed || open.State != ledger.Queued || open.Reason != "" || !open.DueSince().Equal(opened) || !open.CameAt().Equal(came) {
		t.Errorf("open %+v", open)
	}
	if step, _ := open.Next(opened); step != ledger.StepClaim {
		t.Errorf("next step %v", step)
	}
	if _, changed := open.Open("", time.Time{}, opened.Add(time.Hour)); changed {
		t.Error("it is opened twice")
	}
	if second := open.NewSecondPart(ledger.Attempt{}, 0, "rest", opened); !second.DueSince().Equal(opened) {
		t.Errorf("its second part is due since %v", second.DueSince())
	}
	sent := ledger.Record{State: ledger.Sent}
	if _, err := sent.Close(ledger.ReasonClosed, until, came); err == nil {
		t.Error("a text that is sent can be held")
	}
}

// What is held because no phone is verified does not begin to age anew once it is taken up; what was held because the number was closed
// does, whatever it is held for then.
func TestCloseForVerification(t *testing.T) {
	came := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	opened, until := came.Add(10*time.Hour), came.Add(34*time.Hour)
	r := ledger.Record{MessageSid: "SM1", ReceivedAt: came, UpdatedAt: came}
	waits, err := r.Close(ledger.ReasonUnverified, until, came)
	if err != nil || !waits.IsClosed() {
		t.Fatalf("held %+v, error %v", waits, err)
	}
	if open, changed := waits.Open("", time.Time{}, opened); !changed || open.Reason != "" || !open.DueSince().Equal(came) {
		t.Errorf("open %+v", open)
	}
	closed, changed := waits.Open(ledger.ReasonClosed, until, came)
	if !changed || closed.Reason != ledger.ReasonClosed {
		t.Fatalf("it is held for another reason until the same time: %+v", closed)
	}
	waits, changed = closed.Open(ledger.ReasonUnverified, until, opened)
	if !changed || waits.Reason != ledger.ReasonUnverified || !waits.DueSince().Equal(opened) {
		t.Errorf("held once the number is open: %+v", waits)
	}
}
