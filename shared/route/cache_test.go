package route_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// asked is a table that writes down what it is asked.
type asked struct {
	route.Table

	mu        sync.Mutex
	questions [][]sms.PhoneNumber
}

func (a *asked) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	a.mu.Lock()
	a.questions = append(a.questions, slices.Clone(numbers))
	a.mu.Unlock()
	return a.Table.Lookup(ctx, numbers...)
}

// wants fails unless the table was asked exactly these questions since the last call.
func (a *asked) wants(t *testing.T, questions ...[]sms.PhoneNumber) {
	t.Helper()
	if diff := cmp.Diff(questions, a.questions); diff != "" {
		t.Errorf("questions to the table (-want +got):\n%s", diff)
	}
	a.questions = nil
}

func newCache(routes ...route.Route) (*route.Cache, *relaytest.MemoryRoutes, *asked, *relaytest.Clock) {
	table := relaytest.NewMemoryRoutes(routes...)
	shown := relaytest.NewClock(noon)
	front := &asked{Table: table}
	return route.NewCache(front, shown.Now), table, front, shown
}

func lookup(t *testing.T, c *route.Cache, numbers ...sms.PhoneNumber) map[sms.PhoneNumber]route.Route {
	t.Helper()
	got, err := c.Lookup(t.Context(), numbers...)
	if err != nil {
		t.Fatalf("Lookup(%q): %v", numbers, err)
	}
	return got
}

func TestCacheAnswersForFiveSeconds(t *testing.T) {
	stored := relaytest.Route()
	cache, table, front, clock := newCache(stored)
	numbers := []sms.PhoneNumber{relaytest.TwilioNumber, relaytest.Customer}
	first := lookup(t, cache, numbers...)
	if diff := cmp.Diff(map[sms.PhoneNumber]route.Route{relaytest.TwilioNumber: stored}, first); diff != "" {
		t.Errorf("first answer (-want +got):\n%s", diff)
	}
	front.wants(t, numbers)
	changed := stored
	changed.Active = false
	if _, err := table.Put(t.Context(), changed); err != nil {
		t.Fatalf("Put: %v", err)
	}
	clock.Advance(route.MaxCacheAge - time.Nanosecond)
	if diff := cmp.Diff(first, lookup(t, cache, numbers...)); diff != "" {
		t.Errorf("answer after almost five seconds (-first +got):\n%s", diff)
	}
	front.wants(t)
	clock.Advance(time.Nanosecond)
	if got := lookup(t, cache, numbers...)[relaytest.TwilioNumber]; got.Active {
		t.Error("after five seconds the old route is still used")
	}
	front.wants(t, numbers)
}

// TestCacheAgeCountsFromTheQuestion: the table answers with what was true when it looked, not when the answer came.
// An answer is as old as wall time says, whatever the process slept through, and one from the future is not used.
func TestCacheGoesByWallTime(t *testing.T) {
	t.Parallel()
	for name, passed := range map[string]time.Duration{"frozen": route.MaxCacheAge, "set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := &asked{Table: relaytest.NewMemoryRoutes()}
			read := relaytest.NewFrozenClock(noon)
			c := route.NewCache(front, clock.Of(read.Now))
			question := []sms.PhoneNumber{relaytest.TwilioNumber}
			lookup(t, c, question...)
			read.Freeze(passed)
			lookup(t, c, question...)
			front.wants(t, question, question)
		})
	}
}

func TestCacheAgeCountsFromTheQuestion(t *testing.T) {
	cache, table, front, clock := newCache(relaytest.Route())
	table.Fault = func(op string) error {
		if op == "after Lookup" {
			clock.Advance(3 * time.Second)
		}
		return nil
	}
	lookup(t, cache, relaytest.TwilioNumber)
	clock.Advance(2 * time.Second)
	lookup(t, cache, relaytest.TwilioNumber)
	front.wants(t, []sms.PhoneNumber{relaytest.TwilioNumber}, []sms.PhoneNumber{relaytest.TwilioNumber})
}

func TestCacheRemembersAbsences(t *testing.T) {
	cache, table, front, clock := newCache()
	lookup(t, cache, relaytest.TwilioNumber)
	if _, err := table.Put(t.Context(), relaytest.Route()); err != nil {
		t.Fatalf("Put: %v", err)
	}
	clock.Advance(route.MaxCacheAge - 1)
	if got := lookup(t, cache, relaytest.TwilioNumber); len(got) != 0 {
		t.Errorf("within five seconds: %v, want the absence", got)
	}
	front.wants(t, []sms.PhoneNumber{relaytest.TwilioNumber})
	clock.Advance(1)
	if got := lookup(t, cache, relaytest.TwilioNumber); len(got) != 1 {
		t.Errorf("after five seconds: %v, want the route", got)
	}
}

