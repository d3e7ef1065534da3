package simulation_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ledgerDoor is the ledger as processes see it.
type ledgerDoor struct{ *schedule }

func (d ledgerDoor) Create(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	return through(ctx, d.schedule, call{op: "ledger.Create", what: describe(r)}, func(a *actor) (ledger.Record, error) {
		stored, err := d.records.Create(ctx, r)
		d.wrote(a, stored, err)
		return stored, err
	})
}

func (d ledgerDoor) Update(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	return through(ctx, d.schedule, call{op: "ledger.Update", what: describe(r)}, func(a *actor) (ledger.Record, error) {
		stored, err := d.records.Update(ctx, r)
		d.wrote(a, stored, err)
		return stored, err
	})
}

func (d ledgerDoor) Get(ctx context.Context, messageSid string) (ledger.Record, error) {
	c := call{op: "ledger.Get", read: true, what: func() string { return nameOf(messageSid) }}
	return through(ctx, d.schedule, c, func(*actor) (ledger.Record, error) { return d.records.Get(ctx, messageSid) })
}

func (d ledgerDoor) List(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	c := call{op: "ledger.List", read: true, what: func() string { return "" }}
	return through(ctx, d.schedule, c, func(*actor) (ledger.Page, error) { return d.records.List(ctx, q) })
}

// wrote keeps what the ledger has stored.
func (s *schedule) wrote(a *actor, stored ledger.Record, err error) {
	if err != nil {
		return
	}
	c := change{record: stored, by: a, at: time.Now(), isRight: s.isRight()}
	if stored.State == ledger.Uncertain {
		c.listed = a.listed
	}
	s.changes = append(s.changes, c)
	if s.current == nil {
		s.current = map[string]ledger.Record{}
	}
	s.checkChange(s.current[stored.MessageSid], stored)
	s.current[stored.MessageSid] = stored
}

// change is one version of one record.
type change struct {
	record ledger.Record
	by     *actor
	at     time.Time
	// isRight: the relay's clock was right then, and had been for long enough that nobody acts on another time.
	isRight bool
	// listed is, of a text that became uncertain, what its sender had last seen of Twilio's list.
	listed map[string]bool
}

// describe writes a record for a trace.
func describe(r ledger.Record) func() string {
	return func() string {
		text := fmt.Sprintf("%s v%d %s", nameOf(r.MessageSid), r.Version+1, r.State)
		if r.Reason != "" {
			text += " (" + string(r.Reason) + ")"
		}
		if last, ok := r.Current(); ok {
			text += fmt.Sprintf(", attempt %d at hop %d: %s %s %s", last.Number, last.Hop, last.Outcome, nameOf(last.OutboundSid), last.Status)
			if last.Looks > 0 {
				text += fmt.Sprintf(" looks=%d", last.Looks)
			}
		}
		return strings.TrimRight(text, " ")
	}
}

// nameOf shortens a MessageSid: T1 is the first text, M1 Twilio's first message.
func nameOf(sid string) string {
	if name, ok := nameOfManual(sid); ok {
		return name
	}
	if strings.HasPrefix(sid, "NT") {
		return sid[:8]
	}
	digits := strings.TrimLeft(strings.TrimPrefix(sid, "SM"), "0")
	if rest, outbound := strings.CutPrefix(digits, "f0"); outbound {
		return "M" + strings.TrimLeft(rest, "0")
	}
	if rest, isWriting := strings.CutPrefix(digits, "a0"); isWriting {
		return "P" + strings.TrimLeft(rest, "0")
	}
	if digits == "" {
		return sid
	}
	// The second part of the first text is T1/p2.
	return "T" + digits
}

// tableDoor is the routing table as processes see it, before each one's own cache.
type tableDoor struct{ *schedule }

func (d tableDoor) Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]route.Route, error) {
	c := call{op: "routes.Lookup", read: true, what: func() string { return "" }}
	return through(ctx, d.schedule, c, func(*actor) (map[sms.PhoneNumber]route.Route, error) { return d.routes.Lookup(ctx, numbers...) })
}

func (d tableDoor) Put(ctx context.Context, r route.Route) (route.Route, error) {
	c := call{op: "routes.Put", what: func() string {
		return fmt.Sprintf("active %v, %v, %d opted out", r.Active, plainly(r.Hops()), len(r.OptedOut))
	}}
	return through(ctx, d.schedule, c, func(*actor) (route.Route, error) {
		stored, err := d.routes.Put(ctx, r)
		if err == nil {
			d.ways = append(d.ways, wayAt{stored, time.Now()})
		}
		return stored, err
	})
}

func (d tableDoor) List(ctx context.Context) ([]route.Route, error) {
	c := call{op: "routes.List", read: true, what: func() string { return "" }}
	return through(ctx, d.schedule, c, func(*actor) ([]route.Route, error) { return d.routes.List(ctx) })
}

// paceDoor is the book of the pace limits as processes see it.
type paceDoor struct{ *schedule }

// booking is a moment that was given away.
type booking struct {
	from, to sms.PhoneNumber
	// at is by the true clock.
	at     time.Time
	limits pace.Limits
}

func (d paceDoor) Reserve(ctx context.Context, r pace.Request, now time.Time) (time.Time, error) {
	if r.Limits.Off() {
		return now, nil
	}
	c := call{op: "pace.Reserve", what: func() string { return string(r.To) }}
	return through(ctx, d.schedule, c, func(*actor) (time.Time, error) {
		if d.chance.odds(d.Trouble.Crowd) {
			return time.Time{}, &fault.Error{Kind: fault.Throttled, RetryAfter: one(d.chance, 200*time.Millisecond, 20*time.Second), Err: errDown}
		}
		at, err := d.pace.Reserve(ctx, r, now)
		if err == nil && !r.TooLate(at) {
			d.bookedStale = d.bookedStale || d.wall().Sub(now) > clock.Skew
			d.bookings = append(d.bookings, booking{from: r.Number, to: r.To, at: at.Add(-d.ahead), limits: r.Limits})
		}
		return at, err
	})
}

// auditDoor is the audit log as the audit sees it.
type auditDoor struct{ *schedule }

func (d auditDoor) Append(ctx context.Context, lines []auditlog.Line) error {
	c := call{op: "audit.Append", what: func() string { return fmt.Sprintf("%d lines", len(lines)) }}
	kept := 0
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		if kept = d.chance.of(len(lines)); kept > 0 && d.chance.odds(d.Trouble.Fail) {
			// Some of the lines are kept.
			return none{}, d.audit.Append(ctx, lines[:kept])
		}
		kept = len(lines)
		return none{}, d.audit.Append(ctx, lines)
	})
	switch {
	case err != nil:
		return &auditlog.IncompleteError{Err: err}
	case kept < len(lines):
		return &auditlog.IncompleteError{Kept: kept, Err: errDown}
	}
	return nil
}
