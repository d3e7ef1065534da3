package ledger

import (
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Ring is the phones that a customer's text goes to at the same time, each by a record of its own, see [Record.ToPhone].
type Ring struct {
	// Phones are in the order of those records. They never change.
	Phones []sms.PhoneNumber `json:",omitempty"`
	// IsOver is set once an operator had the text itself sent again: from then on it goes in turn, to these phones as well.
	IsOver bool `json:",omitempty"`
}

// holds reports whether the phone gets the text by a record of its own, and by none other.
func (g Ring) holds(phone sms.PhoneNumber) bool {
	return !g.IsOver && slices.ContainsFunc(g.Phones, func(p sms.PhoneNumber) bool { return sms.Same(p, phone) })
}

// ringStep is the step in the MessageSids of the records of a ring, which is the stage before the first one.
const ringStep = 0

// IsRung reports whether the text is one of a ring: it goes to one of the phones that get a customer's text at the same time.
func (r Record) IsRung() bool {
	return r.ParentSid != "" && strings.HasPrefix(r.MessageSid, r.ParentSid+"/e0/")
}

// StartRing decides that the text goes to these phones at the same time. It is written before any of them gets it.
func (r Record) StartRing(phones []sms.PhoneNumber, now time.Time) (Record, error) {
	if err := r.waiting(Queued); err != nil {
		return r, err
	}
	r = r.copy(now)
	r.State, r.Reason, r.NotBefore, r.Slot, r.Ring = Queued, ReasonRing, Stamp(now), Slot{}, Ring{Phones: slices.Clone(phones)}
	return r, nil
}

// ToPhone returns the record, not stored yet, of a text to the phone at that place of its ring.
func (r Record) ToPhone(place int, now time.Time) Record {
	return Record{
		MessageSid: StageSid(r.MessageSid, ringStep, place), ParentSid: r.MessageSid, TwilioNumber: r.TwilioNumber, Customer: r.Customer,
		Destination: r.Ring.Phones[place], Body: r.Body, Media: slices.Clone(r.Media), Keyword: r.Keyword,
		ReceivedAt: r.ReceivedAt, OpenedAt: r.OpenedAt, UpdatedAt: Stamp(now), ExpiresAt: r.ExpiresAt,
	}
}

// IsRinging reports whether the text's own message still sends it to the phones of its ring.
func (r Record) IsRinging() bool { return r.State == Queued && r.Reason == ReasonRing }

// OfRing returns the state of a text that follows from those of its records to each phone, and the reason for it: the best for the customer
// that one of them has. A text is delivered if one phone has it, sent while one may still get it, and failed only if none can.
func OfRing(phones []Record) (State, Reason) {
	for _, s := range []State{Delivered, Sent, Sending, Queued, "", Uncertain, Undelivered, Failed, Dead, Dropped} {
		i := slices.IndexFunc(phones, func(r Record) bool { return r.State == s })
		switch {
		case i < 0:
		case s == Sending, s == Queued, s == "":
			return Queued, ReasonRing
		default:
			return s, phones[i].Reason
		}
	}
	return Queued, ReasonRing
}

// IsLost reports whether none of the phones can get the text any more.
func IsLost(phones []Record) bool {
	to, _ := OfRing(phones)
	return to.Resendable() && to != Uncertain
}

// Settle moves a text to the state that follows from its records to each phone. If none of them can get it, and hasNext says that there is
// another phone, the text goes on in turn. changed is false if there is nothing to write. A text whose own attempt decides only moves if
// one of the phones has it.
func (r Record) Settle(phones []Record, hasNext bool, now time.Time) (settled Record, changed bool, err error) {
	if len(r.Attempts) > 0 {
		// It went on in turn: where that ended, it ended.
		own := r
		own.State, own.Reason = r.rest()
		phones, hasNext = append(slices.Clone(phones), own), false
	}
	to, reason := OfRing(phones)
	isRinging := r.IsRinging()
	switch {
	case len(r.Ring.Phones) == 0, r.State == to && !isRinging:
		return r, false, nil
	case to == Delivered:
	case isRinging && slices.ContainsFunc(phones, func(p Record) bool { return p.State == "" || p.State == Queued || p.State == Sending }):
		// Whoever sends the rest of the ring has to look at all of it again.
		return r.copy(now), true, nil
	case r.State == Dead && IsLost(phones):
		// A dead letter of its phones was moved back, and that came to nothing.
		to = Failed
	case r.State == Dead && to == Uncertain:
		// One was moved back, and nobody knows what came of that.
	case to == Queued, r.State == Sending, r.State == Queued && !isRinging, r.State.Final() && to != Sent:
		return r, false, nil
	case hasNext && IsLost(phones):
		to, reason = Queued, ReasonNextHop
	case !r.State.MayBecome(to):
		to = Failed
	}
	if isRinging && to == Queued {
		settled = r.copy(now)
		settled.Reason, settled.NotBefore = reason, Stamp(now)
		return settled, true, nil
	}
	if r.State == to || !r.State.MayBecome(to) {
		return r, false, nil
	}
	if settled, err = r.move(to, reason, now); err == nil && to == Queued {
		settled.NotBefore = Stamp(now)
	}
	return settled, err == nil, err
}

// HasLostRing reports whether none of the phones that the text went to at the same time could get it, by what its sender knew then.
func (r Record) HasLostRing() bool {
	return len(r.Ring.Phones) > 0 && !r.Ring.IsOver && r.State.Final() && r.State != Delivered
}

// OfPhones returns the text with the attempts at all of its phones, in the state that follows from them.
func (r Record) OfPhones(phones []Record) Record {
	if own := len(r.Attempts); own == 0 {
		r.State, r.Reason = OfRing(phones)
	}
	r.Attempts = slices.Clone(r.Attempts)
	for _, p := range phones {
		r.Attempts = append(r.Attempts, p.Attempts...)
	}
	return r
}
