package dynamo_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestPaceMemoryIsShort: two processes that book now and then do not get in each other's way.
func TestPaceMemoryIsShort(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	first, second := paceOn(f), paceOn(f)
	for n := range 10 {
		for i, p := range []*dynamo.Pace{first, second} {
			now := noon().Add(time.Duration(2*n+i) * 10 * time.Second)
			if at, err := p.Reserve(t.Context(), segment(), now); err != nil || !at.Equal(now) {
				t.Errorf("booked %v at %v, error %v", at, now, err)
			}
		}
	}
	if writes := f.calls["PutItem"]; writes != 20 {
		t.Errorf("%d writes for 20 bookings", writes)
	}
}

// TestPaceMemoryGoesByWallTime: what a frozen process remembers is as old as wall time says, and is read again.
func TestPaceMemoryGoesByWallTime(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	p, read := paceOn(f), relaytest.NewFrozenClock(noon())
	now := clock.Of(read.Now)
	for range 2 {
		if _, err := p.Reserve(t.Context(), segment(), now()); err != nil {
			t.Fatal(err)
		}
		read.Freeze(time.Hour)
	}
	if reads := f.calls["GetItem"]; reads != 2 {
		t.Errorf("%d reads, want one before each booking", reads)
	}
}

// TestPaceTooLate: a moment that comes too late for the text is told, and not booked.
func TestPaceTooLate(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.PaceSchema())
	p := paceOn(f)
	books(t, p, 0)
	writes := f.calls["PutItem"]
	late := segment()
	late.By = noon().Add(100 * time.Millisecond)
	if at, err := p.Reserve(t.Context(), late, noon()); err != nil || !at.After(late.By) {
		t.Errorf("booked %v, error %v; want a moment after %v", at, err, late.By)
	}
	if got := f.calls["PutItem"]; got != writes {
		t.Errorf("%d writes for a moment of no use", got-writes)
	}
	books(t, p, 1)
}
