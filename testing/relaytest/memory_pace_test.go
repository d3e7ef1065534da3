package relaytest

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
)

func openMemoryPace(t *testing.T) PaceUnderTest {
	t.Helper()
	m := &MemoryPace{}
	return PaceUnderTest{Book: m, Other: m}
}

func TestMemoryPace(t *testing.T) { TestPace(t, openMemoryPace) }

func TestMemoryPaceInABubble(t *testing.T) {
	for _, tt := range paceTests() {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tt.run(paceTest{t, openMemoryPace(t), time.Now()}) })
		})
	}
}

// A fault before a booking prevents it, a fault after it only hides that it happened.
func TestMemoryPaceFaults(t *testing.T) {
	for point, want := range map[string]int{"before Reserve": 0, "after Reserve": 1, "before Reserves": 1} {
		m := &MemoryPace{Fault: failing(point)}
		at, err := m.Reserve(t.Context(), asks(usual()), noon)
		if failed := point != "before Reserves"; errors.Is(err, errLost) != failed || at.IsZero() != failed {
			t.Errorf("fault %s: %v, error %v", point, at, err)
		}
		if got := len(m.State(TwilioNumber).Recent[Destination]); got != want {
			t.Errorf("fault %s: %d moments booked, want %d", point, got, want)
		}
		if _, err := m.Reserve(t.Context(), asks(pace.Limits{}), noon); err != nil {
			t.Errorf("fault %s with both limits off: %v", point, err)
		}
	}
}
