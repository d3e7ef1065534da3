package pace_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestOverload: more texts come than may go, for hours. As many go as the limits let, and the rest are told at once that
// there is no moment for them; they take none from the others.
func TestOverload(t *testing.T) {
	const patience = 5 * time.Minute
	r := pace.Request{
		Number: relaytest.TwilioNumber, To: relaytest.Destination,
		Limits: pace.Limits{Pair: pace.Limit{N: 10, Per: 30 * time.Second}, Number: pace.Limit{N: 1, Per: time.Second}},
	}
	var s pace.State
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	sent := make([]int, 6)
	for n := range 25 * 60 * 3 {
		now := start.Add(time.Duration(n) * time.Minute / 25)
		r.By = now.Add(patience)
		var at time.Time
		if s, at = s.Book(r, now); !r.TooLate(at) {
			sent[int(now.Sub(start)/(30*time.Minute))]++
		}
	}
	for half, got := range sent {
		if got < 595 {
			t.Errorf("%d texts booked in half hour %d, want nearly the 600 that may go", got, half+1)
		}
	}
}
