package route

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrLoop means that texts would go round in a loop, or that nobody could say whose they are: a hop or a thread of one route would be
// the number or a thread of another.
var ErrLoop = errors.New("a hop or a thread belongs to another route")

// Loop is a hop or a thread of a route that belongs to a route itself: as its number, or as one of its threads. A hop is not the number
// of a removed route either.
type Loop struct {
	// Number is the route's number. Either Hop or Thread is set.
	Number, Hop, Thread sms.PhoneNumber
	// Owner is the number of the route that the hop or the thread belongs to.
	Owner sms.PhoneNumber
}

// Problem says what is wrong. show writes a number: masked, or as it is.
func (l Loop) Problem(show func(sms.PhoneNumber) string) string {
	number, what := show(l.Number), "it has a route of its own"
	if !l.isRouted() {
		what = "it is a thread of " + show(l.Owner)
	}
	if l.Thread != "" {
		return fmt.Sprintf("%s cannot be a thread of %s: %s", show(l.Thread), number, what)
	}
	return fmt.Sprintf("%s cannot be a phone of %s: %s, and texts would go round in a loop", show(l.Hop), number, what)
}

// isRouted reports whether the hop or the thread has a route of its own. Otherwise it is a thread of one.
func (l Loop) isRouted() bool { return sms.Same(l.Owner, cmp.Or(l.Hop, l.Thread)) }

// inFile says what is wrong with it in a file, where the other route is at that place.
func (l Loop) inFile(to int) string {
	what := fmt.Sprintf("is itself routed in routes[%d]", to)
	if !l.isRouted() {
		what = fmt.Sprintf("is a thread of routes[%d]", to)
	}
	if l.Thread != "" {
		return fmt.Sprintf("thread %s %s: a number belongs to one route", l.Thread, what)
	}
	return fmt.Sprintf("hop %s %s: texts would go round in a loop", l.Hop, what)
}

// LoopsError is what Loops finds. errors.Is finds [ErrLoop] in it, and its text masks the numbers.
type LoopsError []Loop

// Error says what is wrong with each, one line each.
func (e LoopsError) Error() string { return e.Problems(sms.PhoneNumber.Mask) }

// Problems says what is wrong with each, one line each. show writes a number.
func (e LoopsError) Problems(show func(sms.PhoneNumber) string) string {
	lines := make([]string, len(e))
	for i, loop := range e {
		lines[i] = loop.Problem(show)
	}
	return strings.Join(lines, "\n")
}

// Is makes errors.Is find ErrLoop.
func (e LoopsError) Is(target error) bool { return target == ErrLoop }

// Loops finds the loops that the table would get from the routes put, without the loops it already has. It returns nil if
// there are none.
func Loops(table []Route, put ...Route) LoopsError {
	before, after, isPut := map[sms.PhoneNumber]Route{}, map[sms.PhoneNumber]Route{}, map[sms.PhoneNumber]bool{}
	for _, r := range table {
		before[r.TwilioNumber], after[r.TwilioNumber] = r, r
	}
	for _, r := range put {
		after[r.TwilioNumber], isPut[r.TwilioNumber] = r, true
	}
	earlier, routed := ownersOf(sorted(before)), ownersOf(sorted(after))
	var loops LoopsError
	for _, r := range sorted(after) {
		had := earlier.loopsOf(r)
		for _, loop := range routed.loopsOf(r) {
			hadIt := slices.ContainsFunc(had, func(other Loop) bool { return other.Hop == loop.Hop && other.Thread == loop.Thread })
			// Of two routes that have the same thread, it is said of the one that is put.
			isShared := loop.Thread != "" && !loop.isRouted()
			if isPut[r.TwilioNumber] || !hadIt && !isShared {
				loops = append(loops, loop)
			}
		}
	}
	return loops
}

func sorted(routes map[sms.PhoneNumber]Route) []Route {
	all := slices.Collect(maps.Values(routes))
	sort.Slice(all, func(i, k int) bool { return all[i].TwilioNumber < all[k].TwilioNumber })
	return all
}

// owners has the routes that each number belongs to, by the number's key: the route of that number first, then those with it as a
// thread. The threads of a removed route are free. A number is the same in each spelling, and an older table may have another spelling.
type owners map[sms.PhoneNumber][]Route

func ownersOf(routes []Route) owners {
	all := owners{}
	for _, r := range routes {
		all[r.TwilioNumber.Key()] = append(all[r.TwilioNumber.Key()], r)
	}
	for _, r := range routes {
		for _, thread := range r.threadsInUse() {
			all[thread.Key()] = append(all[thread.Key()], r)
		}
	}
	return all
}

// loopsOf finds the loops of one route. The number of a removed route may become a thread, but not a phone: the route may come back.
func (o owners) loopsOf(r Route) []Loop {
	var loops []Loop
	for _, hop := range r.everyNumber() {
		if all := o[hop.Key()]; len(all) > 0 {
			loops = append(loops, Loop{Number: r.TwilioNumber, Hop: hop, Owner: all[0].TwilioNumber})
		}
	}
	for _, thread := range r.threadsInUse() {
		all := o[thread.Key()]
		if at := slices.IndexFunc(all, func(o Route) bool { return o.TwilioNumber != r.TwilioNumber && !o.IsRemoved() }); at >= 0 {
			loops = append(loops, Loop{Number: r.TwilioNumber, Thread: thread, Owner: all[at].TwilioNumber})
		}
	}
	return loops
}
