package relaytest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// MemoryLedger is a ledger.Store and ledger.Lister in memory that keeps the contract of both. The zero value is an
// empty ledger.
type MemoryLedger struct {
	// Fault, if set before the ledger is used, is asked about "Create", "Update", "Get" and "List".
	Fault Fault

	mu      sync.Mutex
	records map[string]ledger.Record
	changes []ledger.Record
}

// Create implements [ledger.Store].
func (l *MemoryLedger) Create(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if err := l.Fault.before(ctx, "Create"); err != nil {
		return ledger.Record{}, err
	}
	stored, err := l.create(r)
	if lost := l.Fault.after("Create"); lost != nil {
		return ledger.Record{}, lost
	}
	return stored, err
}

func (l *MemoryLedger) create(r ledger.Record) (ledger.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stored, ok := l.records[r.MessageSid]; ok {
		return ownRecord(stored), ledger.ErrExists
	}
	return l.write(r, 1), nil
}

// write stores r as version and returns it. The lock is held.
func (l *MemoryLedger) write(r ledger.Record, version int64) ledger.Record {
	if l.records == nil {
		l.records = map[string]ledger.Record{}
	}
	r = ownRecord(r)
	r.Version = version
	l.records[r.MessageSid] = r
	l.changes = append(l.changes, r)
	return ownRecord(r)
}

// ownRecord returns r with slices of its own.
func ownRecord(r ledger.Record) ledger.Record {
	r.Attempts, r.Media = slices.Clone(r.Attempts), slices.Clone(r.Media)
	r.Folded.Phones = slices.Clone(r.Folded.Phones)
	return r
}

// Update implements [ledger.Store].
func (l *MemoryLedger) Update(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if err := l.Fault.before(ctx, "Update"); err != nil {
		return ledger.Record{}, err
	}
	stored, err := l.update(r)
	if lost := l.Fault.after("Update"); lost != nil {
		return ledger.Record{}, lost
	}
	return stored, err
}

func (l *MemoryLedger) update(r ledger.Record) (ledger.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, ok := l.records[r.MessageSid]
	switch {
	case !ok:
		return ledger.Record{}, ledger.ErrNotFound
	case stored.Version != r.Version:
		return ownRecord(stored), ledger.ErrConflict
	}
	return l.write(r, r.Version+1), nil
}

// Get implements [ledger.Store].
func (l *MemoryLedger) Get(ctx context.Context, messageSid string) (ledger.Record, error) {
	if err := l.Fault.before(ctx, "Get"); err != nil {
		return ledger.Record{}, err
	}
	stored, ok := l.read(messageSid)
	if lost := l.Fault.after("Get"); lost != nil {
		return ledger.Record{}, lost
	}
	if !ok {
		return ledger.Record{}, ledger.ErrNotFound
	}
	return stored, nil
}

func (l *MemoryLedger) read(messageSid string) (ledger.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, ok := l.records[messageSid]
	return ownRecord(stored), ok
}

// List implements [ledger.Lister].
func (l *MemoryLedger) List(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	if err := l.Fault.before(ctx, "List"); err != nil {
		return ledger.Page{}, err
	}
	if q.Limit < 1 || q.Limit > ledger.MaxLimit {
		return ledger.Page{}, &fault.Error{Kind: fault.Permanent, Err: fmt.Errorf("limit %d", q.Limit)}
	}
	if !q.Cursor.IsZero() && (q.Cursor.MessageSid == "" || q.Cursor.ReceivedAt.IsZero()) {
		return ledger.Page{}, ledger.ErrCursor
	}
	page := l.list(q)
	if lost := l.Fault.after("List"); lost != nil {
		return ledger.Page{}, lost
	}
	return page, nil
}

func (l *MemoryLedger) list(q ledger.Query) ledger.Page {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []ledger.Record
	for _, r := range l.records {
		if matches(r, q) {
			found = append(found, ownRecord(r))
		}
	}
	slices.SortFunc(found, newestFirst)
	if len(found) <= q.Limit {
		return ledger.Page{Records: found}
	}
	found = found[:q.Limit]
	return ledger.Page{Records: found, Next: ledger.CursorAt(found[q.Limit-1])}
}

func matches(r ledger.Record, q ledger.Query) bool {
	switch {
	case q.Number != "" && q.Number != r.TwilioNumber && q.Number != r.Customer,
		q.State != "" && q.State != r.State,
		r.ReceivedAt.Before(q.Since),
		!q.Until.IsZero() && !r.ReceivedAt.Before(q.Until):
		return false
	}
	place := ledger.Record{ReceivedAt: q.Cursor.ReceivedAt, MessageSid: q.Cursor.MessageSid}
	return q.Cursor.IsZero() || newestFirst(place, r) < 0
}

// Changes returns every version of every record that was ever stored, in the order in which they were written: what a
// change stream would show.
func (l *MemoryLedger) Changes() []ledger.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]ledger.Record, len(l.changes))
	for i, r := range l.changes {
		all[i] = ownRecord(r)
	}
	return all
}
