// Package routing is what operators do to the routing table: change one route, import a file, and check the routes. It prints
// nothing, and does not know where the table is kept.
package routing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Author is the person who changes routes, and the clock for the time of the change.
type Author struct {
	Name string
	Now  func() time.Time
}

// clocked is a table whose clock may differ from this host's clock.
type clocked interface{ Ahead() time.Duration }

// By returns the author with the table's clock, which is closer to the front door's than the clock of the operator's machine. The
// table must have been listed before.
func (a Author) By(table route.Table) Author {
	remote, ok := table.(clocked)
	if !ok {
		return a
	}
	ahead, now := remote.Ahead(), a.Now
	a.Now = func() time.Time { return now().Add(ahead) }
	return a
}

// sign returns after as it is stored over before. LastUpdated is always later than the one it replaces, even if a file set a time in
// the future: seeding and the audit trail use it.
func (a Author) sign(before, after route.Route) route.Route {
	at := a.Now().UTC().Truncate(time.Second)
	if !at.After(before.LastUpdated) {
		at = before.LastUpdated.UTC().Truncate(time.Second).Add(time.Second)
	}
	after.Version, after.UpdatedBy, after.LastUpdated = before.Version, a.Name, at
	var optedOut []sms.PhoneNumber
	for _, phone := range before.OptedOut {
		if after.IsPhone(phone) {
			optedOut = append(optedOut, phone)
		}
	}
	after.OptedOut, after.Off = optedOut, after.StillOff(after.Off, at)
	return after
}

// ConflictError means that someone else changed a route first. It is [route.ErrConflict].
type ConflictError struct {
	// Stored is the route as it is; only its number if it does not exist.
	Stored route.Route
	// Wanted is the version that the operator named; nil if they named none.
	Wanted *int64
}

// Error says who changed the route and when.
func (e *ConflictError) Error() string {
	text := fmt.Sprintf("route of %s was changed by someone else", string(e.Stored.TwilioNumber))
	if e.Wanted != nil {
		text = fmt.Sprintf("route of %s has version %d, not %d", string(e.Stored.TwilioNumber), e.Stored.Version, *e.Wanted)
	}
	if e.Stored.UpdatedBy != "" {
		text += ": " + e.Stored.UpdatedBy + " wrote it"
		if !e.Stored.LastUpdated.IsZero() {
			text += " at " + e.Stored.LastUpdated.UTC().Format(time.RFC3339)
		}
	}
	return text
}

// Is makes errors.Is find route.ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == route.ErrConflict }

// unversioned is a table that may have an item without a version, written by hand.
type unversioned interface {
	PutUnversioned(ctx context.Context, r route.Route) (route.Route, error)
}

// put stores r, which has the version that was read. exists says whether there was a route.
func put(ctx context.Context, table route.Table, r route.Route, exists bool) (route.Route, error) {
	if byHand, ok := table.(unversioned); ok && exists && r.Version == 0 {
		return byHand.PutUnversioned(ctx, r)
	}
	return table.Put(ctx, r)
}

// check returns what is wrong with a route before it is stored: by itself, or together with the table.
func check(table []route.Route, r route.Route, numbers route.Strictness) error {
	if err := r.ValidateAs(numbers); err != nil {
		return err
	}
	if loops := route.Loops(table, r); len(loops) > 0 {
		return loops
	}
	return nil
}

// find returns the number's route among all. An older table may have the number in another spelling; find accepts it until the route
// is removed.
func find(all []route.Route, number sms.PhoneNumber) (r route.Route, exists bool) {
	at := slices.IndexFunc(all, func(r route.Route) bool { return r.TwilioNumber == number })
	if at < 0 {
		at = slices.IndexFunc(all, func(r route.Route) bool { return sms.Same(r.TwilioNumber, number) && !r.IsRemoved() })
	}
	if at < 0 {
		return route.Route{TwilioNumber: number}, false
	}
	return all[at], true
}
