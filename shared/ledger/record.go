// Package ledger is the delivery record of each text, its state machine, and the contract of the table that keeps the
// records. Every change is a conditional write of the whole record, so that only one of two senders with the same text
// goes on, and the change stream shows each change exactly once. It does not know where the table is kept
// (shared/aws/dynamo, shared/onehost/sqlite), and it makes no decision about failures (shared/retry).
package ledger

import (
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Record is the ledger's item for one text. The names are the table's attribute names. Methods return a changed copy
// and leave the receiver as it was; times are UTC, to the millisecond.
type Record struct {
	// MessageSid is the relay id and the table's key: the inbound MessageSid, or "RL…" of a manual text.
	MessageSid string
	// Version counts the writes of this record, from 1; 0 is a record not yet stored.
	Version int64
	// State is where the text is. Reason says why, if the state alone does not.
	State  State
	Reason Reason `json:",omitempty"`
	// Manual marks a text that an operator sent.
	Manual bool `json:",omitempty"`
	// SeenSid is the customer's newest text that the operator had seen who sent a manual one; empty if that is not known.
	SeenSid string `json:",omitempty"`
	// TwilioNumber is the number that Customer texted. Customer is empty on a manual text shown as from nobody. One of them is empty
	// if Twilio gave no sender or no number for an incoming text, see [Record.Addressed].
	TwilioNumber sms.PhoneNumber `json:",omitempty"`
	Customer     sms.PhoneNumber `json:",omitempty"`
	// Thread is the further number of the route that a phone's text came in at, or that a notice or a second part goes out from; empty if
	// that is TwilioNumber. A customer never sees it.
	Thread sms.PhoneNumber `json:",omitempty"`
	// Destination overrides the route. It is set on a text that an operator sent to one phone, on an answer that goes to a customer,
	// and on a notice.
	Destination sms.PhoneNumber `json:",omitempty"`
	// Answer is set on a text of a phone on duty. Once it is known whom the text is for, that is its Customer and its Destination;
	// until then Customer is the phone.
	Answer Answer `json:",omitzero"`
	// Notice marks a text of the relay itself to a phone on duty, or to a customer, see IsAutoAnswer: its Customer and its Destination.
	Notice bool `json:",omitempty"`
	// ParentSid is set on a customer's text to one phone, its Destination, that is sent for another record: for the text that goes to several
	// phones at the same time, or because nobody has answered, for the text with which the customer began to wait. The MessageSid is made
	// from it, see StageSid.
	ParentSid string `json:",omitempty"`
	// Ring is set on a customer's text that goes to several phones at the same time.
	Ring Ring `json:",omitzero"`
	// Body and Media are what the customer sent. They never go to logs or to the audit log.
	Body  string      `json:",omitempty"`
	Media []sms.Media `json:",omitempty"`
	// Keyword is the keyword that the customer's text is, in capitals, which Twilio has answered; see sms.KeywordOf. If it is an
	// opt-out word, the phone gets a notice instead of the words.
	Keyword string `json:",omitempty"`
	// SecondPart marks what did not fit into the message of a customer's text: a text of its own, whose MessageSid is that text's and
	// "/p2". It goes to the phone that got the first part, its Destination.
	SecondPart bool `json:",omitempty"`
	// ReceivedAt is when the front door accepted the text, UpdatedAt when this record was last changed.
	ReceivedAt time.Time
	UpdatedAt  time.Time
	// Attempts are the POSTs made or begun for this text, oldest first. If there are very many, they are the latest ones and those
	// that may still change; Folded is the summary of the others.
	Attempts []Attempt `json:",omitempty"`
	Folded   Folded    `json:",omitzero"`
	// LeaseUntil is set while State is Sending and the attempt is open: until then we assume that the claim's holder is at work.
	LeaseUntil time.Time `json:",omitzero"`
	// NotBefore is set while State is Queued: the next attempt is not made before it. It is also set while State is
	// Sending and the outcome is unknown: Twilio is not asked again before it.
	NotBefore time.Time `json:",omitzero"`
	// Slot is set while State is Queued and the text waits for the send time that the pace limits reserved for it.
	Slot Slot `json:",omitzero"`
	// RedrivenAfter is the number of the last attempt before an operator had the text sent again, RedrivenAt is when that was. Both
	// are zero if no operator did.
	RedrivenAfter int       `json:"Redriven,omitempty"`
	RedrivenAt    time.Time `json:",omitzero"`
	// OpenedAt is when the number last opened for the text, which was held until then because nobody was on duty; zero if it was not held.
	OpenedAt time.Time `json:",omitzero"`
	// Decision is an operator's last decision about the text; zero if there was none.
	Decision Decision `json:",omitzero"`
	// Reading is the last time that somebody was shown what the text says; zero if nobody was.
	Reading Reading `json:",omitzero"`
	// Seal is the hash of the audit log's entry of this version, see package auditlog. The writer of the record computes it.
	Seal string `json:",omitempty"`
	// ExpiresAt is when the table may forget the record, in seconds since 1970 (DynamoDB's TTL attribute).
	ExpiresAt int64 `json:",omitempty"`
}

// Reading records that somebody was shown what a text says. Number counts the readings from 1, so that each one changes the record,
// and the audit log has an entry of it.
type Reading struct {
	By     string
	At     time.Time
	Number int
}

// Read returns r with the note that by is shown what it says. The note is written before the text is shown.
func (r Record) Read(by string, now time.Time) Record {
	r = r.copy(now)
	r.Reading = Reading{By: by, At: Stamp(now), Number: r.Reading.Number + 1}
	return r
}

// Slot is a send time that was reserved under the pace limits, for an attempt at one phone. From is as in [Attempt].
type Slot struct {
	At   time.Time
	From sms.PhoneNumber `json:",omitempty"`
	To   sms.PhoneNumber
}

// LogValue shows which text it is and its state, never what it says.
func (r Record) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message_sid", r.MessageSid), slog.String("state", string(r.State)), slog.Int64("version", r.Version))
}

