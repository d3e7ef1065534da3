package relaytest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// PaceUnderTest is a book with nothing booked when a test gets it, as two processes have it. Where there can be only
// one process, both are the same.
type PaceUnderTest struct {
	pace.Book
	Other pace.Book
}

// TestPace holds a book against the contract of package pace. open returns a new, empty book each time; it is called
// once a subtest, and subtests run side by side. Moments are booked for a few minutes from now on.
func TestPace(t *testing.T, open func(t *testing.T) PaceUnderTest) {
	t.Helper()
	for _, tt := range paceTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(paceTest{t, open(t), wallClock().Truncate(time.Second)})
		})
	}
}

// paceCase is one subtest of the suite.
type paceCase struct {
	name string
	run  func(paceTest)
}

func paceTests() []paceCase {
	return []paceCase{
		{"books what a state books", paceTest.likeState},
		{"books each number for itself", paceTest.eachNumber},
		{"books nothing with both limits off", paceTest.bothOff},
		{"any address survives", paceTest.anyAddress},
		{"what one process booked the other finds booked", paceTest.otherProcess},
		{"bookings side by side all go through", paceTest.sideBySide},
		{"processes side by side keep the limits together", paceTest.processesSideBySide},
		{"what a clock that was ahead booked is void", paceTest.clockAhead},
		{"an ended context is a classified error", paceTest.endedContext},
	}
}

// paceTest is one subtest with its book. The time is now.
type paceTest struct {
	*testing.T
	PaceUnderTest

	now time.Time
}

// usual are limits as a relay has them.
func usual() pace.Limits {
	return pace.Limits{Pair: pace.Limit{N: 10, Per: 30 * time.Second}, Number: pace.Limit{N: 1, Per: time.Second}}
}

// asks returns the request for one segment from TwilioNumber to Destination.
func asks(limits pace.Limits) pace.Request {
	return pace.Request{Number: TwilioNumber, To: Destination, Segments: 1, Limits: limits}
}

func (p paceTest) reserve(book pace.Book, r pace.Request, now time.Time) time.Time {
	p.Helper()
	at, err := book.Reserve(p.Context(), r, now)
	if err != nil {
		p.Fatalf("Reserve: %v", err)
	}
	return at
}

// likeState books what comes to a relay in a busy minute, and a moment later than it asked as well.
func (p paceTest) likeState() {
	var state pace.State
	for i := range 60 {
		r := asks(usual())
		r.Segments = 1 + i%3
		if i%5 == 0 {
			r.To = Fallback
		}
		switch i % 20 {
		case 7:
			r.Limits.Number = pace.Limit{}
		case 11:
			r.Limits.Pair = pace.Limit{}
		case 13:
			r.Limits.Number = pace.Limit{N: 7, Per: 2 * time.Second}
		}
		now := p.now.Add(time.Duration(i) * 1234567 * time.Microsecond)
		next, want := state.Book(r, now)
		if got := p.reserve(p, r, now); !got.Equal(want) {
			p.Fatalf("booking %d is for %v after now, want %v", i+1, got.Sub(now), want.Sub(now))
		}
		state = next
	}
}

func (p paceTest) eachNumber() {
	for i := range 3 {
		for n := range 5 {
			r := asks(usual())
			r.Number = numbered(n)
			if got, want := p.reserve(p, r, p.now), p.now.Add(time.Duration(i)*time.Second); !got.Equal(want) {
				p.Errorf("booking %d of number %d is for %v, want %v", i+1, n, got, want)
			}
		}
	}
}

func (p paceTest) bothOff() {
	now := p.now.Add(123456789 * time.Nanosecond)
	ctx, cancel := context.WithCancel(p.Context())
	cancel()
	for range 3 {
		// Even with an ended context: there is nothing to do.
		if got, err := p.Reserve(ctx, asks(pace.Limits{}), now); err != nil || !got.Equal(now) {
			p.Errorf("with both limits off: %v, %v; want now", got, err)
		}
	}
	if got := p.reserve(p, asks(usual()), now); !got.Equal(now) {
		p.Errorf("first booking is for %v, want now", got)
	}
}

