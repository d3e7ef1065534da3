package route

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Seeded says what Seed did with each route.
type Seeded struct {
	// Put were written, Kept stand in the table as someone wrote them since.
	Put, Kept []sms.PhoneNumber
}

// seededBy is the UpdatedBy of seeded routes.
const seededBy = "seed"

// Seed puts routes into the table, but never over a later change of someone else's: a route that the table has already
// is replaced only if the file's LastUpdated is later than the table's. now is the LastUpdated of a route that names
// none. A phone that has opted out stays so if it is still a hop. Errors are the table's; what was put before one stays.
func Seed(ctx context.Context, table Table, routes []Route, now time.Time) (Seeded, error) {
	existing, err := table.List(ctx)
	if err != nil {
		return Seeded{}, fmt.Errorf("list routes: %w", err)
	}
	stored := make(map[sms.PhoneNumber]Route, len(existing))
	for _, r := range existing {
		stored[r.TwilioNumber] = r
	}
	var seeded Seeded
	for _, r := range routes {
		old, exists := stored[r.TwilioNumber]
		if exists && !r.LastUpdated.After(old.LastUpdated) {
			seeded.Kept = append(seeded.Kept, r.TwilioNumber)
			continue
		}
		r.Version, r.UpdatedBy = old.Version, seededBy
		r.OptedOut = r.stillHops(old.OptedOut)
		if r.LastUpdated.IsZero() {
			r.LastUpdated = now.UTC().Truncate(time.Second)
		}
		switch _, err := table.Put(ctx, r); {
		case errors.Is(err, ErrConflict):
			seeded.Kept = append(seeded.Kept, r.TwilioNumber)
		case err != nil:
			return seeded, fmt.Errorf("put route of %s: %w", r.TwilioNumber.Mask(), err)
		default:
			seeded.Put = append(seeded.Put, r.TwilioNumber)
		}
	}
	return seeded, nil
}
