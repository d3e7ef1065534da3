package conversation

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// threadRest is how long nothing went back and forth in a thread before it is given to another customer.
	threadRest = 24 * time.Hour
	// reassignTime is how long after that the phone is asked, at least, whom words without a tag are for: its owner may mean the one of
	// before.
	reassignTime = 24 * time.Hour
	// threadTime is how long after the last text a thread is its customer's when the phone writes there.
	threadTime = 30 * 24 * time.Hour
)

// ChooseThread returns the item under which a phone gets the customer's next text: that of the thread that he has on the phone, or else
// of the free one that was idle longest. If there is none, it is main, the item of the number that the customers text.
func ChooseThread(main Phone, threads []Phone, customer sms.PhoneNumber, now time.Time) Phone {
	chosen := main
	for _, thread := range threads {
		switch {
		case sms.Same(thread.Owner, customer):
			return thread
		case !thread.IsFree(now):
		case chosen.SendingNumber == "", thread.idleSince().Before(chosen.idleSince()):
			chosen = thread
		}
	}
	return chosen
}

// IsFree reports whether the thread may be given to another customer: nothing has gone back and forth for a day.
func (p Phone) IsFree(now time.Time) bool {
	return p.Owner == "" || p.Held.IsZero() && now.Sub(p.idleSince()) >= threadRest
}

// idleSince returns when something last went to the phone or came from it, zero if never.
func (p Phone) idleSince() time.Time {
	last := p.LastAt
	for _, e := range p.Exchanges {
		for _, at := range []time.Time{e.SentAt, e.AnsweredAt} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// own gives the thread to the customer of a text that is about to be sent there.
func (p Phone) own(e Exchange) Phone {
	if p.SendingNumber == "" || e.Customer == "" || sms.Same(p.Owner, e.Customer) {
		return p
	}
	p.Owner, p.OwnedSince, p.Reassigned, p.Confirmed = e.Customer, e.SentAt, p.Owner != "", false
	return p
}

// Answered returns p after the phone wrote to a customer of this thread in another one, by the tag. changed is false if p knows of it, or
// does not know the customer.
func (p Phone) Answered(w Writing) (answered Phone, changed bool) {
	for i, e := range p.Exchanges {
		if sms.Same(e.Customer, w.To) && !e.SentAt.IsZero() && w.At.After(e.AnsweredAt) {
			p.Exchanges = slices.Clone(p.Exchanges)
			p.Exchanges[i].AnsweredAt = w.At.UTC()
			p.Exchanges[i].Texts = e.Texts.charge(w.Texts, w.Now, maxTexts, textInterval)
			return p, true
		}
	}
	return p, false
}

// wroteElsewhere reports whether the phone has just written from here, by a tag, to a customer whose texts come from another number, or
// who had the thread before: a further text may belong to that. It is also true for a day after words that began with another tag than
// that of the conversation to, and went to nobody: their person may not know it, and still mean whomever the tag was for.
func (v View) wroteElsewhere(to Exchange, at time.Time) bool {
	since := at.Sub(v.LastAt)
	isBubble := since <= bubbleTime
	switch {
	case v.LastTo == "" && (isBubble || v.LastTag != unclearTag && since <= DefaultAnswerWindow):
		return v.LastTag != "" && v.LastTag != to.Tag
	case v.LastTo == "", !isBubble:
		return false
	case v.Owner != "":
		return !sms.Same(v.LastTo, v.Owner)
	}
	return !slices.ContainsFunc(v.Exchanges, func(e Exchange) bool { return sms.Same(e.Customer, v.LastTo) && !e.SentAt.IsZero() })
}

// owned returns the conversation that a text without a tag is for in a thread: that of the customer who has it, unless another one had
// it not long ago, or the phone never named the new one.
func (v View) owned(at time.Time) (Exchange, bool) {
	owned := at.Sub(v.OwnedSince)
	if v.Owner == "" || owned < -skew || v.Reassigned && (!v.Confirmed || owned <= reassignTime+skew) {
		return Exchange{}, false
	}
	for _, e := range v.Exchanges {
		if sms.Same(e.Customer, v.Owner) && at.Sub(e.SentAt) <= threadTime {
			return e, e.isAnswerable()
		}
	}
	return Exchange{}, false
}
