package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// expireBatch bounds how much one call of Expire removes, and so how long other writes wait for it.
	expireBatch = 50
	// A clock that is years ahead makes every record look old, and without its record a text that Twilio repeats is sent again.
	// So records are removed only if the clock has not jumped for expirySteady. More than one in expiryShare of them (if that is
	// more than expiryFew) are removed only if it has not jumped for expiryCertain: by then the operator has had time to look,
	// and with so wrong a clock Twilio's certificates would not be valid, so the relay could not talk to Twilio.
	expirySteady  = 24 * time.Hour
	expiryCertain = 7 * 24 * time.Hour
	expiryShare   = 20
	expiryFew     = 100
)

// ErrExpiryHeld means that records are past their time by the present clock, and stay because the clock may be wrong.
var ErrExpiryHeld = errors.New("old records are kept: the clock may be wrong")

const (
	expiredRecordsQuery = `
		SELECT message_sid, record FROM ledger WHERE expires_at > 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?`
	expiredDeduplicationQuery = `
		DELETE FROM queue_deduplication WHERE (queue, id) IN
			(SELECT queue, id FROM queue_deduplication WHERE until <= ? LIMIT ?)`
)

// Expire removes some of what is no longer needed at now, the oldest first: records past their ExpiresAt, each with a change
// marked as expired, and deduplication ids older than five minutes. It returns how many items it removed; 0 means that nothing
// was left to remove. Call it every few minutes, so that it sees the clock jump.
// The error is ErrExpiryHeld if records stay because the clock jumped, and says until when; ids are removed even so.
func (db *DB) Expire(ctx context.Context, now time.Time) (removed int, err error) {
	var records int
	var ids int64
	var held error
	if err := db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		if held, err = t.heldBack(ctx, now); err != nil {
			return err
		}
		if held == nil {
			if records, err = t.expireRecords(ctx, now); err != nil {
				return err
			}
		}
		ids, err = t.exec(ctx, expiredDeduplicationQuery, now.UnixMilli(), expireBatch)
		return err
	}); err != nil {
		return 0, err
	}
	return records + int(ids), held
}

// heldBack returns why no record is removed now, an ErrExpiryHeld, or nil.
func (t *tx) heldBack(ctx context.Context, now time.Time) (held, err error) {
	steady, err := t.steadyFor(ctx, now)
	if err != nil || steady >= expiryCertain {
		return nil, err
	}
	var due, all int
	if _, err := t.get(ctx, []any{&due}, dueRecordsQuery, now.Unix()); err != nil || due == 0 {
		return nil, err
	}
	if steady < expirySteady {
		return fmt.Errorf("%w: it jumped, or nobody saw it for a day; if it shows no other jump, they go from %s on",
			ErrExpiryHeld, now.Add(expirySteady-steady).UTC().Format(time.RFC3339)), nil
	}
	if due <= expiryFew {
		return nil, nil
	}
	if _, err := t.get(ctx, []any{&all}, "SELECT count(*) FROM ledger"); err != nil || due <= all/expiryShare {
		return nil, err
	}
	return fmt.Errorf("%w: by it, %d of %d are due at once; if it shows no jump until then, they go from %s on",
		ErrExpiryHeld, due, all, now.Add(expiryCertain-steady).UTC().Format(time.RFC3339)), nil
}

const dueRecordsQuery = `SELECT count(*) FROM ledger WHERE expires_at > 0 AND expires_at <= ?`

// expireRecords removes up to expireBatch records and returns how many it removed.
func (t *tx) expireRecords(ctx context.Context, now time.Time) (int, error) {
	type expired struct{ messageSid, item string }
	var records []expired
	err := t.each(ctx, func(rows *sql.Rows) error {
		var r expired
		err := rows.Scan(&r.messageSid, &r.item)
		records = append(records, r)
		return err
	}, expiredRecordsQuery, now.Unix(), expireBatch)
	if err != nil {
		return 0, err
	}
	for _, r := range records {
		if _, err := t.exec(ctx, "DELETE FROM ledger WHERE message_sid = ?", r.messageSid); err != nil {
			return 0, err
		}
		if err := t.change(ctx, change{table: TableLedger, key: r.messageSid, old: &r.item, expired: true}); err != nil {
			return 0, err
		}
	}
	return len(records), nil
}
