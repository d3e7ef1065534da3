// Package auditlog has the entry of the audit log, whose comments are its schema; the hash chain that connects the entries of
// one text, or of one conversation, with each other and with the stored item; the door through which those items are written;
// and the contract of the log that keeps the entries (shared/aws/cloudwatch, shared/onehost/jsonlines). It reads neither the
// tables nor the log: functions/stream-audit makes the entries from the change stream, and relay audit verify passes the lines in.
package auditlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Entry is one change of one item, as the audit log has it: one line of JSON. Numbers are masked, bodies and the names of
// customers are absent. The log holds each entry at least once; readers keep one of each ID.
type Entry struct {
	// ID is the same whenever the entry is made again: "<MessageSid>.<Version>" for a text, followed by ".removed" or ".expired"
	// if the record went, and by "@<stream sequence number>" if someone changed the record without the relay, which leaves the
	// version as it was; the same with "conversation:<ConversationID>" as the text for a conversation;
	// "route:<masked number>.<Version>@<stream sequence number>" for a route, and
	// "conversation:<masked number>.<masked customer>.<Version>@<stream sequence number>" for a conversation without a ConversationID;
	// "action:<random word>" for what an operator did to what is kept of a phone.
	ID string `json:"id"`
	// Time is when the change was made, to the millisecond.
	Time time.Time `json:"time"`
	// Subject is "message" for the ledger, "route" for the routing table, "conversation" for the conversations, "phone" for what operators
	// did to what is kept of phones and about customers, "user" for what was done to those who sign in to the console, "segment" for the log
	// itself, and "unreadable" for a change in a table from which no entry can be made: its Change is the stream's own word (INSERT, MODIFY,
	// REMOVE), and Object says where it is kept.
	Subject string `json:"subject"`
	// Change is "created", "changed", "removed" (by someone) or "expired" (by the table's own time to live).
	Change string `json:"change"`
	// Version is the item's version after the change; for a removed or expired item, before it.
	Version int64 `json:"version"`
	// MessageSid is the relay id of the text; only for messages, and for what an operator did about a customer with a text.
	MessageSid string `json:"message_sid,omitempty"`
	// ConversationID is the conversation's own ID, a random word; only for conversations, and absent if an older version of the relay
	// wrote the conversation. Two conversations may have the same masked numbers, so it says which one the entry is about.
	ConversationID string `json:"conversation_id,omitempty"`
	// From and To are the ledger states before and after; From is absent for a created record, and both are the same if only an
	// attempt's status changed.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Reason says why, if the state alone does not. Of a conversation it is "adopted" if an older version of the relay wrote it until
	// then: the log has no earlier entry with its ConversationID.
	Reason string `json:"reason,omitempty"`
	// TwilioNumber, Customer and Phone are masked. Only entries with the subject "phone" have a Phone.
	TwilioNumber string `json:"twilio_number,omitempty"`
	Customer     string `json:"customer,omitempty"`
	Phone        string `json:"phone,omitempty"`
	// Attempt is the attempt that the change is about; absent if there is none.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Before and After are the route's settings; only for routes.
	Before *Route `json:"before,omitempty"`
	After  *Route `json:"after,omitempty"`
	// Conversation is the conversation after the change, or before it if it was removed; only for conversations.
	Conversation *Conversation `json:"conversation,omitempty"`
	// Actor is who changed the route: an operator's name, "seed", or "relay" if the relay itself noticed who has opted out. For
	// a text or a phone it is the operator who decided on the change, for a conversation the one who changed the name.
	Actor string `json:"actor,omitempty"`
	// ReadBy is who was shown the body of the text. Such an entry is about nothing else.
	ReadBy string `json:"read_by,omitempty"`
	// Decision is what that operator decided: "sent", "resend", "give_up", "letter_dropped" or "forget" of a text, "remove_phone" or
	// "resume" of a phone, "give", "reply" or "redrive" about a customer, "forget" or "forgotten" of one, and "add_user", "change_user",
	// "set_password", "remove_user" or "sign_out_user" of a user; Note says why, in their words, or which role and phone the user has.
	Decision string `json:"decision,omitempty"`
	Note     string `json:"note,omitempty"`
	// User is the user's name; only for users.
	User string `json:"user,omitempty"`
	// Object is the name under which an unreadable change was set aside, in the failure bucket or folder.
	Object string `json:"object,omitempty"`
	// Prev is the hash of the entry before this one of the same text or conversation. Hash is the hash of the line itself without
	// its Hash. Both are SHA-256 in hexadecimal digits, only for messages, conversations and segments, and absent if an older version
	// of the relay wrote the record.
	Prev string `json:"prev,omitempty"`
	// Unsealed means that someone changed the record without the relay: its seal is Seal, not this entry's hash.
	Unsealed bool   `json:"unsealed,omitempty"`
	Seal     string `json:"seal,omitempty"`
	// Hash is the last field of the line.
	Hash string `json:"hash,omitempty"`
}

