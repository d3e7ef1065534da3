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

// Loop is a hop of a route that is itself the number of a route, even of a removed one.
type Loop struct{ Number, Hop sms.PhoneNumber }

// LoopsError is what Loops finds. errors.Is finds [ErrLoop] in it, and its text masks the numbers.
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

// Loops finds the loops that the table would get from the routes put, without the loops it already has. It returns nil if
// there are none.
func Loops(table []Route, put ...Route) LoopsError {
	stored, isPut := map[sms.PhoneNumber]Route{}, map[sms.PhoneNumber]bool{}
	// A number is the same in each spelling, and an older table may have another spelling.
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
