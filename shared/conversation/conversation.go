// Package conversation is what the relay remembers beyond the single text: of one customer at one Twilio number, whether he has
// opted out, his name and his tag; and of one phone on duty, which conversations it was sent and what it wrote. From that it
// decides whom an answer of the phone is for. It keeps no words of customers except a keyword, and nothing in it expires. It does
// not know where it is kept (shared/aws/dynamo, shared/onehost/sqlite).
package conversation

import (
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Conversation is what is kept about one customer at one Twilio number: the item "c#<customer>". The names are the table's attribute
// names.
type Conversation struct {
	TwilioNumber sms.PhoneNumber
	Customer     sms.PhoneNumber
	// Version counts the writes, from 1; 0 means that it is not stored yet.
	Version int64
	// ID is how the audit log names the conversation: a random word, given with the first write and never changed. The numbers would
	// do as a name, but the log masks them, and a digest of numbers is as good as the numbers: all of them can be tried.
	ID string `json:",omitempty"`
	// UpdatedAt is when it was last written, UTC, to the millisecond.
	UpdatedAt time.Time `json:",omitzero"`
	// OptOut is the customer's last decision about texts from the number; zero if there was none.
	OptOut OptOut `json:",omitzero"`
	// Name is what people on duty read instead of, or with, the number, see [sms.FoldName]; empty without one.
	Name string `json:",omitempty"`
	// NamedBy is the operator who last gave, changed or took away the name; empty if an older version of the relay wrote it.
	NamedBy string `json:",omitempty"`
	// Tag is how people on duty address the customer, empty if there is none yet. It is the customer's only while the stored use of
	// the tag still has the version TagVersion, see [Conversation.Take]. TagUsedAt is that use's UsedAt.
	Tag        Tag       `json:",omitempty"`
	TagUsedAt  time.Time `json:",omitzero"`
	TagVersion int64     `json:",omitempty"`
	// Spell is the customer's last unanswered texts, Seen when somebody last saw to him, Claim which phone has the conversation. They are
	// kept if the route keeps claims, see route.Route.KeepsClaims.
	Spell Spell `json:",omitzero"`
	Seen  Seen  `json:",omitzero"`
	Claim Claim `json:",omitzero"`
	// Blocked says whether somebody keeps the customer's texts from all phones.
	Blocked Blocked `json:",omitzero"`
	// Written is when the customer was last written to. It is kept if the route has an AutoAnswer.
	Written Written `json:",omitzero"`
	// Closed are the customer's texts that are held because nobody is on duty.
	Closed Closed `json:",omitzero"`
	// Seal is the hash of the audit log's entry of this version. The door in package auditlog, through which all writers write, sets
	// it, ID and UpdatedAt.
	Seal string `json:",omitempty"`
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
	if wants && c.Spell.MessageSid != "" {
		c, _ = c.See(Seen{At: at, How: SeenOptedOut, MessageSid: messageSid})
	}
	return c, true, true
}
