// Package relaytest is what the relay's tests share: the conformance suite of each contract, which every adapter must
// pass, fakes that keep those contracts in memory and fail on demand, a clock that a test moves, and builders. It is for
// tests only and never linked into a program: the doubles that run for people are cmd/relay/twiliofake and shared/onehost/sqlite.
package relaytest

import (
	"testing"
	"time"
)

// patience is how long a suite waits for what must happen. It is reached only when something is wrong.
const patience = 20 * time.Second

// longPoll is how long one receive of a polling loop waits.
const longPoll = time.Second

// slack is by how much two clocks may disagree where a suite measures that something did not happen too early.
const slack = 100 * time.Millisecond

// wallClock is the time by which an adapter under test lives.
func wallClock() time.Time {
	return time.Now()
}

// eventually calls try until it returns an empty string, and fails with its last answer when patience is over. It is for
// reads that may lag a write.
func eventually(t *testing.T, try func() (complaint string)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		complaint := try()
		if complaint == "" {
			return
		}
		select {
		case <-deadline.C:
			t.Fatal(complaint)
		case <-time.After(longPoll / 10):
		}
	}
}
