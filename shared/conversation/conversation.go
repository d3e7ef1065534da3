// Package conversation is what the relay remembers about one customer at one Twilio number beyond the single text: for now,
// whether the customer has opted out. It keeps no words of customers except the keyword, and never expires. It does not know
// where it is kept (shared/aws/dynamo, shared/onehost/sqlite).
package conversation

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrConflict means that the conversation was changed since it was read.
var ErrConflict = errors.New("conversation was changed by someone else")

// Conversation is what is kept about one customer at one Twilio number. The names are the table's attribute names.
type Conversation struct {
	TwilioNumber sms.PhoneNumber
	Customer     sms.PhoneNumber
	// Version counts the writes, from 1; 0 means that it is not stored yet.
	Version int64
	// OptOut is the customer's last decision about texts from the number; zero if there was none.
	OptOut OptOut `json:",omitzero"`
}

// OptOut is a customer's own decision about texts from a Twilio number.
type OptOut struct {
	// OptedOut: no more texts. It is false after START.
	OptedOut bool
	// Word is the keyword that the customer texted, in capitals.
	Word string
	// Since is when the front door accepted the text with the keyword, UTC; MessageSid is that text.
	Since      time.Time
	MessageSid string
}

// LogValue shows who, masked.
func (c Conversation) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("twilio_number", c.TwilioNumber), slog.Any("customer", c.Customer),
		slog.Bool("opted_out", c.OptOut.OptedOut))
}

// Store keeps conversations. Errors other than ErrConflict are *fault.Error; an Unknown error means that the write may have
// happened; the next read shows it.
type Store interface {
	// Get returns the conversation as last written, or one of version 0 that has nothing but its key.
	Get(ctx context.Context, number, customer sms.PhoneNumber) (Conversation, error)
	// Put stores c as version c.Version+1 and returns it, if the stored version is c.Version (0: nothing is stored). Otherwise
	// the error is ErrConflict.
	Put(ctx context.Context, c Conversation) (Conversation, error)
}

// Item returns the sort key of a customer's item in the conversations' table, the same for each spelling of the number.
func Item(customer sms.PhoneNumber) string {
	canonical, _ := customer.Canonical()
	return "c#" + string(canonical)
}

// Hear applies a keyword that the customer texted. counts is false if it means nothing here: START from someone who has not
// opted out is an ordinary text. changed is false if there is nothing to write because the keyword was applied before: a text
// may come twice.
func (c Conversation) Hear(keyword sms.Keyword, messageSid string, at time.Time) (heard Conversation, changed, counts bool) {
	wants := keyword.Type == sms.OptOutStop
	switch {
	case keyword.Type != sms.OptOutStop && keyword.Type != sms.OptOutStart:
		return c, false, false
	case c.OptOut.MessageSid == messageSid && c.OptOut.OptedOut == wants, wants && c.OptOut.OptedOut:
		return c, false, true
	case !wants && !c.OptOut.OptedOut:
		return c, false, false
	}
	c.OptOut = OptOut{OptedOut: wants, Word: keyword.Word, Since: at.UTC(), MessageSid: messageSid}
	return c, true, true
}
