package route

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrLoop means that texts would go round in a loop, or that nobody could say whose they are: a hop or a thread of one route would be
// the number or a thread of another.
var ErrLoop = errors.New("a hop or a thread is a routed number")

// Loop is a hop of a route that is itself the number of a route, even of a removed one, or a thread; or a thread of a route that is the
// number or a thread of another.
type Loop struct{ Number, Hop sms.PhoneNumber }

// LoopsError is what Loops finds. errors.Is finds [ErrLoop] in it, and its text masks the numbers.
type LoopsError []Loop

// Error names the routes.
func (e LoopsError) Error() string {
	lines := make([]string, len(e))
	for i, loop := range e {
		lines[i] = fmt.Sprintf("route of %s: %s is itself routed in the table", loop.Number.Mask(), loop.Hop.Mask())
	}
	return fmt.Sprintf("%v: %s", ErrLoop, strings.Join(lines, "\n"))
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
	earlier, routed := ownersOf(before), ownersOf(after)
	var loops LoopsError
	for _, number := range slices.Sorted(maps.Keys(after)) {
		r := after[number]
		isOther := func(owner sms.PhoneNumber) bool { return owner != number && !after[owner].IsRemoved() }
		for _, hop := range r.Hops() {
			if len(routed[hop.Key()]) > 0 && (isPut[number] || len(earlier[hop.Key()]) == 0) {
				loops = append(loops, Loop{Number: number, Hop: hop})
			}
		}
		for _, thread := range r.Threads {
			isNew := isPut[number] || !slices.ContainsFunc(earlier[thread.Key()], isOther)
			if slices.ContainsFunc(routed[thread.Key()], isOther) && isNew && !r.IsRemoved() {
				loops = append(loops, Loop{Number: number, Hop: thread})
			}
		}
	}
	return loops
}

// ownersOf returns the routes that each number belongs to, as the route's own or as a thread. The threads of a removed route are free. A
// number is the same in each spelling, and an older table may have another spelling.
func ownersOf(routes map[sms.PhoneNumber]Route) map[sms.PhoneNumber][]sms.PhoneNumber {
	owners := map[sms.PhoneNumber][]sms.PhoneNumber{}
	for number, r := range routes {
		owners[number.Key()] = append(owners[number.Key()], number)
		for _, thread := range r.Threads {
			if !r.IsRemoved() {
				owners[thread.Key()] = append(owners[thread.Key()], number)
			}
		}
	}
	return owners
}
