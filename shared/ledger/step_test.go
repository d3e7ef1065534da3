package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

func TestNext(t *testing.T) {
	const almost = -time.Millisecond
	never := time.Time{}
	due, look, again, until := stamped.Add(time.Minute), stamped.Add(2*time.Second), stamped.Add(time.Minute), stamped.Add(lease)
	tests := []struct {
		situation string
		after     time.Duration
		want      ledger.Step
		until     time.Time
	}{
		{"(none)", 0, ledger.StepClaim, never},
		{"waiting", 0, ledger.StepWait, due},
		{"waiting", time.Minute + almost, ledger.StepWait, due},
		{"waiting", time.Minute, ledger.StepClaim, never},
		{"waiting", time.Hour, ledger.StepClaim, never},
		{"paced", time.Minute + almost, ledger.StepWait, due},
		{"paced", time.Minute, ledger.StepClaim, never},
		{"resend", 0, ledger.StepClaim, never},
		{"next hop", 0, ledger.StepClaim, never},
		{"timed out", 0, ledger.StepClaim, never},
		{"open", 0, ledger.StepWait, until},
		{"open", lease + almost, ledger.StepWait, until},
		{"open", lease, ledger.StepDoubt, never},
		{"open", time.Hour, ledger.StepDoubt, never},
		{"open 2nd", lease + almost, ledger.StepWait, until},
		{"open 2nd", lease, ledger.StepDoubt, never},
		{"doubted", 2*time.Second + almost, ledger.StepWait, look},
		{"doubted", 2 * time.Second, ledger.StepLook, never},
		{"doubted 2nd", time.Hour, ledger.StepLook, never},
		{"sent", time.Hour, ledger.StepDone, never},
		{"sent again", time.Hour, ledger.StepDone, never},
		{"delivered", 0, ledger.StepDone, never},
		{"undelivered", 0, ledger.StepDone, never},
		{"failed", 0, ledger.StepDone, never},
		{"uncertain", time.Hour, ledger.StepDone, never},
		{"dropped", 0, ledger.StepDone, never},
		{"dead", time.Hour, ledger.StepDone, never},
	}
	for _, tt := range tests {
		got, at := in(t, tt.situation).Next(stamped.Add(tt.after))
		if got != tt.want || !at.Equal(tt.until) {
			t.Errorf("%s, after %v: step %d until %v, want %d until %v", tt.situation, tt.after, got, at, tt.want, tt.until)
		}
	}
	r := play(t, in(t, "doubted"), []event{looked(1)})
	if got, at := r.Next(stamped.Add(30 * time.Second)); got != ledger.StepWait || !at.Equal(again) {
		t.Errorf("after a look: step %d until %v, want to wait until %v", got, at, again)
	}
}

// TestNextAfterAClockThatWasAhead: what such a clock wrote holds no text up once the clock is right.
func TestNextAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	for situation, want := range map[string]ledger.Step{
		"waiting": ledger.StepClaim, "paced": ledger.StepClaim, "open": ledger.StepDoubt, "doubted": ledger.StepLook, "sent": ledger.StepDone,
	} {
		r := in(t, situation)
		if got, at := r.Next(r.UpdatedAt.Add(-24 * time.Hour)); got != want {
			t.Errorf("%s, written a day from now: step %d until %v, want %d", situation, got, at, want)
		}
		if got, _ := r.Next(r.UpdatedAt.Add(-clock.Skew)); got != ledger.StepWait && want != ledger.StepDone {
			t.Errorf("%s, written by a clock that is ahead as far as clocks differ: step %d, want to wait", situation, got)
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
