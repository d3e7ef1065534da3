package relaytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestRoutes holds a routing table against the contract of package route. open returns a new, empty table each time; it
// is called once a subtest, and subtests run side by side. Lookup may lag writes.
func TestRoutes(t *testing.T, open func(t *testing.T) route.Table) {
	t.Helper()
	for _, tt := range routesTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(routesTest{t, open(t)})
		})
	}
}

// routesCase is one subtest of the suite.
type routesCase struct {
	name string
	run  func(routesTest)
}

func routesTests() []routesCase {
	return []routesCase{
		{"put stores and lookup finds every field", routesTest.putStores},
		{"put counts versions", routesTest.putCounts},
		{"put of another version conflicts", routesTest.putConflicts},
		{"of many puts one wins", routesTest.manyPuts},
		{"lookup of numbers without routes", routesTest.lookupAbsent},
		{"lookup of one number twice", routesTest.lookupTwice},
		{"lookup of a hundred numbers", routesTest.lookupHundred},
		{"a route is the caller's own", routesTest.noAliasing},
		{"list is in order of number", routesTest.listInOrder},
		{"an ended context is a classified error", routesTest.endedContext},
	}
}

// routesTest is one subtest with its table.
type routesTest struct {
	*testing.T
	route.Table
}

// Route returns an active route from TwilioNumber to Destination, then Fallback, not yet stored.
func Route() route.Route {
	return route.Route{
		TwilioNumber:       TwilioNumber,
		DestinationCarrier: Destination,
		FallbackCarriers:   []sms.PhoneNumber{Fallback},
		Active:             true,
		LastUpdated:        time.Date(2026, 11, 24, 12, 0, 0, 123e6, time.UTC),
		UpdatedBy:          "seed",
	}
}

func (r routesTest) put(given route.Route) route.Route {
	r.Helper()
	stored, err := r.Put(r.Context(), given)
	if err != nil {
		r.Fatalf("Put(%s): %v", string(given.TwilioNumber), err)
	}
	want := given
	want.Version++
	if diff := cmp.Diff(want, stored, cmpopts.EquateEmpty()); diff != "" {
		r.Errorf("returned route (-want +got):\n%s", diff)
	}
	return stored
}

// finds waits until a lookup of the numbers answers exactly want.
func (r routesTest) finds(numbers []sms.PhoneNumber, want ...route.Route) {
	r.Helper()
	routes := map[sms.PhoneNumber]route.Route{}
	for _, w := range want {
		routes[w.TwilioNumber] = w
	}
	eventually(r.T, func() string {
		got, err := r.Lookup(r.Context(), numbers...)
		if err != nil {
			r.Fatalf("Lookup of %d numbers: %v", len(numbers), err)
		}
		return cmp.Diff(routes, got, cmpopts.EquateEmpty())
	})
}

func (r routesTest) putStores() {
	bare := route.Route{TwilioNumber: numbered(50), DestinationCarrier: numbered(51)}
	several := Route()
	several.TwilioNumber, several.Active, several.UpdatedBy = numbered(60), false, `o'Neill "ops" ü`
	several.FallbackCarriers = []sms.PhoneNumber{numbered(63), numbered(61), numbered(62)}
	for _, given := range []route.Route{Route(), bare, several} {
		r.finds([]sms.PhoneNumber{given.TwilioNumber}, r.put(given))
	}
}

func (r routesTest) putCounts() {
	stored := r.put(Route())
	for version := int64(1); version < 5; version++ {
		if stored.Version != version {
			r.Fatalf("version %d, want %d", stored.Version, version)
		}
		stored.Active = !stored.Active
		stored.FallbackCarriers = nil
		stored = r.put(stored)
		r.finds([]sms.PhoneNumber{TwilioNumber}, stored)
	}
}

func (r routesTest) putConflicts() {
	given := Route()
	given.Version = 1
	r.conflicts(given, "version 1 where there is none")
	given.Version = 0
	stored := r.put(r.put(given))
	for _, version := range []int64{0, 1, 3} {
		given.Version, given.DestinationCarrier = version, numbered(99)
		r.conflicts(given, fmt.Sprintf("version %d where 2 is stored", version))
	}
	r.finds([]sms.PhoneNumber{TwilioNumber}, stored)
}