// Conversation is what is kept of a customer at a Twilio number, without numbers and without the customer's name.
type Conversation struct {
	// OptedOut means that the customer wants no more texts. Word is the keyword with which they last opted out or in, in capitals, and
	// MessageSid the text with that keyword; both are absent if they did neither.
	OptedOut   bool   `json:"opted_out"`
	Word       string `json:"word,omitempty"`
	MessageSid string `json:"message_sid,omitempty"`
	// Tag is how people on duty address the customer; absent if the customer has none.
	Tag string `json:"tag,omitempty"`
	// Named means that the customer has a name. What it is, the log never says.
	Named bool `json:"named,omitempty"`
	// Spell is the text with which the customer began to wait, Texts how many there are since, Stage whom the newest went out to again
	// last: "next", "all" or "owner"; Step counts that. They are absent if the route keeps no claims.
	Spell string `json:"spell,omitempty"`
	Texts int    `json:"texts,omitempty"`
	Stage string `json:"stage,omitempty"`
	Step  int    `json:"step,omitempty"`
	// Seen is how somebody last saw to the customer: "answered", "reacted", "done", "opted_out" or "blocked"; SeenBy is the masked phone,
	// or the operator. Claimer is the masked phone that has the conversation, or had it until its time was over.
	Seen    string `json:"seen,omitempty"`
	SeenBy  string `json:"seen_by,omitempty"`
	Claimer string `json:"claimer,omitempty"`
	// Blocked means that the customer's texts go to no phone.
	Blocked bool `json:"blocked,omitempty"`
	// AutoAnswered is what the relay itself last answered: a text, or the text with which the customer began to wait and ".no_one".
	AutoAnswered string `json:"auto_answered,omitempty"`
	// Closed is how many texts of the customer are held until the number opens.
	Closed int `json:"closed,omitempty"`
	// Changed lists what differs from the conversation before: "opt_out", "name", "tag", "spell", "seen", "claim", "written", "closed", and
	// "tag_used" if only the time of the tag's last use does. It is absent if the conversation was removed, or if nothing that is
	// listed here changed.
	Changed []string `json:"changed,omitempty"`
}

// Attempt is one POST to Twilio as it was after the change.
type Attempt struct {
	Number int `json:"number"`
	Hop    int `json:"hop"`
	// Destination is masked.
	Destination string `json:"destination"`
	// From is the further number of the route that the message is sent from, masked; absent if that is the text's own.
	From string `json:"from,omitempty"`
	// OutboundSid is the MessageSid of the message that Twilio created, Status its last status.
	OutboundSid string `json:"outbound_sid,omitempty"`
	Status      string `json:"status,omitempty"`
	// Outcome is "accepted" or a fault kind; absent while the attempt is open.
	Outcome   string `json:"outcome,omitempty"`
	ErrorCode int    `json:"error_code,omitempty"`
	// Looks counts how often the relay looked in Twilio's list for the message because the outcome was unknown. Found means that
	// a look found it.
	Looks int  `json:"looks,omitempty"`
	Found bool `json:"found,omitempty"`
	// HopDone means that this hop gets no further attempt: the text goes to the next hop, if there is one.
	HopDone bool `json:"hop_done,omitempty"`
}

// Route is a route with its numbers masked.
type Route struct {
	DestinationCarrier string   `json:"destination_carrier"`
	FallbackCarriers   []string `json:"fallback_carriers,omitempty"`
	Active             bool     `json:"active"`
	// Ring, OnUncertain, DeliveryTimeout, MaxAge, PaceNumber, AnswerWindow, HoldTime, AnswerTimeout and ClaimTime are the settings as the
	// route has them: absent if it has none, "unreadable" if someone wrote something that is not a setting.
	Ring            string `json:"ring,omitempty"`
	OnUncertain     string `json:"on_uncertain,omitempty"`
	DeliveryTimeout string `json:"delivery_timeout,omitempty"`
	MaxAge          string `json:"max_age,omitempty"`
	PaceNumber      string `json:"pace_number,omitempty"`
	AnswerWindow    string `json:"answer_window,omitempty"`
	HoldTime        string `json:"hold_time,omitempty"`
	AnswerTimeout   string `json:"answer_timeout,omitempty"`
	ClaimTime       string `json:"claim_time,omitempty"`
	// Threads are the further Twilio numbers toward its phones.
	Threads []string `json:"threads,omitempty"`
	// Phones are the numbers of the named phones and their further numbers, Owner is the number of the owner's phone. Names are left out.
	Phones []string `json:"phones,omitempty"`
	Owner  string   `json:"owner,omitempty"`
	// TimeZone, Schedule, Overrides, Closed and NightPhones are who is on duty when, with numbers masked and instead of names.
	TimeZone    string   `json:"time_zone,omitempty"`
	Schedule    []string `json:"schedule,omitempty"`
	Overrides   []string `json:"overrides,omitempty"`
	Closed      string   `json:"closed,omitempty"`
	NightPhones []string `json:"night_phones,omitempty"`
	// AutoAnswer says which automatic answers to customers the route has: "closed", "no_one". What they say is left out.
	AutoAnswer []string `json:"auto_answer,omitempty"`
	// OptedOut are the phones that texted STOP to the number.
	OptedOut []string `json:"opted_out,omitempty"`
	// Off are the phones that are off duty for a time, each as "***0122 until 2026-11-24T18:00:00Z".
	Off []string `json:"off,omitempty"`
	// VerifyPhones: phones that come into the route have to be verified; absent, those that commands bring in. Unverified are those that
	// have yet to be.
	VerifyPhones *bool    `json:"verify_phones,omitempty"`
	Unverified   []string `json:"unverified,omitempty"`
	// OffSince is when the route was switched off. It is absent while the route is active, and if the texts that came before are
	// dropped, too.
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
	// Number is the line's place among the lines read, from 1; 0 if that is not known.
	Number int
	// Torn means that the line is the last and its end is missing: it is being written now, or a crash or a person cut it.
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

// encode returns the entry as one line of JSON. What operators wrote is escaped, so that it cannot harm a screen.
func (e *Entry) encode() ([]byte, error) {
	text, err := json.Marshal(e)
	return inert.Bytes(text), err
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
	// Append keeps the lines, in any order of time. It returns nil only if all are kept, otherwise an *IncompleteError.
	Append(ctx context.Context, lines []Line) error
}

// IncompleteError says which lines a log has certainly kept.
type IncompleteError struct {
	// Kept is how many lines, from the first, are kept. Later lines may be kept, too.
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
