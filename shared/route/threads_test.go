package route_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The numbers of the tests of threads: two routed ones, and further numbers of the business.
const (
	ownNumber   sms.PhoneNumber = "+18585550100"
	otherNumber sms.PhoneNumber = "+18585550101"
	threadA     sms.PhoneNumber = "+18585550110"
	threadB     sms.PhoneNumber = "+18585550111"
	phoneA      sms.PhoneNumber = "+16195550123"
)

// threaded is an active route to phoneA with those threads.
func threaded(number sms.PhoneNumber, threads ...sms.PhoneNumber) route.Route {
	return route.Route{TwilioNumber: number, DestinationCarrier: phoneA, Active: true, Threads: threads}
}

func TestThreadsAreFurtherNumbers(t *testing.T) {
	nine := make([]sms.PhoneNumber, 9)
	for i := range nine {
		nine[i] = threadA[:len(threadA)-1] + sms.PhoneNumber(rune('0'+i))
	}
	for want, threads := range map[string][]sms.PhoneNumber{
		"": {threadA, threadB},
		"thread +18585550100 is the Twilio number itself: name further numbers":                                 {ownNumber},
		"thread +16195550123 is a hop, too: texts would go round in a loop":                                     {phoneA},
		"thread +18585550110 is listed twice":                                                                   {threadA, threadB, threadA},
		`Threads[1] "8585550111" is not E.164: want a plus sign, country code and number, such as +18585550111`: {threadA, "8585550111"},
		"Threads has 9 numbers, at most 8":                                                                      nine,
	} {
		got := ""
		if err := threaded(ownNumber, threads...).Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("threads %v: problem %q, want %q", threads, got, want)
		}
	}
}

// What is remembered of threads is as old as what is remembered of routes, and is forgotten with it.
func TestCacheWithThread(t *testing.T) {
	clock := relaytest.NewClock(time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC))
	table := relaytest.NewMemoryRoutes(threaded(ownNumber, threadA))
	cache := route.NewCache(table, clock.Now)
	has := func(want bool) {
		t.Helper()
		r, ok, err := cache.WithThread(t.Context(), threadB)
		if err != nil || ok != want || ok && r.TwilioNumber != ownNumber {
			t.Errorf("route %s, %t, error %v, want %t", r.TwilioNumber, ok, err, want)
		}
	}
	has(false)
	wanted := threaded(ownNumber, threadA, threadB)
	stored, err := table.Put(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	has(false)
	cache.Forget()
	has(true)
	stored.Threads = nil
	if _, err := table.Put(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	has(true)
	clock.Advance(route.MaxCacheAge)
	has(false)
}

// A route that cannot be read holds up the numbers that may be its own, and no others.
func TestCacheWithThreadBesideAnUnreadableRoute(t *testing.T) {
	const noThread sms.PhoneNumber = "+18585550119"
	other := threaded(ownNumber, threadA)
	broken := threaded("+18585550101", threadB)
	for attribute, waits := range map[string]map[sms.PhoneNumber]bool{
		"Active":  {threadA: false, threadB: true, noThread: false},
		"Threads": {threadA: false, threadB: true, noThread: true},
	} {
		table := relaytest.NewMemoryRoutes(other, broken)
		table.Spoil(t, broken, attribute)
		cache := route.NewCache(table, time.Now)
		for number, want := range waits {
			r, ok, err := cache.WithThread(t.Context(), number)
			if (err != nil) != want || ok != (number == threadA) || ok && r.TwilioNumber != ownNumber {
				t.Errorf("%s cannot be read: %s: route %s, %t, error %v, want an error: %t", attribute, number, r.TwilioNumber, ok, err, want)
			}
		}
	}
}

// countedTable counts how often a table is asked.
type countedTable struct {
	route.Table
	lookups, lists int
}

func (c *countedTable) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	c.lookups++
	return c.Table.Lookup(ctx, numbers...)
}

func (c *countedTable) List(ctx context.Context) ([]route.Route, error) {
	c.lists++
	return c.Table.List(ctx)
}

// What the table was asked for since then is as new as an answer to another question would be.
func TestCacheForgetBefore(t *testing.T) {
	clock := relaytest.NewClock(time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC))
	table := &countedTable{Table: relaytest.NewMemoryRoutes(threaded(ownNumber, threadA))}
	cache := route.NewCache(table, clock.Now)
	ask := func(lookups, lists int) {
		t.Helper()
		_, err := cache.Lookup(t.Context(), ownNumber, threadB)
		_, _, listErr := cache.WithThread(t.Context(), threadB)
		if err != nil || listErr != nil || table.lookups != lookups || table.lists != lists {
			t.Errorf("%d lookups and %d lists, errors %v and %v, want %d and %d", table.lookups, table.lists, err, listErr, lookups, lists)
		}
	}
	began := clock.Now()
	clock.Advance(time.Millisecond)
	ask(1, 1)
	cache.ForgetBefore(began, ownNumber, threadB)
	ask(1, 1)
	cache.ForgetBefore(clock.Now(), ownNumber)
	ask(2, 2)
}

// A number that stops being a thread is remembered for a week, unless it is a thread again.
func TestFormerThreads(t *testing.T) {
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	r := threaded(ownNumber, threadA, threadB)
	write := func(at time.Time, threads ...sms.PhoneNumber) {
		next := threaded(ownNumber, threads...)
		r = next.Switched(r, at)
	}
	check := func(at time.Time, want ...sms.PhoneNumber) {
		t.Helper()
		got := []sms.PhoneNumber{}
		for _, number := range []sms.PhoneNumber{threadA, threadB, phoneA} {
			if found, ok := route.WithFormerThread([]route.Route{r}, number, at); ok && found.TwilioNumber == ownNumber {
				got = append(got, number)
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("former threads (-want +got):\n%s", diff)
		}
		if kept := r.ThreadsKept(at); len(kept) != len(r.Threads)+len(want) {
			t.Errorf("%d threads are kept, want %d and %d", len(kept), len(r.Threads), len(want))
		}
	}
	write(start, threadA, threadB)
	check(start)
	write(start.Add(time.Hour), threadA)
	check(start.Add(time.Hour), threadB)
	write(start.Add(2 * time.Hour))
	check(start.Add(3*time.Hour), threadA, threadB)
	write(start.Add(4*time.Hour), threadB)
	check(start.Add(4*time.Hour), threadA)
	check(start.Add(2*time.Hour+route.FormerTime), threadA)
	check(start.Add(3*time.Hour + route.FormerTime))
	write(start.Add(3*time.Hour+route.FormerTime), threadB)
	if len(r.FormerThreads) != 0 {
		t.Errorf("%v are remembered for ever", r.FormerThreads)
	}
	r.FormerThreads, r.Removed = []route.FormerThread{{Number: threadA, Until: start}}, start
	if found, ok := route.WithFormerThread([]route.Route{r}, threadA, start); ok {
		t.Errorf("a removed route has a former thread: %+v", found)
	}
}

// As many are remembered as can be read of a phone in one call.
func TestFormerThreadsAreBounded(t *testing.T) {
	r, at := threaded(ownNumber), time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for i := range 20 {
		r = threaded(ownNumber, sms.PhoneNumber(fmt.Sprintf("+185855501%02d", 20+i))).Switched(r, at.Add(time.Duration(i)*time.Hour))
	}
	if len(r.FormerThreads) != route.MaxThreads || r.FormerThreads[0].Number != "+18585550138" {
		t.Errorf("%d former threads are remembered: %v", len(r.FormerThreads), r.FormerThreads)
	}
}