func (r routesTest) conflicts(given route.Route, what string) {
	r.Helper()
	if _, err := r.Put(r.Context(), given); !errors.Is(err, route.ErrConflict) {
		r.Errorf("Put of %s: error %v, want ErrConflict", what, err)
	}
}

func (r routesTest) manyPuts() {
	const writers = 12
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			given := Route()
			given.DestinationCarrier = numbered(i + 40)
			_, errs[i] = r.Put(r.Context(), given)
		})
	}
	wg.Wait()
	won := 0
	want := Route()
	want.Version = 1
	for i, err := range errs {
		switch {
		case err == nil:
			won++
			want.DestinationCarrier = numbered(i + 40)
		case !errors.Is(err, route.ErrConflict):
			r.Errorf("writer %d: error %v, want ErrConflict", i, err)
		}
	}
	if won != 1 {
		r.Fatalf("%d writers won, want 1", won)
	}
	r.finds([]sms.PhoneNumber{TwilioNumber}, want)
}

func (r routesTest) lookupAbsent() {
	stored := r.put(Route())
	r.finds(nil)
	r.finds([]sms.PhoneNumber{Customer})
	r.finds([]sms.PhoneNumber{Customer, TwilioNumber, Destination}, stored)
	// A manual text may be shown as from nobody, and a text may come from a name or from another channel.
	r.finds([]sms.PhoneNumber{"", TwilioNumber, "QuickDump", "24365", "whatsapp:" + TwilioNumber}, stored)
}

// lookupTwice is a text from a number to itself.
func (r routesTest) lookupTwice() {
	stored := r.put(Route())
	r.finds([]sms.PhoneNumber{TwilioNumber, TwilioNumber, Customer, Customer}, stored)
}

func (r routesTest) lookupHundred() {
	var numbers []sms.PhoneNumber
	var want []route.Route
	for i := range 100 {
		numbers = append(numbers, numbered(i))
		if i%3 == 0 {
			given := Route()
			given.TwilioNumber, given.UpdatedBy = numbered(i), fmt.Sprint(i)
			want = append(want, r.put(given))
		}
	}
	r.finds(numbers, want...)
}

func (r routesTest) noAliasing() {
	given := Route()
	stored := r.put(given)
	given.FallbackCarriers[0], stored.FallbackCarriers[0] = numbered(98), numbered(98)
	want := Route()
	want.Version = 1
	r.finds([]sms.PhoneNumber{TwilioNumber}, want)
	found, err := r.Lookup(r.Context(), TwilioNumber)
	if err != nil {
		r.Fatalf("Lookup: %v", err)
	}
	found[TwilioNumber].FallbackCarriers[0] = numbered(98)
	r.finds([]sms.PhoneNumber{TwilioNumber}, want)
}

func (r routesTest) listInOrder() {
	if got, err := r.List(r.Context()); err != nil || len(got) != 0 {
		r.Fatalf("List of an empty table: %v, %v", got, err)
	}
	want := make([]route.Route, 100)
	for i := range want {
		// 37 and 100 share no divisor: all hundred come, in another order.
		n := i * 37 % len(want)
		given := Route()
		given.TwilioNumber = numbered(n)
		want[n] = r.put(given)
	}
	got, err := r.List(r.Context())
	if err != nil {
		r.Fatalf("List: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.Errorf("List (-want +got):\n%s", diff)
	}
}

func (r routesTest) endedContext() {
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	_, put := r.Put(ctx, Route())
	_, found := r.Lookup(ctx, TwilioNumber)
	_, listed := r.List(ctx)
	for operation, err := range map[string]error{"Put": put, "Lookup": found, "List": listed} {
		classified, ok := errors.AsType[*fault.Error](err)
		if !ok || classified.Kind != fault.Transient && classified.Kind != fault.Unknown {
			r.Errorf("%s with an ended context: error %v, want a transient or unknown *fault.Error", operation, err)
		}
	}
}
