package ledger

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

var (
	// ErrExists means that the ledger has a record of that MessageSid already.
	ErrExists = errors.New("record exists")
	// ErrConflict means that the record was changed since it was read.
	ErrConflict = errors.New("record was changed by someone else")
	// ErrNotFound means that the ledger has no record of that MessageSid.
	ErrNotFound = errors.New("no such record")
	// ErrCursor means that a cursor did not come from this ledger.
	ErrCursor = errors.New("unreadable cursor")
)

// Store keeps records, one change at a time. Errors other than those named are *fault.Error; an Unknown one means
// that the write may have happened, which the next read shows.
type Store interface {
	// Create stores a record of version 0 as version 1 and returns it. If there is one of that MessageSid already, it
	// returns that one and ErrExists.
	Create(ctx context.Context, r Record) (Record, error)
	Updater
	// Get returns the record as last written, or ErrNotFound.
	Get(ctx context.Context, messageSid string) (Record, error)
}

// Updater is the part of a Store that changes records.
type Updater interface {
	// Update stores r as version r.Version+1 and returns it, if the stored version is r.Version. If it is another,
	// it returns the stored record and ErrConflict; if there is none, ErrNotFound.
	Update(ctx context.Context, r Record) (Record, error)
}

// Lister finds records for operators. It may lag the Store by a moment.
type Lister interface {
	// List returns the records that match, newest ReceivedAt first, reading a bounded number of items. A page may
	// hold fewer than Limit and still have a Next. The error is ErrCursor if q.Cursor is not one of its own.
	List(ctx context.Context, q Query) (Page, error)
}

// The default and the bounds of how long records are kept. A record must outlive every message about its text that a queue may still
// hand out (SQS: 14 days), or the claim would be forgotten and the text sent again.
const (
	DefaultRetention = 400 * 24 * time.Hour
	MinRetention     = 15 * 24 * time.Hour
	MaxRetention     = 10 * 365 * 24 * time.Hour
)

// MaxLimit is the most records one page holds.
const MaxLimit = 100

// Query says which records to list. Zero fields do not restrict.
type Query struct {
	// Number is a customer's or a Twilio number.
	Number sms.PhoneNumber
	// State is one state.
	State State
	// Since keeps records received at it or later, Until those received before it.
	Since time.Time
	Until time.Time
	// Limit is 1 to MaxLimit.
	Limit int
	// Cursor continues where a page ended.
	Cursor Cursor
}

// Page is one page of records.
type Page struct {
	Records []Record
	// Next is the cursor of the next page, or the zero value at the end.
	Next Cursor
}

// Cursor is the place of one record in the order of a list: by ReceivedAt, then by MessageSid, both descending.
type Cursor struct {
	ReceivedAt time.Time
	MessageSid string
}

// CursorAt returns the cursor that continues after r.
func CursorAt(r Record) Cursor { return Cursor{ReceivedAt: r.ReceivedAt, MessageSid: r.MessageSid} }

// IsZero reports whether c is the start, or the end, of a list.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// String returns the cursor in a form for URLs; the zero cursor is empty.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(SortKey(c.ReceivedAt) + " " + c.MessageSid))
}

// ParseCursor reads what [Cursor.String] returned. The error is ErrCursor.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return Cursor{}, ErrCursor
	}
	at, sid, found := strings.Cut(string(text), " ")
	received, err := time.Parse(sortKeyLayout, at)
	if err != nil || !found || sid == "" {
		return Cursor{}, ErrCursor
	}
	return Cursor{ReceivedAt: received, MessageSid: sid}, nil
}

// sortKeyLayout has a fixed width, so that the order of the strings is the order of the times.
const sortKeyLayout = "2006-01-02T15:04:05.000Z"

// SortKey returns t as a string of fixed width whose order is the order of time, for index keys.
func SortKey(t time.Time) string { return t.UTC().Format(sortKeyLayout) }

// SortKeyFrom returns the least sort key of a time that is not before t.
func SortKeyFrom(t time.Time) string {
	if t.After(Stamp(t)) {
		t = t.Add(time.Millisecond)
	}
	return SortKey(t)
}

// Edit changes a record; changed is false if nothing is to be changed.
//
// It may run several times, on the record as it is by then: whenever someone else was quicker, and when the ledger did not say
// whether a write happened. So it decides from the record that it is given, and sets every result for its caller in each run.
type Edit func(r Record) (edited Record, changed bool, err error)

// maxConflicts limits how often Change begins again. Each conflict means that someone else's change went through.
const maxConflicts = 10

// Change applies edit to r and stores the result. If someone else was quicker, it applies edit to the newer record. If edit
// returns false, nothing is changed, and Change returns the record as it is. Errors are those of Store.Update and of edit.
func Change(ctx context.Context, store Updater, r Record, edit Edit) (Record, error) {
	for range maxConflicts {
		edited, changed, err := edit(r)
		if err != nil || !changed {
			return r, err
		}
		stored, err := store.Update(ctx, edited)
		if !errors.Is(err, ErrConflict) {
			return stored, err
		}
		r = stored
	}
	return r, fmt.Errorf("change record: %w %d times", ErrConflict, maxConflicts)
}
