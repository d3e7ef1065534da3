package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// expireBatch bounds how much one call of Expire removes, and so how long other writes wait for it.
const expireBatch = 500

const (
	expiredRecordsQuery = `
		SELECT message_sid, record FROM ledger WHERE expires_at > 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?`
	expiredDeduplicationQuery = `
		DELETE FROM queue_deduplication WHERE (queue, id) IN
			(SELECT queue, id FROM queue_deduplication WHERE until <= ? LIMIT ?)`
)

// Expire removes some of what may be forgotten at now, the oldest first: records past their ExpiresAt, each with a
// change marked as expired, and deduplication ids of more than five minutes ago. It returns how many items went; when
// it is 0, nothing was left to remove.
func (db *DB) Expire(ctx context.Context, now time.Time) (removed int, err error) {
	var records int
	var ids int64
	if err := db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		if records, err = t.expireRecords(ctx, now); err != nil {
			return err
		}
		ids, err = t.exec(ctx, expiredDeduplicationQuery, now.UnixMilli(), expireBatch)
		return err
	}); err != nil {
		return 0, err
	}
	return records + int(ids), nil
}

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