// Attempt is one POST to Twilio.
type Attempt struct {
	// Number counts from 1 over all hops, Hop from 0.
	Number int
	Hop    int
	// To is the phone of that hop. From is the number that the message is sent from, empty if that is the text's TwilioNumber.
	To   sms.PhoneNumber
	From sms.PhoneNumber `json:",omitempty"`
	// Header is what the message begins with, before the customer's words. It is empty in a text that is shown as from its customer's
	// number, or from nobody.
	Header string `json:",omitempty"`
	// Media says with a letter for each of the text's attachments what the message had of it: "k" if it went along, "l" if the words
	// mentioned it as left, "o" if nothing was decided. It is empty without attachments, and in attempts of older versions of the relay.
	Media string `json:",omitempty"`
	// ClaimID is the claim's own random mark. A sender whose write of the claim seemed to fail finds out by it that
	// the claim is its own after all.
	ClaimID string `json:",omitempty"`
	// StartedAt is when the claim for it was written, just before the POST. EndedAt is zero while nothing is known.
	StartedAt time.Time
	EndedAt   time.Time `json:",omitzero"`
	// Outcome is empty while the attempt is open, then "accepted" or the name of a fault.Kind. What was "unknown" may
	// still become "accepted".
	Outcome string `json:",omitempty"`
	// Looks counts how often Twilio's list was searched for the attempt, since its outcome is unknown.
	Looks int `json:",omitempty"`
	// Found means that such a look found OutboundSid, among messages with the same words. A receipt overrides it.
	Found bool `json:",omitempty"`
	// Spared means that the attempt does not count towards the maximum, although Twilio accepted its message: a receipt said that a
	// quota was used up, or the account suspended.
	Spared bool `json:",omitempty"`
	// HopDone means that no further attempt is made at this phone: it was refused, the message was not delivered, or no
	// receipt came in time.
	HopDone bool `json:",omitempty"`
	// OutboundSid is the MessageSid that Twilio gave the message, Status the last status that it reported.
	OutboundSid string     `json:",omitempty"`
	Status      sms.Status `json:",omitempty"`
	// ErrorCode is Twilio's code in the refusal or the receipt; HTTPStatus is that of the refusal.
	ErrorCode  int `json:",omitempty"`
	HTTPStatus int `json:",omitempty"`
	// Error says in words what went wrong, without numbers or bodies.
	Error string `json:",omitempty"`
}

// OutcomeAccepted is the Outcome of an attempt whose message Twilio accepted.
const OutcomeAccepted = "accepted"

// Accepted reports whether we know that Twilio accepted the attempt's message.
func (a Attempt) Accepted() bool { return a.Outcome == OutcomeAccepted }

// Unknown reports whether nobody knows whether Twilio accepted the attempt's message.
func (a Attempt) Unknown() bool { return a.Outcome == fault.Unknown.String() }

// Refused reports whether Twilio answered the attempt's POST with a refusal that may be wrong: it said that it could not
// accept the message now, and it may have accepted it even so.
func (a Attempt) Refused() bool {
	trouble := []string{fault.Transient.String(), fault.Throttled.String(), fault.Quota.String(), fault.NotSent.String()}
	return a.HTTPStatus != 0 && slices.Contains(trouble, a.Outcome)
}

// spent reports whether the attempt counts towards the maximum. It does not count if it never reached Twilio, or if Twilio found the
// account unusable, too busy or its quota used up: such a text waits until it is too old.
func (a Attempt) spent() bool { return !a.Spared && !slices.Contains(sparing(), a.Outcome) }

// sparing are the outcomes that spend no attempt.
func sparing() []string {
	return []string{fault.Fatal.String(), fault.NotSent.String(), fault.Throttled.String(), fault.Quota.String()}
}

// traceless reports whether the attempt left nothing at Twilio, so that no receipt of it can come: it found the account unusable, or
// was not sent and not answered.
func (a Attempt) traceless() bool {
	return a.Outcome == fault.Fatal.String() || a.Outcome == fault.NotSent.String() && a.HTTPStatus == 0
}

