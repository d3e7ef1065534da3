package route

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrLoop means that texts would go round in a loop: a hop of one route would be the number of another.
var ErrLoop = errors.New("a hop is a routed number")

// Loop is a hop of a route that is itself the number of one, if only of a removed one.
type Loop struct{ Number, Hop sms.PhoneNumber }

// LoopsError is what Loops finds. It is [ErrLoop], and its text masks the numbers.
type LoopsError []Loop

// Error names the routes.
func (e LoopsError) Error() string {
	lines := make([]string, len(e))
	for i, loop := range e {
		lines[i] = fmt.Sprintf("route of %s: hop %s is itself routed in the table", loop.Number.Mask(), loop.Hop.Mask())
	}
	return fmt.Sprintf("%v: %s", ErrLoop, strings.Join(lines, "\n"))
}

// Is makes errors.Is find ErrLoop.
func (e LoopsError) Is(target error) bool { return target == ErrLoop }

// Loops finds the loops that the table would have through one of the routes put. Those that it has without them are not
// theirs. It returns nil if there are none.
func Loops(table []Route, put ...Route) LoopsError {
	stored, isPut := map[sms.PhoneNumber]Route{}, map[sms.PhoneNumber]bool{}
	// Numbers are the same in each of their spellings, of which an older table may hold others.
	before, routed := map[sms.PhoneNumber]bool{}, map[sms.PhoneNumber]bool{}
	for _, r := range table {
		stored[r.TwilioNumber], before[r.TwilioNumber.Key()], routed[r.TwilioNumber.Key()] = r, true, true
	}
	after := maps.Clone(stored)
	for _, r := range put {
		after[r.TwilioNumber], isPut[r.TwilioNumber], routed[r.TwilioNumber.Key()] = r, true, true
	}
	var loops LoopsError
	for _, number := range slices.Sorted(maps.Keys(after)) {
		for _, hop := range after[number].Hops() {
			if routed[hop.Key()] && (isPut[number] || !before[hop.Key()]) {
				loops = append(loops, Loop{Number: number, Hop: hop})
			}
		}
	}
	return loops
}