func (p paceTest) anyAddress() {
	for _, to := range []sms.PhoneNumber{"24365", "QuickDump", "whatsapp:" + Destination, `o'Neill "ops" ü.#$[0]`} {
		r := asks(pace.Limits{Pair: pace.Limit{N: 1, Per: time.Minute}})
		r.Number, r.To = to+"'", to
		for i := range 3 {
			if got, want := p.reserve(p, r, p.now), p.now.Add(time.Duration(i)*time.Minute); !got.Equal(want) {
				p.Errorf("booking %d for %q is for %v, want %v", i+1, string(to), got, want)
			}
		}
	}
}

func (p paceTest) otherProcess() {
	for i := range 4 {
		p.reserve(p, asks(usual()), p.now.Add(time.Duration(i)*time.Millisecond))
	}
	if got, want := p.reserve(p.Other, asks(usual()), p.now), p.now.Add(4*time.Second); !got.Equal(want) {
		p.Errorf("the other process books %v, want %v", got, want)
	}
}

// sideBySide: one process does not get into its own way.
func (p paceTest) sideBySide() {
	const bookings = 30
	moments := make([]time.Time, bookings)
	var wg sync.WaitGroup
	for i := range moments {
		wg.Go(func() {
			at, err := p.Reserve(p.Context(), asks(pace.Limits{Number: pace.Limit{N: 1, Per: time.Second}}), p.now)
			if err != nil {
				p.Errorf("Reserve: %v", err)
			}
			moments[i] = at
		})
	}
	wg.Wait()
	p.evenly(moments)
}

// evenly checks that the moments are a second apart, with none missing and none booked twice.
func (p paceTest) evenly(moments []time.Time) {
	p.Helper()
	slices.SortFunc(moments, time.Time.Compare)
	var want, got []time.Duration
	for i, at := range moments {
		want, got = append(want, time.Duration(i)*time.Second), append(got, at.Sub(p.now))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("booked moments, from now (-want +got):\n%s", diff)
	}
}

// processesSideBySide: who was overtaken has booked nothing, and books when it asks again.
func (p paceTest) processesSideBySide() {
	const senders, each = 6, 5
	var mu sync.Mutex
	var moments []time.Time
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			book := []pace.Book{p.Book, p.Other}[sender%2]
			for range each {
				at, ok := p.insist(book)
				if !ok {
					return
				}
				mu.Lock()
				moments = append(moments, at)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(moments) != senders*each {
		p.Fatalf("%d bookings, want %d", len(moments), senders*each)
	}
	p.evenly(moments)
}

// insist asks until it gets a moment.
func (p paceTest) insist(book pace.Book) (at time.Time, ok bool) {
	for range 1000 {
		at, err := book.Reserve(p.Context(), asks(pace.Limits{
			Pair: pace.Limit{N: 10, Per: time.Second}, Number: pace.Limit{N: 1, Per: time.Second},
		}), p.now)
		if err == nil {
			return at, true
		}
		classified, ok := errors.AsType[*fault.Error](err)
		if !ok || classified.Kind != fault.Throttled || classified.RetryAfter <= 0 || classified.RetryAfter > time.Second {
			p.Errorf("Reserve: error %v, want a throttled *fault.Error that says to come again within a second", err)
			return time.Time{}, false
		}
	}
	p.Errorf("Reserve was overtaken a thousand times")
	return time.Time{}, false
}

// clockAhead books by a clock that is a day ahead, and then by one that is right: in the same process and in the other.
func (p paceTest) clockAhead() {
	ahead := p.now.Add(24 * time.Hour)
	for _, book := range []pace.Book{p.Book, p.Other} {
		for range 3 {
			p.reserve(p, asks(usual()), ahead)
		}
		for i := range 3 {
			if got, want := p.reserve(book, asks(usual()), p.now), p.now.Add(time.Duration(i)*time.Second); !got.Equal(want) {
				p.Errorf("booking %d after the clock was set right is for %v, want %v from now", i+1, got.Sub(p.now), want.Sub(p.now))
			}
		}
	}
}

func (p paceTest) endedContext() {
	ctx, cancel := context.WithCancel(p.Context())
	cancel()
	_, err := p.Reserve(ctx, asks(usual()), p.now)
	classified, ok := errors.AsType[*fault.Error](err)
	if !ok || classified.Kind != fault.Transient && classified.Kind != fault.Unknown {
		p.Errorf("Reserve with an ended context: error %v, want a transient or unknown *fault.Error", err)
	}
}
