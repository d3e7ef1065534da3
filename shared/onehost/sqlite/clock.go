package sqlite

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
)

const (
	// maxUnseen is for how long nobody need have looked at the clock: a relay that was stopped for longer cannot tell that from
	// a clock that jumped ahead.
	maxUnseen = 24 * time.Hour
	// clockSchema. The one row says when the clock was last looked at, and since when it has not jumped, both in milliseconds
	// since 1970.
	clockSchema = `
CREATE TABLE clock (
	id           INTEGER PRIMARY KEY CHECK (id = 1),
	seen         INTEGER NOT NULL,
	steady_since INTEGER NOT NULL
) STRICT;
`
)

// steadyFor notes that the clock shows now, and returns for how long it has gone on without a jump: back by more than clocks
// differ, or ahead by more than maxUnseen. It is to be called every few minutes.
func (t *tx) steadyFor(ctx context.Context, now time.Time) (time.Duration, error) {
	var seen, since int64
	found, err := t.get(ctx, []any{&seen, &since}, "SELECT seen, steady_since FROM clock")
	if err != nil {
		return 0, err
	}
	last := time.UnixMilli(seen)
	if !found || clock.Ahead(last, now) || now.Sub(last) > maxUnseen {
		since = now.UnixMilli()
	}
	_, err = t.exec(ctx, `
		INSERT INTO clock (id, seen, steady_since) VALUES (1, ?1, ?2)
		ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, steady_since = excluded.steady_since`, now.UnixMilli(), since)
	return now.Sub(time.UnixMilli(since)), err
}

// Whatever is hidden or remembered until a time after ?1 ends ?2 milliseconds earlier. No value falls below 1, because 0 means
// "never hidden".
const (
	hideLessQuery     = `UPDATE queue_messages SET visible_at = max(1, visible_at - ?2) WHERE visible_at > ?1`
	lockLessQuery     = `UPDATE queue_lanes SET locked_until = max(1, locked_until - ?2) WHERE locked_until > ?1`
	rememberLessQuery = `UPDATE queue_deduplication SET until = max(1, until - ?2) WHERE until > ?1`
)

// follow notices a clock that was set back since the last write, and moves every time on the queues back by the same amount:
// otherwise messages would stay hidden that much longer.
func (t *tx) follow(ctx context.Context, now time.Time) error {
	ahead := t.db.wrote.Sub(now)
	set := !t.db.wrote.IsZero() && clock.Ahead(t.db.wrote, now)
	t.db.wrote = now
	if !set {
		return nil
	}
	for _, query := range []string{hideLessQuery, lockLessQuery, rememberLessQuery} {
		if _, err := t.exec(ctx, query, now.UnixMilli(), ahead.Milliseconds()); err != nil {
			return err
		}
	}
	t.rings = append(t.rings, t.db.ringAll)
	return nil
}

// Seen returns when a relay last looked at its clock with the file, which it does each minute; zero if none ever did.
func (db *DB) Seen(ctx context.Context) (time.Time, error) {
	var seen int64
	found, err := db.reader.get(ctx, []any{&seen}, "SELECT seen FROM clock")
	if err != nil || !found {
		return time.Time{}, err
	}
	return time.UnixMilli(seen).UTC(), nil
}
