package sqlite

import (
	"context"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// insertRecordQuery adds a record unless there is one of its MessageSid.
const insertRecordQuery = `
	INSERT INTO ledger (message_sid, version, state, customer, twilio_number, received_at, expires_at, record)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_sid) DO NOTHING`

// insertRecord reports how many records, 0 or 1, it added.
func (t *tx) insertRecord(ctx context.Context, r ledger.Record, item string) (int64, error) {
	return t.exec(ctx, insertRecordQuery, r.MessageSid, r.Version, string(r.State), string(r.Customer), string(r.TwilioNumber),
		ledger.SortKey(r.ReceivedAt), r.ExpiresAt, item)
}

// Import adds records as they are, with the Version that each has, all in one transaction, and returns how many it added: a
// record whose MessageSid the ledger already has is left out. These records do not appear in the change stream, so they get no
// audit entries: nothing happened to the texts now. Other writes wait while it runs.
func (l *Ledger) Import(ctx context.Context, records []ledger.Record) (added int, err error) {
	items := make([]string, len(records))
	for i, r := range records {
		if r.MessageSid == "" || r.Version < 1 {
			return 0, permanent(fmt.Sprintf("record %d of an import was never stored: it has no MessageSid, or no Version", i))
		}
		if items[i], err = encodeRecord(r); err != nil {
			return 0, err
		}
	}
	var inserted int64
	if err := l.db.write(ctx, func(ctx context.Context, t *tx) error {
		inserted = 0
		for i, r := range records {
			one, err := t.insertRecord(ctx, r, items[i])
			if err != nil {
				return err
			}
			inserted += one
		}
		return nil
	}); err != nil {
		return 0, err
	}
	return int(inserted), nil
}

// Empty reports whether the ledger has no record.
func (l *Ledger) Empty(ctx context.Context) (bool, error) {
	var one int
	found, err := l.db.reader.get(ctx, []any{&one}, "SELECT 1 FROM ledger LIMIT 1")
	return !found && err == nil, err
}
