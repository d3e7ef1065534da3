package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var _ pace.Book = (*Pace)(nil)

// Pace keeps what was booked for each Twilio number. It implements [pace.Book]. There is only one process, so no booking is
// lost to another.
type Pace struct{ db *DB }

// Pace returns the database's book.
func (db *DB) Pace() *Pace { return &Pace{db: db} }

// Reserve books the next free moment, see [pace.Book].
func (p *Pace) Reserve(ctx context.Context, r pace.Request, now time.Time) (time.Time, error) {
	if r.Limits.Off() {
		return now, nil
	}
	var at time.Time
	if err := p.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		at, err = t.reserve(ctx, r, now)
		return err
	}); err != nil {
		return time.Time{}, err
	}
	return at, nil
}

func (t *tx) reserve(ctx context.Context, r pace.Request, now time.Time) (time.Time, error) {
	state, err := t.paceState(ctx, r.Number)
	if err != nil {
		return time.Time{}, err
	}
	state, at := state.Book(r, now)
	if r.TooLate(at) {
		return at, nil
	}
	item, err := json.Marshal(state)
	if err != nil {
		return time.Time{}, permanent("pace cannot be written as JSON")
	}
	_, err = t.exec(ctx, `
		INSERT INTO pace (twilio_number, state) VALUES (?, ?)
		ON CONFLICT (twilio_number) DO UPDATE SET state = excluded.state`, string(r.Number), string(item))
	return at, err
}

// paceState reads what was booked for a number. The error leaves out its cause, which may quote a phone number.
func (s *statements) paceState(ctx context.Context, number sms.PhoneNumber) (state pace.State, err error) {
	var item string
	found, err := s.get(ctx, []any{&item}, "SELECT state FROM pace WHERE twilio_number = ?", string(number))
	if err != nil || !found {
		return pace.State{}, err
	}
	if err := json.Unmarshal([]byte(item), &state); err != nil {
		return pace.State{}, permanent("unreadable state in the pace table")
	}
	return state, nil
}
