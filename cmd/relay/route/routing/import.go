package routing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Action is what an import does with a route.
type Action string

// The actions. Kept is a route that the file has otherwise, and that someone changed later than the file says; Conflict
// one that someone changed while the import went on.
const (
	Added     Action = "added"
	Changed   Action = "changed"
	Removed   Action = "removed"
	Unchanged Action = "unchanged"
	Kept      Action = "kept"
	Conflict  Action = "conflict"
)

// Step is what an import does with one route.
type Step struct {
	Action Action
	// Before is the route in the table, its number alone if there is none. After is how it is to be, of Kept ones how the
	// file has it.
	Before, After route.Route
	Differences   []Difference
}

// Writes reports whether the step puts something into the table.
func (s Step) Writes() bool { return slices.Contains([]Action{Added, Changed, Removed}, s.Action) }

// Stands returns the route as it stands in the table, or will.
func (s Step) Stands() route.Route {
	if s.Writes() {
		return s.After
	}
	return s.Before
}

// Import brings the routes of a file over to a table.
type Import struct {
	// Prune takes routes out of use that the file does not have.
	Prune bool
	// Force takes the file's word for routes, too, that someone changed later.
	Force  bool
	Author Author
}

// Plan says what is to be done, in order of number, and does nothing. As with [route.Seed], a route that was changed later
// than the file says is kept; a file that says nothing of when says never. Unlike there, a file of the very same time may
// change it, so that what [route.WriteMaintenance] wrote can be edited. The error is [route.ErrLoop] if a route would make
// a loop with one in the table; the file's routes are valid each by itself.
func (i Import) Plan(table, file []route.Route) ([]Step, error) {
	var steps []Step
	var put []route.Route
	inFile := map[sms.PhoneNumber]bool{}
	for _, r := range file {
		inFile[r.TwilioNumber] = true
		step := i.step(table, r)
		if step.Writes() {
			put = append(put, step.After)
		}
		steps = append(steps, step)
	}
	if loops := route.Loops(table, put...); len(loops) > 0 {
		return nil, loops
	}
	for _, r := range table {
		if i.Prune && !inFile[r.TwilioNumber] && !r.IsRemoved() {
			steps = append(steps, i.remove(r))
		}
	}
	slices.SortFunc(steps, func(a, b Step) int { return cmp.Compare(a.Before.TwilioNumber, b.Before.TwilioNumber) })
	return steps, nil
}

// step decides about a route of the file.
func (i Import) step(table []route.Route, r route.Route) Step {
	before, exists := find(table, r.TwilioNumber)
	s := Step{Before: before, Differences: Differences(before, r)}
	switch {
	case !exists:
		s.Action = Added
	case len(s.Differences) == 0:
		s.Action, s.After = Unchanged, before
		return s
	case r.LastUpdated.Before(before.LastUpdated) && !i.Force:
		s.Action, s.After = Kept, r
		return s
	default:
		s.Action = Changed
	}
	s.After = i.Author.sign(before, r.Switched(before, i.Author.Now()))
	if r.LastUpdated.After(s.After.LastUpdated) {
		// A file of a time to come would else be seeded over it.
		s.After.LastUpdated = r.LastUpdated
	}
	return s
}

func (i Import) remove(before route.Route) Step {
	after := i.Author.sign(before, before)
	after.Active, after.Removed = false, after.LastUpdated
	after = after.Switched(before, i.Author.Now())
	return Step{Action: Removed, Before: before, After: after, Differences: Differences(before, after)}
}

// Apply does what the steps say, and returns them as it went: After as it is stored, and Conflict where someone else was
// quicker. With an error, which is the table's, those before the one that it names are done, and none after it.
func Apply(ctx context.Context, table route.Table, steps []Step) ([]Step, error) {
	done := slices.Clone(steps)
	for n, step := range done {
		if !step.Writes() {
			continue
		}
		stored, err := put(ctx, table, step.After, step.Action != Added)
		switch {
		case errors.Is(err, route.ErrConflict):
			done[n].Action = Conflict
		case err != nil:
			return done[:n], fmt.Errorf("put route of %s: %w", step.After.TwilioNumber.Mask(), err)
		default:
			done[n].After = stored
		}
	}
	return done, nil
}
