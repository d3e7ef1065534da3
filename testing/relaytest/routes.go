package relaytest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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
		{"a hop is marked as opted out", routesTest.marksOptedOut},
		{"a phone goes off and on", routesTest.marksOff},
		{"of all phones that go off at once one is left", routesTest.lastStays},
		{"codes are tried", routesTest.triesCodes},
		{"a mark is put in spite of others", routesTest.marksInSpiteOfOthers},
		{"of many marks none is lost", routesTest.manyMarks},
		{"an ended context is a classified error", routesTest.endedContext},
	}
}

// settledRoute returns a route with every field set, so that one which an adapter forgets is missed.
func settledRoute() route.Route {
	r := Route()
	r.TwilioNumber, r.DestinationCarrier = numbered(70), numbered(71)
	r.FallbackCarriers = []sms.PhoneNumber{numbered(72), numbered(73)}
	r.Threads = []sms.PhoneNumber{numbered(75), numbered(74)}
	r.Phones = []route.Phone{
		{Name: "Ann", Number: numbered(71)}, {Name: "Bo Lee", Number: numbered(76), Also: []sms.PhoneNumber{numbered(77), numbered(78)}},
	}
	r.Owner = "Bo Lee"
	r.FormerThreads = []route.FormerThread{{Number: numbered(76), Until: r.LastUpdated.Truncate(time.Second)}}
	r.TimeZone, r.Closed, r.NightPhones = "America/Los_Angeles", route.ClosedNight, []string{"Bo Lee", string(numbered(79))}
	r.Schedule = []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann", "Bo Lee"}}}
	r.Overrides = []route.Override{
		{Date: "2026-12-24", LastDate: "2026-12-26", From: "12:00", To: "08:00", Phones: []string{"Ann"}}, {Date: "2027-01-01"},
	}
	r.AutoAnswer = route.AutoAnswer{Closed: "We are closed: we answer tomorrow.", NoOne: "Nobody can answer now. 🙂"}
	r.Ring, r.OnUncertain = route.RingAll, route.Resend
	r.DeliveryTimeout, r.MaxAge = route.Duration(90*time.Second), route.Duration(2*time.Hour+time.Millisecond)
	r.AnswerWindow, r.HoldTime = route.Duration(36*time.Hour), route.Duration(15*time.Minute)
	r.AnswerTimeout, r.ClaimTime = route.Duration(20*time.Minute), route.Duration(3*time.Hour)
	r.PaceNumber, r.OptedOut = "3/1s", []sms.PhoneNumber{numbered(73), numbered(71)}
	r.Off = []route.Off{{Phone: numbered(72), Until: offUntil()}}
	r.VerifyPhones, r.Verifications = new(true), []route.Verification{
		{Phone: numbered(73), Salt: "SALT", Hash: "hash", SentAt: offUntil(), Tries: 2, TriedSid: MessageSid(7)},
		{Phone: numbered(71), VerifiedAt: offUntil()},
	}
	r.WaitedUntil = offUntil().Add(time.Second)
	r.Removed, r.OffSince = r.LastUpdated.Add(-time.Second), r.LastUpdated.Add(-1500*time.Millisecond)
	return r
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
	settled := reflect.ValueOf(settledRoute())
	for i := range settled.NumField() {
		// Version is the table's own to set.
		if name := settled.Type().Field(i).Name; name != "Version" && settled.Field(i).IsZero() {
			r.Errorf("Route.%s is not set by the suite: set it in settledRoute()", name)
		}
	}
	bare := route.Route{TwilioNumber: numbered(50), DestinationCarrier: numbered(51)}
	several := Route()
	several.TwilioNumber, several.Active, several.UpdatedBy = numbered(60), false, `o'Neill "ops" ü`
	several.FallbackCarriers = []sms.PhoneNumber{numbered(63), numbered(61), numbered(62)}
	for _, given := range []route.Route{Route(), bare, several, settledRoute()} {
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
		stored.MaxAge = route.Duration(version%2) * route.Duration(time.Hour)
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
	given := settledRoute()
	stored := r.put(given)
	want := settledRoute()
	want.Version = 1
	spoil := func(theirs route.Route) {
		theirs.FallbackCarriers[0], theirs.OptedOut[0], theirs.Threads[0] = numbered(98), numbered(98), numbered(98)
		theirs.Phones[1].Also[0], theirs.Phones[0].Name = numbered(98), "Cy"
		theirs.FormerThreads[0].Number, theirs.Off[0].Phone, theirs.Verifications[0].Tries = numbered(98), numbered(98), 9
		theirs.Schedule[0].Phones[0], theirs.Overrides[0].Phones[0], theirs.NightPhones[0] = "Cy", "Cy", "Cy"
	}
	spoil(given)
	spoil(stored)
	r.finds([]sms.PhoneNumber{want.TwilioNumber}, want)
	found, err := r.Lookup(r.Context(), want.TwilioNumber)
	if err != nil {
		r.Fatalf("Lookup: %v", err)
	}
	spoil(found[want.TwilioNumber])
	r.finds([]sms.PhoneNumber{want.TwilioNumber}, want)
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

func (r routesTest) marksOptedOut() {
	want := r.put(settledRoute())
	number := want.TwilioNumber
	r.finds([]sms.PhoneNumber{number}, want)
	for _, step := range []struct {
		hop      sms.PhoneNumber
		optedOut bool
		left     []sms.PhoneNumber
	}{
		{numbered(72), true, []sms.PhoneNumber{numbered(73), numbered(71), numbered(72)}},
		{numbered(71), false, []sms.PhoneNumber{numbered(73), numbered(72)}},
		{numbered(72), true, nil}, // is marked already
		{numbered(99), true, nil}, // no hop
		{numbered(73), false, []sms.PhoneNumber{numbered(72)}},
		{numbered(72), false, []sms.PhoneNumber{}},
	} {
		if err := route.MarkOptedOut(r.Context(), r, number, step.hop, step.optedOut); err != nil {
			r.Fatalf("MarkOptedOut(%s, %v): %v", step.hop, step.optedOut, err)
		}
		if step.left != nil {
			want.OptedOut = step.left
			want.Version++
		}
		r.finds([]sms.PhoneNumber{number}, want)
	}
	if err := route.MarkOptedOut(r.Context(), r, Customer, Destination, true); err != nil {
		r.Errorf("MarkOptedOut of a number without a route: %v", err)
	}
	r.finds([]sms.PhoneNumber{Customer})
}

// contested is a table on which someone else is quicker for a while.
type contested struct {
	routesTest
	others *[]route.Route
}

// Put lets the next of the others write first, and waits until it is seen.
func (c contested) Put(ctx context.Context, given route.Route) (route.Route, error) {
	if others := *c.others; len(others) > 0 {
		*c.others = others[1:]
		stored, err := c.Table.Put(ctx, others[0])
		if err != nil {
			return route.Route{}, err
		}
		c.finds([]sms.PhoneNumber{given.TwilioNumber}, stored) //nolint:contextcheck // the suite looks in the context of its test.
	}
	return c.Table.Put(ctx, given)
}

func (r routesTest) marksInSpiteOfOthers() {
	first := r.put(Route())
	r.finds([]sms.PhoneNumber{TwilioNumber}, first)
	second, third := first, first
	second.MaxAge = route.Duration(time.Hour)
	third.FallbackCarriers, third.OptedOut, third.Version = []sms.PhoneNumber{numbered(60), Fallback},
		[]sms.PhoneNumber{numbered(60)}, second.Version+1
	others := []route.Route{second, third}
	if err := route.MarkOptedOut(r.Context(), contested{r, &others}, TwilioNumber, Destination, true); err != nil || len(others) > 0 {
		r.Fatalf("MarkOptedOut: %v, with %d of the others left", err, len(others))
	}
	third.OptedOut, third.Version = []sms.PhoneNumber{numbered(60), Destination}, third.Version+2
	r.finds([]sms.PhoneNumber{TwilioNumber}, third)
	// The last of the hops goes while its mark is being put: there is nothing to mark any more.
	fourth := third
	fourth.FallbackCarriers = nil
	others = []route.Route{fourth}
	if err := route.MarkOptedOut(r.Context(), contested{r, &others}, TwilioNumber, Fallback, true); err != nil {
		r.Fatalf("MarkOptedOut of a hop that goes: %v", err)
	}
	fourth.Version++
	r.finds([]sms.PhoneNumber{TwilioNumber}, fourth)
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
