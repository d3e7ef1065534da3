package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

func TestNext(t *testing.T) {
	due, until := stamped.Add(time.Minute), stamped.Add(lease)
	tests := []struct {
		state ledger.State
		after time.Duration
		want  ledger.Step
		until time.Time
	}{
		{"", 0, ledger.StepClaim, time.Time{}},
		{ledger.Queued, 0, ledger.StepWait, due},
		{ledger.Queued, time.Minute - time.Millisecond, ledger.StepWait, due},
		{ledger.Queued, time.Minute, ledger.StepClaim, time.Time{}},
		{ledger.Queued, time.Hour, ledger.StepClaim, time.Time{}},
		{ledger.Sending, 0, ledger.StepWait, until},
		{ledger.Sending, lease - time.Millisecond, ledger.StepWait, until},
		{ledger.Sending, lease, ledger.StepSettle, time.Time{}},
		{ledger.Sending, time.Hour, ledger.StepSettle, time.Time{}},
		{ledger.Sent, time.Hour, ledger.StepDone, time.Time{}},
		{ledger.Delivered, 0, ledger.StepDone, time.Time{}},
		{ledger.Undelivered, 0, ledger.StepDone, time.Time{}},
		{ledger.Failed, 0, ledger.StepDone, time.Time{}},
		{ledger.Uncertain, time.Hour, ledger.StepDone, time.Time{}},
		{ledger.Dropped, 0, ledger.StepDone, time.Time{}},
		{ledger.Dead, time.Hour, ledger.StepDone, time.Time{}},
	}
	for _, tt := range tests {
		got, again := reach(t, tt.state).Next(stamped.Add(tt.after))
		if got != tt.want || !again.Equal(tt.until) {
			t.Errorf("in state %q after %v: step %d until %v, want %d until %v", tt.state, tt.after, got, again, tt.want, tt.until)
		}
	}
}

// TestNextOfAQueuedTextWithoutADate is that of a record put back by hand.
func TestNextOfAQueuedTextWithoutADate(t *testing.T) {
	r := reach(t, ledger.Queued)
	r.NotBefore = time.Time{}
	if got, _ := r.Next(noon); got != ledger.StepClaim {
		t.Errorf("step %d, want a claim", got)
	}
}

// TestNextOfAnUnknownState: a newer version's record is never sent by an older sender.
func TestNextOfAnUnknownState(t *testing.T) {
	if got, _ := (ledger.Record{State: "held"}).Next(noon); got != ledger.StepDone {
		t.Errorf("step %d, want nothing to be done", got)
	}
}
