// Package auditlog is the audit trail's entry, whose comments are its schema, the hash chain that binds the entries of one
// text to each other and to the ledger's record, and the contract of the log that keeps the entries (shared/aws/cloudwatch,
// shared/onehost/jsonlines). It reads neither the ledger nor the log: functions/stream-audit makes the entries from the change
// stream, and relay audit verify hands the lines in.
package auditlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Entry is one change of one item, as it stands in the audit log: one line of JSON. Numbers are masked, texts are
// absent. The log holds each entry at least once; readers keep one of each ID.
type Entry struct {
	// ID is the same whenever the entry is made again: "<MessageSid>.<Version>" of a text, with ".removed" or ".expired"
	// where it went, and with "@<stream sequence number>" where someone changed it past the relay, without a new version;
	// "route:<masked number>.<Version>@<stream sequence number>" of a route.
	ID string `json:"id"`
	// Time is when the change was made, to the millisecond.
	Time time.Time `json:"time"`
	// Subject is "message" for the ledger, "route" for the routing table, "segment" for the log itself, and "unreadable" for a
	// change in a table from which no entry can be made: its Change is the stream's own word (INSERT, MODIFY, REMOVE), and
	// Object says where it is kept.
	Subject string `json:"subject"`
	// Change is "created", "changed", "removed" (by someone) or "expired" (by the table's own time to live).
	Change string `json:"change"`
	// Version is the item's version after the change (before it, of removed and expired ones).
	Version int64 `json:"version"`
	// MessageSid is the relay id of the text; of messages only.
	MessageSid string `json:"message_sid,omitempty"`
	// From and To are the ledger states before and after; From is absent of a created record, and both are the same
	// where only an attempt's status changed.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Reason says why, where the state alone does not.
	Reason string `json:"reason,omitempty"`
	// TwilioNumber and Customer are masked.
	TwilioNumber string `json:"twilio_number,omitempty"`
	Customer     string `json:"customer,omitempty"`
	// Attempt is the attempt that the change is about; absent if there is none.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Before and After are the route's settings, of routes only.
	Before *Route `json:"before,omitempty"`
	After  *Route `json:"after,omitempty"`
	// Actor is who changed the route: an operator's name, "seed", or "relay" where it noticed by itself who has opted out. Of a
	// text, it is the operator whose decision the change is.
	Actor string `json:"actor,omitempty"`
	// ReadBy is who was shown what the text says. The entry is about nothing else then.
	ReadBy string `json:"read_by,omitempty"`
	// Decision is what that operator decided: "sent", "resend", "give_up" or "letter_dropped"; Note says why, in their words.
	Decision string `json:"decision,omitempty"`
	Note     string `json:"note,omitempty"`
	// Object is the name under which an unreadable change was set aside, in the failure bucket or folder.
	Object string `json:"object,omitempty"`
	// Prev is the hash of the text's entry before this one, and Hash that of the line itself without its hash, SHA-256 in
	// hexadecimal digits; of messages and segments only, and absent where an older version of the relay wrote the record.
	Prev string `json:"prev,omitempty"`
	// Unsealed means that someone changed the record past the relay: its seal is not this entry's hash, but Seal.
	Unsealed bool   `json:"unsealed,omitempty"`
	Seal     string `json:"seal,omitempty"`
	// Hash is the last field of the line.
	Hash string `json:"hash,omitempty"`
}

// Attempt is one POST to Twilio as it stood after the change.
type Attempt struct {
	Number int `json:"number"`
	Hop    int `json:"hop"`
	// Destination is masked.
	Destination string `json:"destination"`
	// OutboundSid is the MessageSid of the message that Twilio made, Status what Twilio last said of it.
	OutboundSid string `json:"outbound_sid,omitempty"`
	Status      string `json:"status,omitempty"`
	// Outcome is "accepted" or a fault kind; absent while the attempt is open.
	Outcome   string `json:"outcome,omitempty"`
	ErrorCode int    `json:"error_code,omitempty"`
	// Looks counts how often Twilio's list was read for the message, whose outcome was unknown. Found: a look found it.
	Looks int  `json:"looks,omitempty"`
	Found bool `json:"found,omitempty"`
	// HopDone means that the text goes on to another hop, or would if there were one.
	HopDone bool `json:"hop_done,omitempty"`
}

// Route is a route with its numbers masked.
type Route struct {
	DestinationCarrier string   `json:"destination_carrier"`
	FallbackCarriers   []string `json:"fallback_carriers,omitempty"`
	Active             bool     `json:"active"`
	// OnUncertain, DeliveryTimeout, MaxAge and PaceNumber are the settings as the route has them, absent where it has none
	// and "unreadable" where someone wrote something else.
	OnUncertain     string `json:"on_uncertain,omitempty"`
	DeliveryTimeout string `json:"delivery_timeout,omitempty"`
	MaxAge          string `json:"max_age,omitempty"`
	PaceNumber      string `json:"pace_number,omitempty"`
	// OptedOut are the hops that texted STOP to the number.
	OptedOut []string `json:"opted_out,omitempty"`
	// OffSince is when the route was switched off, absent while it is active and where texts that came before are dropped, too.
	OffSince string `json:"off_since,omitempty"`
	// Removed is when the route was taken out of use, absent while it is in use.
	Removed string `json:"removed,omitempty"`
	Version int64  `json:"version"`
}

// Line is an entry as a log keeps it.
type Line struct {
	// Time orders the lines, to the millisecond.
	Time time.Time
	// Text is one line of JSON without the newline.
	Text []byte
	// Number is the line's place among those that are read, from 1; 0 where that is not known.
	Number int
	// Torn means that the line is the last and its end is missing: it is being written just now, or a crash or a hand cut it.
	Torn bool
}

// Line returns the entry's line.
func (e Entry) Line() (Line, error) {
	text, err := e.encode()
	if err != nil {
		return Line{}, fmt.Errorf("encode audit entry: %w", err)
	}
	return Line{Time: e.Time, Text: text}, nil
}

// encode returns the entry as one line of JSON, in which what operators wrote can do a screen no harm.
func (e Entry) encode() ([]byte, error) {
	text, err := json.Marshal(e)
	return []byte(inert.Line(string(text))), err
}

// errNoEntry means that a line is not an entry.
var errNoEntry = errors.New("not an audit entry")

// Parse reads an entry from its line.
func Parse(text []byte) (Entry, error) {
	var entry Entry
	if err := json.Unmarshal(text, &entry); err != nil || entry.ID == "" || entry.Subject == "" {
		return Entry{}, errNoEntry
	}
	return entry, nil
}

// Log keeps lines durably.
type Log interface {
	// Append keeps the lines, which may be in any order of time. It returns nil only when all are kept, else an
	// *IncompleteError.
	Append(ctx context.Context, lines []Line) error
}

// IncompleteError says which lines a log has surely kept.
type IncompleteError struct {
	// Kept is the number of lines, from the start, that are kept. Lines after those may be kept, too.
	Kept int
	// Err is why the next one was not.
	Err error
}

// Error says how far the log got and why no further.
func (e *IncompleteError) Error() string {
	return fmt.Sprintf("audit log stopped after %d lines: %v", e.Kept, e.Err)
}

// Unwrap returns the cause.
func (e *IncompleteError) Unwrap() error { return e.Err }
