package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// wayAt is the route as it was put at that moment.
type wayAt struct {
	route.Route

	at time.Time
}

// routeLag is for how long a sender may go by a route that was changed since: what it has in mind for a moment, and for as long as
// it may pause before its message is someone else's.
const routeLag = visibility + 30*time.Second

// reroute lets an operator change the route: where texts go, or whether they do.
func (s *schedule) reroute() {
	s.reroutes++
	name := fmt.Sprintf("router-%d", s.reroutes)
	change := one(s.chance, s.turned, s.lengthened, switched(false), switched(true))
	s.spawn(&process{name: name}, name, func(ctx context.Context, _ *actor) {
		for range 3 {
			found, err := tableDoor{s}.Lookup(ctx, twilioNumber)
			if err != nil {
				return
			}
			before := found[twilioNumber]
			if _, err = (tableDoor{s}).Put(ctx, s.edited(before, change(before))); err == nil {
				return
			}
		}
	})
}

// turned puts the last hop first.
func (s *schedule) turned(r route.Route) route.Route {
	hops := r.Hops()
	last := len(hops) - 1
	return along(r, slices.Concat(hops[last:], hops[:last]))
}

// lengthened takes a phone on that was not on the route, or takes the first off.
func (s *schedule) lengthened(r route.Route) route.Route {
	hops := r.Hops()
	for n := range 4 {
		if !slices.Contains(hops, phone(n)) {
			return along(r, append(hops, phone(n)))
		}
	}
	return along(r, hops[1:])
}

func along(r route.Route, hops []sms.PhoneNumber) route.Route {
	r.DestinationCarrier, r.FallbackCarriers = hops[0], slices.Clone(hops[1:])
	r.OptedOut = slices.DeleteFunc(slices.Clone(r.OptedOut), func(hop sms.PhoneNumber) bool { return !r.IsPhone(hop) })
	return r
}

// switched is the change of a route that is switched on or off.
func switched(on bool) func(r route.Route) route.Route {
	return func(r route.Route) route.Route {
		r.Active = on
		return r
	}
}

// waysSince returns the routes that were in force at some time since from, less for how long one may be remembered.
func (s *schedule) waysSince(from time.Time) []wayAt {
	if !s.truly() {
		// What was asked while the clock was ahead looks fresh once that time has come.
		return s.ways
	}
	from = from.Add(-routeLag)
	first := 0
	for i, w := range s.ways {
		if !w.at.After(from) {
			first = i
		}
	}
	return s.ways[first:]
}

// mayGoTo reports whether an attempt that was claimed at that time may go to the phone as that hop.
func (s *schedule) mayGoTo(r ledger.Record, to sms.PhoneNumber, hop int, claimedAt time.Time) bool {
	if r.Destination != "" {
		return to == r.Destination && hop == 0
	}
	return s.mayGetTexts(to, hop, claimedAt)
}

// steadyHops returns the phones that were on the route, in each shift, and never off all the time since from, none if it was ever switched
// off.
func (s *schedule) steadyHops(r ledger.Record, from time.Time) []sms.PhoneNumber {
	ways := s.waysSince(from)
	if r.Destination != "" || slices.ContainsFunc(ways, func(w wayAt) bool { return !w.Active }) {
		return nil
	}
	steady := ways[0].Hops()
	for _, w := range ways {
		steady = slices.DeleteFunc(steady, func(hop sms.PhoneNumber) bool {
			return !slices.Contains(w.Hops(), hop) || w.isOff(hop, from.Add(-routeLag)) || w.isNew(hop)
		})
	}
	return slices.DeleteFunc(steady, func(hop sms.PhoneNumber) bool {
		isWithout := func(w watch) bool { return len(w.phones) > 0 && !slices.Contains(w.phones, hop) }
		return s.Clocks.Change > 0 && slices.ContainsFunc(s.watches, isWithout)
	})
}

// claimedAt returns when the claim of a POST was written, by the true clock.
func (s *schedule) claimedAt(p *post) time.Time {
	for _, c := range s.changes {
		if c.record.MessageSid == p.ref.RelayID && claims(c.record, p) {
			return c.at
		}
	}
	return time.Time{}
}

// plainly writes phones by their last digit, for a trace.
func plainly(hops []sms.PhoneNumber) string {
	text := ""
	for _, hop := range hops {
		text += string(hop[len(hop)-1])
	}
	return text
}