func TestCacheAsksOnlyForTheRest(t *testing.T) {
	one, two := relaytest.Route(), relaytest.Route()
	two.TwilioNumber = "+18585550101"
	cache, _, front, clock := newCache(one, two)
	lookup(t, cache)
	front.wants(t)
	lookup(t, cache, one.TwilioNumber, relaytest.Customer)
	front.wants(t, []sms.PhoneNumber{one.TwilioNumber, relaytest.Customer})
	clock.Advance(time.Second)
	got := lookup(t, cache, relaytest.Customer, two.TwilioNumber, one.TwilioNumber, "+18585550199")
	front.wants(t, []sms.PhoneNumber{two.TwilioNumber, "+18585550199"})
	want := map[sms.PhoneNumber]route.Route{one.TwilioNumber: one, two.TwilioNumber: two}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestCacheRemembersNoErrors(t *testing.T) {
	cache, table, _, clock := newCache(relaytest.Route())
	broken := errors.New("broken")
	fails := func(string) error { return broken }
	table.Fault = fails
	if got, err := cache.Lookup(t.Context(), relaytest.TwilioNumber); !errors.Is(err, broken) || got != nil {
		t.Errorf("Lookup = %v, %v; want the table's own error", got, err)
	}
	table.Fault = nil
	if got := lookup(t, cache, relaytest.TwilioNumber); len(got) != 1 {
		t.Errorf("after the error: %v, want the route", got)
	}
	// A failure after five seconds is told, not covered up with the old answer.
	clock.Advance(route.MaxCacheAge)
	table.Fault = fails
	if got, err := cache.Lookup(t.Context(), relaytest.TwilioNumber); !errors.Is(err, broken) || got != nil {
		t.Errorf("Lookup = %v, %v; want the table's own error", got, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	cache, _, _, _ := newCache(relaytest.Route())
	for i := range 2*route.MaxCached + 50 {
		lookup(t, cache, relaytest.TwilioNumber, sms.PhoneNumber(fmt.Sprint("customer ", i)))
		if cache.Len() > route.MaxCached {
			t.Fatalf("%d numbers remembered after %d questions, want at most %d", cache.Len(), i+1, route.MaxCached)
		}
	}
	if got := lookup(t, cache, relaytest.TwilioNumber); len(got) != 1 {
		t.Errorf("after forgetting: %v, want the route", got)
	}
}

// TestCacheSideBySide is for the race detector, and for what one caller's change may do to another's answer.
func TestCacheSideBySide(t *testing.T) {
	cache, table, _, clock := newCache(relaytest.Route())
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 200 {
				numbers := []sms.PhoneNumber{relaytest.TwilioNumber, sms.PhoneNumber(fmt.Sprint(worker, i%7))}
				got, err := cache.Lookup(t.Context(), numbers...)
				if err != nil || got[relaytest.TwilioNumber].DestinationCarrier != relaytest.Destination || len(got) != 1 {
					t.Errorf("Lookup(%q) = %v, %v", numbers, got, err)
				}
				clear(got)
			}
		})
	}
	wg.Go(func() {
		for stored := relaytest.Route(); stored.Version < 50; {
			clock.Advance(time.Second)
			var err error
			if stored, err = table.Put(t.Context(), stored); err != nil {
				t.Errorf("Put: %v", err)
				return
			}
		}
	})
	wg.Wait()
}

// TestCacheIsNeverOlderThanFiveSeconds walks at random through changes, pauses, failures and questions, and holds each
// answer against all that was true within the last five seconds.
func TestCacheIsNeverOlderThanFiveSeconds(t *testing.T) {
	numbers := []sms.PhoneNumber{"+18585550100", "+18585550101", "+18585550102"}
	rapid.Check(t, func(t *rapid.T) {
		cache, table, _, clock := newCache()
		// since is when each version of a route began; version 0 is its absence.
		since := map[sms.PhoneNumber][]time.Time{}
		for _, n := range numbers {
			since[n] = []time.Time{{}}
		}
		number := rapid.SampledFrom(numbers)
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				clock.Advance(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			},
			"change": func(t *rapid.T) {
				r := relaytest.Route()
				r.TwilioNumber = number.Draw(t, "number")
				r.Version = int64(len(since[r.TwilioNumber]) - 1)
				if _, err := table.Put(context.Background(), r); err != nil {
					t.Fatalf("Put: %v", err)
				}
				since[r.TwilioNumber] = append(since[r.TwilioNumber], clock.Now())
			},
			"ask": func(t *rapid.T) {
				question := rapid.SliceOfN(number, 0, 4).Draw(t, "numbers")
				got, err := cache.Lookup(context.Background(), question...)
				if err != nil {
					t.Fatalf("Lookup: %v", err)
				}
				for _, n := range question {
					fresh(t, n, got[n].Version, since[n], clock.Now())
				}
				for n := range maps.Keys(got) {
					if !slices.Contains(question, n) {
						t.Errorf("the answer holds %s, which was not asked for", n)
					}
				}
			},
		})
	})
}

// fresh fails if the version was replaced five seconds ago or earlier.
func fresh(t *rapid.T, number sms.PhoneNumber, version int64, since []time.Time, now time.Time) {
	t.Helper()
	if next := version + 1; next < int64(len(since)) && now.Sub(since[next]) >= route.MaxCacheAge {
		t.Errorf("%s: version %d, which was replaced %v ago", number, version, now.Sub(since[next]))
	}
}
