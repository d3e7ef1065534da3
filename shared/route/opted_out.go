package route

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// markTries is how often a mark is tried while others write the same route.
const markTries = 4

// MarkOptedOut writes into the route of number that the hop has opted out of its texts, or removes that mark. It changes
// nothing else, not even LastUpdated and UpdatedBy, which are for the operator's changes. It returns nil without a write if
// the mark is already right, and if the route or the hop does not exist.
// The error is ErrConflict if others wrote first each time, or if a hand-written item has no Version; otherwise it is the
// table's own. If it is Unknown, the mark may have been written.
func MarkOptedOut(ctx context.Context, table Table, number, hop sms.PhoneNumber, optedOut bool) error {
	_, err := mark(ctx, table, number, hop, func(r Route) (Route, bool) {
		return r.marked(hop, optedOut), r.IsOptedOut(hop) != optedOut
	})
	return err
}

// mark writes what edit makes of the route of number, if that is a change and hop is a phone of the route, and returns the route as it is
// then. Errors are MarkOptedOut's.
func mark(ctx context.Context, table Table, number, hop sms.PhoneNumber, edit func(Route) (Route, bool)) (Route, error) {
	for try := 1; ; try++ {
		found, err := table.Lookup(ctx, number.Spellings()...)
		if err != nil {
			return Route{}, fmt.Errorf("look up route of %s: %w", number.Mask(), err)
		}
		stored, exists := Find(found, number)
		if !exists || !stored.IsPhone(hop) {
			return stored, nil
		}
		marked, isChanged := edit(stored)
		if !isChanged {
			return stored, nil
		}
		marked, err = table.Put(ctx, marked)
		if err == nil {
			return marked, nil
		}
		if !errors.Is(err, ErrConflict) || try == markTries {
			return Route{}, fmt.Errorf("mark hop %s of %s: %w", hop.Mask(), number.Mask(), err)
		}
	}
}

// Find returns the number's route among those that were looked up, whatever the spelling: the table's keys are canonical.
func Find(routes map[sms.PhoneNumber]Route, number sms.PhoneNumber) (r Route, exists bool) {
	if r, exists = routes[number]; exists {
		return r, true
	}
	for _, spelling := range number.Spellings() {
		if r, exists = routes[spelling]; exists {
			return r, true
		}
	}
	return Route{}, false
}

// IsOptedOut reports whether the hop texted STOP to the route's number.
func (r Route) IsOptedOut(hop sms.PhoneNumber) bool {
	return slices.ContainsFunc(r.OptedOut, func(marked sms.PhoneNumber) bool { return sms.Same(marked, hop) })
}

// marked returns the route with the mark, and without the marks of phones that are no longer hops.
func (r Route) marked(hop sms.PhoneNumber, optedOut bool) Route {
	marks := slices.DeleteFunc(slices.Clone(r.OptedOut), func(marked sms.PhoneNumber) bool { return sms.Same(marked, hop) })
	if optedOut {
		marks = append(marks, hop)
	}
	r.OptedOut = r.stillPhones(marks)
	return r
}

// stillPhones returns the numbers that are phones of the route, in a new slice; nil if there are none.
func (r Route) stillPhones(numbers []sms.PhoneNumber) []sms.PhoneNumber {
	var hops []sms.PhoneNumber
	for _, number := range numbers {
		if r.IsPhone(number) && !slices.Contains(hops, number) {
			hops = append(hops, number)
		}
	}
	return hops
}
