package clock_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestClockGoesOnWhileTheProcessIsFrozen(t *testing.T) {
	t.Parallel()
	read := relaytest.NewFrozenClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	wall := clock.Of(read.Now)
	raw, before := read.Now(), wall()
	read.Freeze(time.Hour)
	if passed := read.Now().Sub(raw); passed != 0 {
		t.Fatalf("the test's own clock shows that %v passed: it is no frozen one", passed)
	}
	if passed := wall().Sub(before); passed != time.Hour {
		t.Errorf("%v passed, want the hour for which the process was frozen", passed)
	}
}

func TestWallHasNoMonotonicPart(t *testing.T) {
	t.Parallel()
	now := clock.Wall()()
	if now != now.Round(0) {
		t.Errorf("the clock shows %v, with a monotonic part", now)
	}
}
