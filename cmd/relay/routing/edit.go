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

// editTries is how often an edit is tried while others write the same route.
const editTries = 4

// ErrNoRoute means that the number has no route to change.
var ErrNoRoute = errors.New("no such route")

// Edit is one change of one route.
type Edit struct {
	Number sms.PhoneNumber
	// Change returns the new route for the current one. If there is no route, r has only its number and exists is false. Change may
	// run again, on what someone else wrote meanwhile.
	Change func(r route.Route, exists bool) (route.Route, error)
	// Version is the version that must be stored, 0 if there must be no route; nil accepts any.
	Version *int64
	// Numbers says whether the operator insists on numbers that no phone can have. Numbers that the route already has are accepted.
	Numbers route.Strictness
	Author  Author
	// DropWaiting makes an inactive route also drop the texts accepted before it was switched off.
	DropWaiting bool
	// DryRun says what the change would be, and writes nothing.
	DryRun bool
}

// Edited is the result of an edit.
type Edited struct {
	// Before is the route as it was, only its number if it did not exist; After is the stored route.
	Before, After route.Route
	Differences   []Difference
	// Unreadable are the stored routes that could not be read: whether the route makes a loop with one of them, nobody knows.
	Unreadable []route.Unreadable
}

// Apply writes the change, or nothing if it changes nothing. If someone else wrote the route first, Apply makes the change again on
// what they wrote, unless they changed the same fields: then, or if Version is not the stored one, the error is *[ConflictError].
// If the route would be wrong, it is what [route.Route.Validate] says or [route.ErrLoop]; otherwise Change's or the table's error.
func (e Edit) Apply(ctx context.Context, table route.Table) (Edited, error) {
	var wanted, first Edited
	author := e.Author
	for try := 1; ; try++ {
		all, unreadable, err := route.Readable(table.List(ctx))
		if err == nil {
			err = route.ErrUnreadable(unreadable, e.Number)
		}
		if err != nil {
			return Edited{}, err
		}
		e.Author = author.By(table)
		before, exists := find(all, e.Number)
		if try == 1 {
			first.Before = before
		}
		changed := differencesBetween(first.Before, before)
		if e.Version != nil && *e.Version != before.Version || try > editTries || overlap(changed, wanted.Differences) {
			return Edited{}, &ConflictError{Stored: before, Wanted: e.Version}
		}
		wanted, err = e.edited(before, exists)
		wanted.Unreadable = unreadable
		if err != nil || len(wanted.Differences) == 0 {
			return wanted, err
		}
		if wanted.relays() {
			if err := check(all, wanted.After, e.Numbers || wanted.keepsNumbers()); err != nil {
				return Edited{}, err
			}
		}
		if e.DryRun {
			return wanted, nil
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

// relays reports whether the new route sends texts on. A change that only ends a route is always valid.
func (e Edited) relays() bool {
	return e.After.Active || slices.ContainsFunc(e.Differences, func(d Difference) bool {
		return !slices.Contains([]string{fieldActive, fieldRemoved, fieldOffSince}, d.Field)
	})
}

// keepsNumbers reports whether the route has the same phones and threads as before.
func (e Edited) keepsNumbers() route.Strictness {
	return route.Strictness(!slices.ContainsFunc(e.Differences, func(d Difference) bool {
		return slices.Contains([]string{
			fieldDestination, fieldFallbacks, fieldThreads, fieldPhones, fieldOwner, fieldSchedule, fieldOverrides,
			fieldNightPhones,
		}, d.Field)
	}))
}

// edited makes the change, without writing it.
func (e Edit) edited(before route.Route, exists bool) (Edited, error) {
	after, err := e.Change(before, exists)
	if err != nil {
		return Edited{}, err
	}
	after = after.Edited(before, e.Author.Now())
	if e.DropWaiting && !after.Active {
		after.OffSince = time.Time{}
	}
	differences := differencesBetween(before, after)
	if len(differences) == 0 && !after.OffSince.Equal(before.OffSince) {
		differences = []Difference{{Field: fieldOffSince, From: before.OffSince.UTC().Format(time.RFC3339)}}
	}
	if len(differences) == 0 {
		return Edited{Before: before, After: before}, nil
	}
	return Edited{Before: before, After: e.Author.sign(before, after), Differences: differences}, nil
}

// OfRoute returns a change of a route that there is. The error is ErrNoRoute for a number without one, and for one whose route is removed.
func OfRoute(change func(r route.Route) (route.Route, error)) func(r route.Route, exists bool) (route.Route, error) {
	return func(r route.Route, exists bool) (route.Route, error) {
		if !exists || r.IsRemoved() {
			return r, ErrNoRoute
		}
		return change(r)
	}
}

// Switch returns a change that makes a route active or inactive. Making a removed route active brings it back.
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

// Remove is a change that removes a route.
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

// Unverified returns the phones that came in with the change, and have yet to be verified.
func (e Edited) Unverified() (phones []sms.PhoneNumber) {
	for _, v := range e.After.Verifications {
		if v.VerifiedAt.IsZero() && !e.Before.IsUnverified(v.Phone) {
			phones = append(phones, v.Phone)
		}
	}
	return phones
}
