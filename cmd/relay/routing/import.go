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

// The actions. Kept is a route that differs from the file, but that someone changed after the file's time; Conflict is a route that
// someone changed during the import.
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
	// Before is the route in the table, only its number if it has none. After is the route to write; if it is Kept, the route in
	// the file.
	Before, After route.Route
	Differences   []Difference
}

// writes reports whether the step writes into the table.
func (s Step) writes() bool { return slices.Contains([]Action{Added, Changed, Removed}, s.Action) }

// Result returns the route that is in the table after the step.
func (s Step) Result() route.Route {
	if s.writes() {
		return s.After
	}
	return s.Before
}

// Import writes the routes of a file into a table.
type Import struct {
	// Prune removes routes that the file does not have.
	Prune bool
	// Force also changes routes that someone changed later.
	Force  bool
	Author Author
}

// Plan returns the steps, in order of number, and writes nothing. As with [route.Seed], a route that was changed after the file's
// time is kept; a file without a time counts as older than every route. Other than with Seed, a file with exactly the same time may
// change a route, so that people can edit what [route.WriteMaintenance] wrote. The error is [route.ErrLoop] if a route would make a
// loop with one in the table; each route of the file is valid by itself.
func (i Import) Plan(table, file []route.Route) ([]Step, error) {
	var steps []Step
	var put []route.Route
	inFile := map[sms.PhoneNumber]bool{}
	for _, r := range file {
		inFile[r.TwilioNumber] = true
		step := i.step(table, r)
		if step.writes() {
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
	r.Off, r.Verifications = before.Off, r.Switched(before, i.Author.Now()).Verifications
	s := Step{Before: before, Differences: differencesBetween(before, r)}
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
		// Otherwise a file with a time in the future would be seeded over it.
		s.After.LastUpdated = r.LastUpdated
	}
	return s
}

func (i Import) remove(before route.Route) Step {
	after := i.Author.sign(before, before)
	after.Active, after.Removed = false, after.LastUpdated
	after = after.Switched(before, i.Author.Now())
	return Step{Action: Removed, Before: before, After: after, Differences: differencesBetween(before, after)}
}

// Apply makes the steps and returns them with their results: After as stored, and Conflict if someone else wrote first. If it
// returns an error, which is the table's, the steps before the named one are done, and none after it.
func Apply(ctx context.Context, table route.Table, steps []Step) ([]Step, error) {
	done := slices.Clone(steps)
	for n, step := range done {
		if !step.writes() {
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
