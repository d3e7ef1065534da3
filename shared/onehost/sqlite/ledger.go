package sqlite

import (
	"context"
	"encoding/json"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

var (
	_ ledger.Store  = (*Ledger)(nil)
	_ ledger.Lister = (*Ledger)(nil)
)

// Ledger keeps the delivery records. It implements [ledger.Store] and [ledger.Lister]; a list never lags.
type Ledger struct{ db *DB }

// Ledger returns the database's ledger.
func (db *DB) Ledger() *Ledger { return &Ledger{db: db} }

// outcome is the result of a conditional write: the item after it, and the reason if it was refused. A refusal is not a
// failure of the write: it is committed like a success.
type outcome[T any] struct {
	item    T
	refusal error
}

// Create stores a new record, see [ledger.Store].
func (l *Ledger) Create(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	r.Version = 1
	item, err := encodeRecord(r)
	if err != nil {
		return ledger.Record{}, err
	}
	var created outcome[ledger.Record]
	if err := l.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		created, err = t.createRecord(ctx, r, item)
		return err
	}); err != nil {
		return ledger.Record{}, err
	}
	return created.item, created.refusal
}

func (t *tx) createRecord(ctx context.Context, r ledger.Record, item string) (outcome[ledger.Record], error) {
	inserted, err := t.insertRecord(ctx, r, item)
	if err != nil {
		return outcome[ledger.Record]{}, err
	}
	if inserted == 0 {
		existing, _, err := t.record(ctx, r.MessageSid)
		return outcome[ledger.Record]{existing, ledger.ErrExists}, err
	}
	return outcome[ledger.Record]{item: r}, t.change(ctx, change{table: TableLedger, key: r.MessageSid, new: &item})
}

// Update stores the next version of a record, see [ledger.Store].
func (l *Ledger) Update(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	read := r.Version
	r.Version++
	item, err := encodeRecord(r)
	if err != nil {
		return ledger.Record{}, err
	}
	var updated outcome[ledger.Record]
	if err := l.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		updated, err = t.updateRecord(ctx, read, r, item)
		return err
	}); err != nil {
		return ledger.Record{}, err
	}
	return updated.item, updated.refusal
}

func (t *tx) updateRecord(ctx context.Context, read int64, r ledger.Record, item string) (outcome[ledger.Record], error) {
	var version int64
	var old string
	found, err := t.get(ctx, []any{&version, &old}, "SELECT version, record FROM ledger WHERE message_sid = ?", r.MessageSid)
	if err != nil || !found {
		return outcome[ledger.Record]{refusal: ledger.ErrNotFound}, err
	}
	if version != read {
		stored, err := decodeRecord(old)
		return outcome[ledger.Record]{stored, ledger.ErrConflict}, err
	}
	if _, err := t.exec(ctx, `
		UPDATE ledger SET version = ?, state = ?, customer = ?, twilio_number = ?, received_at = ?, expires_at = ?, record = ?
		WHERE message_sid = ?`,
		r.Version, string(r.State), string(r.Customer), string(r.TwilioNumber),
		ledger.SortKey(r.ReceivedAt), r.ExpiresAt, item, r.MessageSid); err != nil {
		return outcome[ledger.Record]{}, err
	}
	return outcome[ledger.Record]{item: r}, t.change(ctx, change{table: TableLedger, key: r.MessageSid, old: &old, new: &item})
}

// Get returns a record, see [ledger.Store].
func (l *Ledger) Get(ctx context.Context, messageSid string) (ledger.Record, error) {
	r, found, err := l.db.reader.record(ctx, messageSid)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return r, err
}

// record reads one record.
func (s *statements) record(ctx context.Context, messageSid string) (r ledger.Record, found bool, err error) {
	var item string
	found, err = s.get(ctx, []any{&item}, "SELECT record FROM ledger WHERE message_sid = ?", messageSid)
	if err != nil || !found {
		return ledger.Record{}, false, err
	}
	r, err = decodeRecord(item)
	return r, err == nil, err
}

// The errors leave out their causes, which may quote the text.

func encodeRecord(r ledger.Record) (string, error) {
	item, err := json.Marshal(r)
	if err != nil {
		return "", permanent("record cannot be written as JSON")
	}
	return string(item), nil
}

func decodeRecord(item string) (r ledger.Record, err error) {
	if err := json.Unmarshal([]byte(item), &r); err != nil {
		return ledger.Record{}, permanent("unreadable record in the ledger")
	}
	return r, nil
}