// Current returns the last attempt; ok is false if there is none.
func (r Record) Current() (attempt Attempt, ok bool) {
	if len(r.Attempts) == 0 {
		return Attempt{}, false
	}
	return r.Attempts[len(r.Attempts)-1], true
}

// Upcoming returns the number that the next attempt will have.
func (r Record) Upcoming() int {
	last, _ := r.Current()
	return last.Number + 1
}

// HeldBy reports whether the open claim is the one marked claimID.
func (r Record) HeldBy(claimID string) bool {
	last, ok := r.Current()
	return ok && r.open(last.Number) && last.ClaimID == claimID
}

// Addressed reports whether it is known who sent the text and which number was texted. An operator's text needs no sender.
func (r Record) Addressed() bool { return r.TwilioNumber != "" && (r.Manual || r.Customer != "") }

// IsAnswer reports whether a phone on duty wrote the text, and it was decided what becomes of it.
func (r Record) IsAnswer() bool { return r.Answer.Phone != "" }

// DueSince is when the text's age counts from: when it was received, was released after it was held, or was last redriven.
func (r Record) DueSince() time.Time {
	since := r.ReceivedAt
	for _, later := range []time.Time{r.OpenedAt, r.Answer.ReleasedAt, r.RedrivenAt} {
		if later.After(since) {
			since = later
		}
	}
	return since
}

// CameAt is when the text was received, or last redriven.
func (r Record) CameAt() time.Time {
	if r.RedrivenAt.After(r.ReceivedAt) {
		return r.RedrivenAt
	}
	return r.ReceivedAt
}

// AttemptsSpentOn returns how many attempts at that phone, since the last redrive, count towards the maximum.
func (r Record) AttemptsSpentOn(to sms.PhoneNumber) int {
	spent := 0
	for _, a := range r.Attempts {
		if sms.Same(a.To, to) && a.spent() && a.Number > r.RedrivenAfter {
			spent++
		}
	}
	return spent + r.Folded.phone(to).spentSince(r.RedrivenAfter)
}

// TriesAt returns how many attempts were made at that phone since the last redrive or the last attempt at another phone. Those
// that are not kept count as well.
func (r Record) TriesAt(to sms.PhoneNumber) int {
	before := r.RedrivenAfter
	for _, a := range r.Attempts {
		if !sms.Same(a.To, to) {
			before = max(before, a.Number)
		}
	}
	return max(0, r.Upcoming()-1-before)
}

// WaitsOut reports whether the text waits for trouble to pass that is not its own fault, and had an attempt since it was last
// redriven. So each death of a text has another number of attempts, which tells its letters apart.
func (r Record) WaitsOut() bool {
	last, _ := r.Current()
	isTrouble := last.Outcome == fault.Transient.String() || slices.Contains(sparing(), last.Outcome)
	return r.State == Queued && last.Number > r.RedrivenAfter && isTrouble
}

// TellsOptOut reports whether the phone is told that the customer has opted out, in place of the words.
func (r Record) TellsOptOut() bool {
	return !r.Manual && sms.KeywordOf(r.Keyword).Type == sms.OptOutStop
}

// AcceptedByTwilio reports whether Twilio is known to have accepted a message for this text, at any hop.
func (r Record) AcceptedByTwilio() bool { return slices.ContainsFunc(r.Attempts, Attempt.Accepted) }

// ReachedNobody reports whether the text ended without reaching a phone, though it was meant for one. It is false for a text
// that Twilio turned out to have after its end, and for one that still waits, is in doubt or is dead: those have lists and
// alarms of their own. It is also false for an answer, whose phone is told, for a notice, and for a text that is sent for another record.
func (r Record) ReachedNobody() bool {
	if r.IsAnswer() || r.Notice || r.ParentSid != "" {
		return false
	}
	switch r.State {
	case Undelivered, Failed:
		return !r.Awaited()
	case Dropped:
		return !r.Reason.Intended() && !r.Awaited()
	case "", Queued, Sending, Sent, Delivered, Uncertain, Dead:
		return false
	default:
		return false
	}
}

// HopOpen reports whether another attempt may be made at that phone.
func (r Record) HopOpen(to sms.PhoneNumber) bool {
	done := func(a Attempt) bool { return a.HopDone && sms.Same(a.To, to) }
	return !r.Folded.phone(to).HopDone && !r.Ring.holds(to) && !slices.ContainsFunc(r.Attempts, done)
}

// Kept returns r as one that the table keeps until then at least.
func (r Record) Kept(until time.Time) Record {
	if r.ExpiresAt != 0 {
		r.ExpiresAt = max(r.ExpiresAt, until.Unix())
	}
	return r
}

// copy returns r with attempts of its own, changed at now.
func (r Record) copy(now time.Time) Record {
	r.Attempts = slices.Clone(r.Attempts)
	r.UpdatedAt = Stamp(now)
	return r
}

// Stamp returns t as the ledger keeps times: UTC, to the millisecond.
func Stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
