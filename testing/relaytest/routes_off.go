package relaytest

import (
	"errors"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// offUntil is until when a phone of settledRoute is off.
func offUntil() time.Time { return time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC) }

func (r routesTest) marksOff() {
	given := settledRoute()
	given.OptedOut, given.Schedule, given.Overrides = nil, nil, nil
	want := r.put(given)
	number, now, until := want.TwilioNumber, offUntil().Add(-time.Hour), offUntil()
	later, latest := until.Add(2*time.Hour), until.Add(9*time.Hour)
	off := func(n int, until time.Time) route.Off { return route.Off{Phone: numbered(n), Until: until} }
	for _, step := range []struct {
		name  string
		phone sms.PhoneNumber
		until time.Time
		now   time.Time
		left  []route.Off // nil: nothing is written
	}{
		{"next to another one", numbered(76), until.Add(time.Hour), now, []route.Off{off(72, until), off(76, until.Add(time.Hour))}},
		{"so already", numbered(72), until, now, nil},
		{"by a further number", numbered(77), later, now, []route.Off{off(72, until), off(76, later)}},
		{"for less long", numbered(72), until.Add(-time.Minute), now, []route.Off{off(76, later), off(72, until.Add(-time.Minute))}},
		{"what is over goes", numbered(71), latest, until, []route.Off{off(76, later), off(71, latest)}},
		{"a stranger", numbered(99), until.Add(time.Hour), now, nil},
		{"on again", numbered(71), time.Time{}, until, []route.Off{off(76, later)}},
		{"who was not off", numbered(71), time.Time{}, until, nil},
		{"the last one", numbered(76), time.Time{}, until, []route.Off{}},
	} {
		_, alone, err := route.MarkOff(r.Context(), r, number, step.phone, step.now, step.until, step.now)
		if err != nil || !alone.IsZero() {
			r.Fatalf("%s: MarkOff: alone at %s, error %v", step.name, alone, err)
		}
		if step.left != nil {
			want.Off, want.Version = step.left, want.Version+1
		}
		r.finds([]sms.PhoneNumber{number}, want)
	}
	if _, _, err := route.MarkOff(r.Context(), r, Customer, Destination, now, until, now); err != nil {
		r.Errorf("MarkOff of a number without a route: %v", err)
	}
	r.finds([]sms.PhoneNumber{Customer})
}

// triesCodes: of codes that are tried at once each counts, and the right one is written.
func (r routesTest) triesCodes() {
	given := Route()
	given.VerifyPhones = new(true)
	given, ok := given.Switched(route.Route{}, offUntil()).PutCode(Destination, "042317", "SALT", offUntil())
	if !ok {
		r.Fatal("the phone need not be verified")
	}
	way := r.put(given)
	r.finds([]sms.PhoneNumber{TwilioNumber}, way)
	try := func(phone sms.PhoneNumber, code string, n int) route.Verdict {
		for {
			verdict, err := route.Verify(r.Context(), r, TwilioNumber, phone, code, MessageSid(n), offUntil(), offUntil())
			if errors.Is(err, route.ErrConflict) {
				continue
			}
			if err != nil {
				r.Errorf("Verify: %v", err)
			}
			return verdict
		}
	}
	var wg sync.WaitGroup
	for n := range 3 {
		wg.Go(func() { try(Destination, "999999", n+1) })
	}
	wg.Wait()
	eventually(r.T, func() string {
		got, err := r.Lookup(r.Context(), TwilioNumber)
		if err != nil || got[TwilioNumber].Verifications[0].Tries != 3 {
			return "not each wrong code has counted"
		}
		return ""
	})
	if got := try(Destination, "042317", 4); got != route.CodeRight {
		r.Errorf("the right code is %s", got)
	}
	if got := try(Fallback, "042317", 5); got != route.CodeOver {
		r.Errorf("the code of another phone is %s", got)
	}
	eventually(r.T, func() string {
		got, err := r.Lookup(r.Context(), TwilioNumber)
		if way := got[TwilioNumber]; err != nil || way.IsUnverified(Destination) || !way.IsUnverified(Fallback) {
			return "not the one phone is verified"
		}
		return ""
	})
}

// lastStays: each of the phones sees the others on duty at first, and one write of a version wins.
func (r routesTest) lastStays() {
	given := Route()
	given.FallbackCarriers = []sms.PhoneNumber{Fallback, numbered(40)}
	way := r.put(given)
	r.finds([]sms.PhoneNumber{TwilioNumber}, way)
	now := offUntil().Add(-time.Hour)
	refused := make([]bool, len(way.Hops()))
	errs := make([]error, len(way.Hops()))
	var wg sync.WaitGroup
	for i, phone := range way.Hops() {
		wg.Go(func() {
			for errs[i] = route.ErrConflict; errors.Is(errs[i], route.ErrConflict); {
				var alone time.Time
				_, alone, errs[i] = route.MarkOff(r.Context(), r, TwilioNumber, phone, now, offUntil(), now)
				refused[i] = !alone.IsZero()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		r.Fatalf("MarkOff: %v", err)
	}
	count := 0
	for _, is := range refused {
		if is {
			count++
		}
	}
	if count != 1 {
		r.Errorf("%d of %d phones were refused, want the last one: %v", count, len(refused), refused)
	}
	eventually(r.T, func() string {
		got, err := r.Lookup(r.Context(), TwilioNumber)
		if err != nil {
			r.Fatalf("Lookup: %v", err)
		}
		if off := len(got[TwilioNumber].Off); off != len(refused)-1 {
			return "not all others are off"
		}
		return ""
	})
}

func (r routesTest) manyMarks() {
	given := Route()
	for i := range 6 {
		given.FallbackCarriers = append(given.FallbackCarriers, numbered(40+i))
	}
	want := r.put(given)
	r.finds([]sms.PhoneNumber{TwilioNumber}, want)
	errs := make([]error, len(want.Hops()))
	var wg sync.WaitGroup
	for i, hop := range want.Hops() {
		wg.Go(func() {
			// Against so many, and a lookup that lags, one call may not be enough.
			for errs[i] = route.ErrConflict; errors.Is(errs[i], route.ErrConflict); {
				errs[i] = route.MarkOptedOut(r.Context(), r, TwilioNumber, hop, true)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		r.Fatalf("MarkOptedOut: %v", err)
	}
	want.OptedOut, want.Version = want.Hops(), want.Version+int64(len(errs))
	eventually(r.T, func() string {
		got, err := r.Lookup(r.Context(), TwilioNumber)
		if err != nil {
			r.Fatalf("Lookup: %v", err)
		}
		inAnyOrder := cmpopts.SortSlices(func(a, b sms.PhoneNumber) bool { return a < b })
		return cmp.Diff(map[sms.PhoneNumber]route.Route{TwilioNumber: want}, got, inAnyOrder)
	})
}
