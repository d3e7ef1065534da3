package sqlite

import (
	"context"
	"database/sql"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// StoredLedger reads the ledger of a database that it cannot write to.
type StoredLedger struct{ reader *reader }

// Ledger returns the database's ledger.
func (r *Reader) Ledger() StoredLedger { return StoredLedger{reader: r.reader} }

// Get returns a record, or [ledger.ErrNotFound].
func (l StoredLedger) Get(ctx context.Context, messageSid string) (ledger.Record, error) {
	r, found, err := l.reader.record(ctx, messageSid)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return r, err
}

// Each calls visit for every record, in no order.
func (l StoredLedger) Each(ctx context.Context, visit func(ledger.Record)) error {
	return l.reader.each(ctx, func(rows *sql.Rows) error {
		var item string
		if err := rows.Scan(&item); err != nil {
			return err
		}
		r, err := decodeRecord(item)
		if err == nil {
			visit(r)
		}
		return err
	}, "SELECT record FROM ledger")
}

// Unread calls visit for the key of each item that has a change which the reader of the change stream has not done yet.
func (r *Reader) Unread(ctx context.Context, visit func(table, key string)) error {
	return r.reader.each(ctx, func(rows *sql.Rows) error {
		var table, key string
		err := rows.Scan(&table, &key)
		if err == nil {
			visit(table, key)
		}
		return err
	}, "SELECT DISTINCT table_name, item_key FROM changes")
}
