package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// LedgerConfig says where the ledger is.
type LedgerConfig struct {
	// Table is the table's name.
	Table string
	// Retention is how long the table keeps records; a list without a number goes back no further.
	Retention time.Duration
	// Now is the clock; a list without a number begins at it.
	Now func() time.Time
}

var (
	_ ledger.Store  = (*Ledger)(nil)
	_ ledger.Lister = (*Ledger)(nil)
)

// Ledger keeps the records in a table of [LedgerSchema]. It is safe for concurrent use.
type Ledger struct {
	table     table
	retention time.Duration
	now       func() time.Time
}

// NewLedger returns the ledger in the table that c names.
func NewLedger(cfg aws.Config, c LedgerConfig) *Ledger {
	return newLedger(sdk.NewFromConfig(cfg), c)
}

func newLedger(client api, c LedgerConfig) *Ledger {
	return &Ledger{
		table:     table{client: client, name: c.Table, key: attrMessageSid},
		retention: c.Retention,
		now:       c.Now,
	}
}

// Create stores a record that the ledger does not have, with one conditional write.
func (l *Ledger) Create(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	r.Version = 1
	stored, ok, err := l.put(ctx, r, l.table.absent())
	if err == nil && !ok {
		err = ledger.ErrExists
	}
	return stored, err
}

// Update stores a record over the version that it was read with, with one conditional write.
func (l *Ledger) Update(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	expected := r.Version
	r.Version++
	stored, ok, err := l.put(ctx, r, atVersion(expected))
	switch {
	case err != nil || ok:
		return stored, err
	case stored.Version == 0:
		return stored, ledger.ErrNotFound
	default:
		return stored, ledger.ErrConflict
	}
}

// Get returns the record as last written, by a consistent read.
func (l *Ledger) Get(ctx context.Context, messageSid string) (ledger.Record, error) {
	if messageSid == "" {
		// DynamoDB does not allow empty keys and would refuse the request.
		return ledger.Record{}, ledger.ErrNotFound
	}
	stored, err := l.table.get(ctx, messageSid)
	switch {
	case err != nil:
		return ledger.Record{}, err
	case stored == nil:
		return ledger.Record{}, ledger.ErrNotFound
	default:
		return record(stored)
	}
}

// put stores r if the condition holds. If it does not, ok is false and the record is the stored one, zero if there is
// none.
func (l *Ledger) put(ctx context.Context, r ledger.Record, condition condition) (stored ledger.Record, ok bool, err error) {
	wanted, err := ledgerItem(r)
	if err != nil {
		return ledger.Record{}, false, err
	}
	existing, ok, err := l.table.put(ctx, wanted, condition)
	switch {
	case err != nil:
		return ledger.Record{}, false, err
	case ok:
		return r, true, nil
	case len(existing) == 0:
		return ledger.Record{}, false, nil
	}
	stored, err = record(existing)
	return stored, false, err
}

// ledgerItem returns a record as its item, with the attributes that the indexes need. An index does not allow an empty key, so
// a record without a customer is not in the index of customers.
func ledgerItem(r ledger.Record) (item, error) {
	encoded, err := encode(r)
	if err != nil {
		return nil, unstorable(err)
	}
	for _, name := range []string{attrCustomer, attrTwilioNumber} {
		if text(encoded, name) == "" {
			delete(encoded, name)
		}
	}
	encoded[attrReceivedKey] = attribute(receivedKey(ledger.CursorAt(r)))
	encoded[attrStateDay] = attribute(stateDay(r.State, r.ReceivedAt))
	return encoded, nil
}

// record reads an item of the ledger.
func record(stored item) (ledger.Record, error) {
	var r ledger.Record
	if err := decode(stored, &r); err != nil {
		return ledger.Record{}, unreadable(text(stored, attrMessageSid), err)
	}
	return r, nil
}

// receivedKey returns the place of a record in every index, as a string whose order is the list's.
func receivedKey(c ledger.Cursor) string {
	return ledger.SortKey(c.ReceivedAt) + " " + c.MessageSid
}

// stateDay returns the partition of IndexByStateDay that holds the texts in that state received on the day of t.
func stateDay(state ledger.State, t time.Time) string {
	return string(state) + "#" + t.UTC().Format(time.DateOnly)
}
