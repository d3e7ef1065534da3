package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Seeded says what Seed did with each route.
type Seeded struct {
	// Put were written. Kept were left as they are in the table, because someone changed them later.
	Put, Kept []sms.PhoneNumber
}

// seededBy is the UpdatedBy of seeded routes.
const seededBy = "seed"

// Seed writes routes into the table, but never over a later change: it replaces a route in the table only if the file's
// LastUpdated is later than the table's. now is the LastUpdated of a route without one. A phone that has opted out or is off
// stays so if it is still a phone. A route that the table has and that cannot be read stays as it is; the others of the file are
// written, and the error is an *UnreadableError if the file has it. The error is ErrLoop, and nothing is written, if the new routes
// would make a loop with those that stay in the table. Other errors are the table's; routes written before the error stay written.
func Seed(ctx context.Context, table Table, routes []Route, now time.Time) (Seeded, error) {
	existing, unreadable, err := Readable(table.List(ctx))
	if err != nil {
		return Seeded{}, fmt.Errorf("list routes: %w", err)
	}
	stored := make(map[sms.PhoneNumber]Route, len(existing))
	for _, r := range existing {
		stored[r.TwilioNumber] = r
	}
	routes, unreadable = apart(routes, unreadable)
	later, seeded := later(stored, routes, now)
	if loops := Loops(existing, later...); len(loops) > 0 {
		return Seeded{}, loops
	}
	for _, r := range later {
		switch _, err := table.Put(ctx, r); {
		case errors.Is(err, ErrConflict):
			seeded.Kept = append(seeded.Kept, r.TwilioNumber)
		case err != nil:
			return seeded, fmt.Errorf("put route of %s: %w", r.TwilioNumber.Mask(), err)
		default:
			seeded.Put = append(seeded.Put, r.TwilioNumber)
		}
	}
	return seeded, ErrorOf(unreadable)
}

// apart returns the routes of a file without those whose stored ones cannot be read, and these.
func apart(file []Route, unreadable []Unreadable) (rest []Route, hidden []Unreadable) {
	for _, r := range file {
		i := slices.IndexFunc(unreadable, func(u Unreadable) bool { return sms.Same(u.TwilioNumber, r.TwilioNumber) })
		if i < 0 {
			rest = append(rest, r)
		} else {
			hidden = append(hidden, unreadable[i])
		}
	}
	return rest, hidden
}

// later returns the routes that are later than the stored ones, ready to be written, and the numbers of the others in Kept.
func later(stored map[sms.PhoneNumber]Route, routes []Route, now time.Time) (later []Route, seeded Seeded) {
	for _, r := range routes {
		old, exists := stored[r.TwilioNumber]
		if exists && !r.LastUpdated.After(old.LastUpdated) {
			seeded.Kept = append(seeded.Kept, r.TwilioNumber)
			continue
		}
		r.Version, r.UpdatedBy = old.Version, seededBy
		r.OptedOut, r.Off = r.stillPhones(old.OptedOut), r.StillOff(old.Off, now)
		r = r.Switched(old, now)
		if r.LastUpdated.IsZero() {
			r.LastUpdated = now.UTC().Truncate(time.Second)
		}
		later = append(later, r)
	}
	return later, seeded
}
