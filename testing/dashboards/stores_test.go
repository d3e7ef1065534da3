package dashboards

import (
	"context"
	"errors"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// failing returns a fault that happens while what is broken.
func (s *stage) failing(what, op string) relaytest.Fault {
	return func(asked string) error {
		if asked == op && s.broken[what] {
			return &fault.Error{Kind: fault.Transient, Err: errors.New("down, as the run has it")}
		}
		return nil
	}
}

// recordedLedger is a ledger with a change stream.
type recordedLedger struct {
	*relaytest.MemoryLedger

	s *stage
}

// Create implements ledger.Store.
func (l *recordedLedger) Create(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	stored, err := l.MemoryLedger.Create(ctx, r)
	if err == nil {
		l.s.changed("MessageSid", stored.MessageSid, nil, stored)
	}
	return stored, err
}

// Update implements ledger.Store.
func (l *recordedLedger) Update(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	before, err := l.Get(ctx, r.MessageSid)
	if err != nil {
		return ledger.Record{}, err
	}
	stored, err := l.MemoryLedger.Update(ctx, r)
	if err == nil {
		l.s.changed("MessageSid", stored.MessageSid, before, stored)
	}
	return stored, err
}

// recordedRoutes is a routing table with a change stream.
type recordedRoutes struct {
	*relaytest.MemoryRoutes

	s *stage
}

// Put implements route.Table.
func (t *recordedRoutes) Put(ctx context.Context, r route.Route) (route.Route, error) {
	found, err := t.Lookup(ctx, r.TwilioNumber)
	if err != nil {
		return route.Route{}, err
	}
	var before any
	if old, ok := found[r.TwilioNumber]; ok {
		before = old
	}
	stored, err := t.MemoryRoutes.Put(ctx, r)
	if err == nil {
		t.s.changed("TwilioNumber", string(stored.TwilioNumber), before, stored)
	}
	return stored, err
}
