package ledger

import (
	"cmp"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Answer is what was decided about a text that a phone on duty wrote. It is decided once, and written with the record's first version.
type Answer struct {
	// Phone wrote the text.
	Phone sms.PhoneNumber
	// At is when it was written.
	At time.Time
	// Verdict is what became of it.
	Verdict AnswerVerdict
	// Tag is the customer's, if the text is for one.
	Tag string `json:",omitempty"`
	// Words are what the customer gets: the text without the tag that it began with.
	Words string `json:",omitempty"`
	// IsUncounted is set if there was no room for what the text sends to a customer, so that each of those texts takes its place in what
	// may go back and forth when it goes.
	IsUncounted bool `json:",omitempty"`
	// Tells is what the phone is told about the text, empty if nothing.
	Tells string `json:",omitempty"`
	// ReleasedAt is when the text, which was held until then, got its customer; zero if it was not held.
	ReleasedAt time.Time `json:",omitzero"`
	// Named are the tags that Tells asks about.
	Named []string `json:",omitempty"`
	// Releases are the texts, held until then, that this one sends to its customer. Ends are those that it ends unsent.
	Releases []string `json:",omitempty"`
	Ends     []string `json:",omitempty"`
}

// AnswerVerdict is what became of a text of a phone on duty.
type AnswerVerdict string

// The verdicts.
const (
	// AnswerSent goes to a customer.
	AnswerSent AnswerVerdict = "sent"
	// AnswerHeld is held, and the phone is asked whom it is for; AnswerJoined is held with what the phone was asked about.
	AnswerHeld   AnswerVerdict = "held"
	AnswerJoined AnswerVerdict = "joined"
	// AnswerTold was meant for the relay; AnswerReleased too, and the held texts went to their customer.
	AnswerTold     AnswerVerdict = "told"
	AnswerReleased AnswerVerdict = "released"
	// AnswerCommand was a command to the relay, see conversation.CommandOf.
	AnswerCommand AnswerVerdict = "command"
	// AnswerDropped was not for anybody.
	AnswerDropped AnswerVerdict = "dropped"
)

// Send decides that the text, which is not stored yet, goes to a customer at notBefore. reason says why it waits, if it does.
func (r Record) Send(a Answer, customer sms.PhoneNumber, reason Reason, notBefore, now time.Time) (Record, error) {
	r, err := r.answered(a, Queued, reason, now)
	r.Customer, r.Destination, r.NotBefore = customer, customer, Stamp(notBefore)
	return r, err
}

// Hold decides that the text, which is not stored yet, is held until then, because it is not known whom it is for.
func (r Record) Hold(a Answer, until, now time.Time) (Record, error) {
	r, err := r.answered(a, Queued, ReasonHeld, now)
	r.NotBefore = Stamp(until)
	return r, err
}

// Dismiss decides that the text, which is not stored yet, is for nobody.
func (r Record) Dismiss(a Answer, reason Reason, now time.Time) (Record, error) {
	return r.answered(a, Dropped, reason, now)
}

func (r Record) answered(a Answer, to State, reason Reason, now time.Time) (Record, error) {
	if r.State != "" {
		return r, &TransitionError{From: r.State, To: to}
	}
	r = r.copy(now)
	r.State, r.Reason, r.Answer = to, reason, a
	return r, nil
}

// IsHeld reports whether it is not known yet whom the text is for.
func (r Record) IsHeld() bool { return r.State == Queued && r.Reason == ReasonHeld }

// Release sends a held text to the customer whom the phone has named with the text that by is the decision about. changed is false if
// the text is not held any more.
func (r Record) Release(customer sms.PhoneNumber, by Answer, now time.Time) (released Record, changed bool) {
	if !r.IsHeld() {
		return r, false
	}
	r = r.copy(now)
	r.Reason, r.NotBefore, r.Customer, r.Destination = "", Stamp(now), customer, customer
	r.Answer.Tag, r.Answer.IsUncounted, r.Answer.ReleasedAt = by.Tag, by.IsUncounted, Stamp(now)
	return r, true
}

// Rehold holds the text from now on for as long as it was to be held, if the clock that held it was ahead. changed is false if it was not.
func (r Record) Rehold(now time.Time) (held Record, changed bool) {
	if !r.IsHeld() || !clock.Ahead(r.UpdatedAt, now) {
		return r, false
	}
	length := r.NotBefore.Sub(r.UpdatedAt)
	held = r.copy(now)
	held.NotBefore = Stamp(now.Add(length))
	return held, true
}

// Unhold ends a held text unsent. changed is false if the text is not held any more.
func (r Record) Unhold(now time.Time) (ended Record, changed bool, err error) {
	if !r.IsHeld() {
		return r, false, nil
	}
	ended, err = r.move(Dropped, ReasonUnaddressed, now)
	return ended, err == nil, err
}

// Linger puts the text off until then for reason, which is none of the text's own.
func (r Record) Linger(reason Reason, until, now time.Time) (Record, error) {
	if err := r.waiting(Queued); err != nil {
		return r, err
	}
	r = r.copy(now)
	r.State, r.Reason, r.NotBefore, r.Slot = Queued, reason, Stamp(until), Slot{}
	return r, nil
}

// Headed returns r whose last attempt, which was just claimed, is sent from that number and has that header.
func (r Record) Headed(from sms.PhoneNumber, header string) Record {
	r.Attempts = slices.Clone(r.Attempts)
	last := &r.Attempts[len(r.Attempts)-1]
	last.From, last.Header = from, header
	return r
}

// SentFrom returns the number that the attempt's message is sent from.
func (r Record) SentFrom(a Attempt) sms.PhoneNumber { return cmp.Or(a.From, r.TwilioNumber) }

// HeaderTo returns the header of the last attempt at that phone from that number; ok is false if there was none.
func (r Record) HeaderTo(from, to sms.PhoneNumber) (header string, ok bool) {
	for _, a := range slices.Backward(r.Attempts) {
		if sms.Same(a.To, to) && a.From == from {
			return a.Header, true
		}
	}
	return "", false
}
