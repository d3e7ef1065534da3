package routing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// editTries is how often an edit is put against others who write the same route.
const editTries = 4

// ErrNoRoute means that the number has no route to change.
var ErrNoRoute = errors.New("no such route")

// Edit is one change of one route.
type Edit struct {
	Number sms.PhoneNumber
	// Change makes of the route as it is what it is to be. If there is none, r has its number alone and exists is false.
	// It may be asked again, of what someone else wrote meanwhile.
	Change func(r route.Route, exists bool) (route.Route, error)
	// Version is the one that has to be stored, 0 that there is none; nil takes any.
	Version *int64
	// Numbers says whether the operator insists on numbers that no phone can have. Those that the route has already stay.
	Numbers route.Strictness
	Author  Author
	// DropWaiting has an inactive route drop what was accepted before it was switched off, too.
	DropWaiting bool
}

// Edited is what became of an edit.
type Edited struct {
	// Before is the route as it was, its number alone if there was none; After as it is stored.
	Before, After route.Route
	Differences   []Difference
}

// Apply writes the change, or nothing if it changes nothing. If someone else was quicker, it is made anew of what they
// wrote, unless they changed the same fields: then, or if Version is not the one stored, the error is *[ConflictError].
// It is what [route.Route.Validate] says or [route.ErrLoop] if the route would be wrong; otherwise Change's or the table's.
func (e Edit) Apply(ctx context.Context, table route.Table) (Edited, error) {
	var wanted, first Edited
	author := e.Author
	for try := 1; ; try++ {
		all, err := table.List(ctx)
		if err != nil {
			return Edited{}, err
		}
		e.Author = author.By(table)
		before, exists := find(all, e.Number)
		if try == 1 {
			first.Before = before
		}
		if e.Version != nil && *e.Version != before.Version || try > editTries || overlap(Differences(first.Before, before), wanted.Differences) {
			return Edited{}, &ConflictError{Stored: before, Wanted: e.Version}
		}
		if wanted, err = e.edited(before, exists); err != nil || len(wanted.Differences) == 0 {
			return wanted, err
		}
		if wanted.relays() {
			if err := check(all, wanted.After, e.Numbers || wanted.keepsPhones()); err != nil {
				return Edited{}, err
			}
		}
		stored, err := put(ctx, table, wanted.After, exists)
		if err == nil {
			wanted.After = stored
			return wanted, nil
		}
		if !errors.Is(err, route.ErrConflict) {
			return Edited{}, fmt.Errorf("put route of %s: %w", e.Number.Mask(), err)
		}
	}
}

// relays reports whether there is more to it than that a route is put out of use, which is always right.
func (e Edited) relays() bool {
	return e.After.Active || slices.ContainsFunc(e.Differences, func(d Difference) bool {
		return !slices.Contains([]string{fieldActive, fieldRemoved, fieldOffSince}, d.Field)
	})
}

// keepsPhones reports whether the route has the phones that it had.
func (e Edited) keepsPhones() route.Strictness {
	return route.Strictness(!slices.ContainsFunc(e.Differences, func(d Difference) bool {
		return d.Field == fieldDestination || d.Field == fieldFallbacks
	}))
}

// edited makes the change, without writing it.
func (e Edit) edited(before route.Route, exists bool) (Edited, error) {
	after, err := e.Change(before, exists)
	if err != nil {
		return Edited{}, err
	}
	after = after.Switched(before, e.Author.Now())
	if e.DropWaiting && !after.Active {
		after.OffSince = time.Time{}
	}
	differences := Differences(before, after)
	if len(differences) == 0 && !after.OffSince.Equal(before.OffSince) {
		differences = []Difference{{Field: fieldOffSince, From: before.OffSince.UTC().Format(time.RFC3339)}}
	}
	if len(differences) == 0 {
		return Edited{Before: before, After: before}, nil
	}
	return Edited{Before: before, After: e.Author.sign(before, after), Differences: differences}, nil
}

// Switch returns a change that makes a route active or inactive. Of a removed one, on brings it back.
func Switch(on bool) func(r route.Route, exists bool) (route.Route, error) {
	return func(r route.Route, exists bool) (route.Route, error) {
		if !exists {
			return r, ErrNoRoute
		}
		r.Active = on
		if on {
			r.Removed = time.Time{}
		}
		return r, nil
	}
}

// Remove is a change that takes a route out of use.
func (a Author) Remove(r route.Route, exists bool) (route.Route, error) {
	switch {
	case !exists:
		return r, ErrNoRoute
	case r.IsRemoved():
		r.Active = false
	default:
		r.Active, r.Removed = false, a.Now().UTC().Truncate(time.Second)
	}
	return r, nil
}

// Action says what was done.
func (e Edited) Action() Action {
	switch {
	case len(e.Differences) == 0:
		return Unchanged
	case e.Before.DestinationCarrier == "":
		return Added
	case e.After.IsRemoved() && !e.Before.IsRemoved():
		return Removed
	default:
		return Changed
	}
}
