package conversation

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Written is when a customer was last written to.
type Written struct {
	// At is when a text to the customer was last about to be sent: a phone's answer, an operator's text or an automatic answer.
	At time.Time `json:",omitzero"`
	// AutoAt is when the relay itself last answered the customer, AutoCause what that was the answer to, see [AutoAnswering].
	AutoAt    time.Time `json:",omitzero"`
	AutoCause string    `json:",omitempty"`
}

// Equal reports whether both are the same, with times compared as moments.
func (w Written) Equal(other Written) bool {
	return w.At.Equal(other.At) && w.AutoAt.Equal(other.AutoAt) && w.AutoCause == other.AutoCause
}

// AutoAnswering is the question whether the relay itself answers a customer.
type AutoAnswering struct {
	// Cause is what is answered, and its name: there is one answer for each. At is when it happened.
	Cause string
	At    time.Time
	// Now is the moment, by the clocks of the number's place.
	Now time.Time
}

// quietTime is how long after a text to a customer the relay does not answer: a machine answers within it, and a person hardly does.
const quietTime = 10 * time.Second

// AutoAnswer returns c with the note that the relay answers the customer, at most once on a day of the place. It is written before the
// answer is sent. ok is false if the customer gets none; changed is false if this cause's answer was noted before.
func (c Conversation) AutoAnswer(a AutoAnswering) (noted Conversation, changed, ok bool) {
	was, since := c.Written, a.At
	if a.Now.Before(since) {
		since = a.Now
	}
	switch {
	case c.OptOut.OptedOut, c.Blocked.On, !sms.SameCountry(c.TwilioNumber, c.Customer), was.At.After(since.Add(-quietTime)):
		return c, false, false
	case was.AutoCause == a.Cause:
		return c, false, true
	case was.AutoAt.In(a.Now.Location()).Format(time.DateOnly) >= a.Now.Format(time.DateOnly):
		return c, false, false
	}
	c.Written.AutoAt, c.Written.AutoCause = stamp(a.Now), a.Cause
	return c, true, true
}

// WriteTo returns c with the note that the customer is about to be written to. changed is false if a later time is noted.
func (c Conversation) WriteTo(now time.Time) (written Conversation, changed bool) {
	if at := stamp(now); at.After(c.Written.At) {
		c.Written.At, changed = at, true
	}
	return c, changed
}

// The bound of what the relay itself answers from one number. So many at once, and one more after each interval, are at most thirty in an
// hour.
const (
	maxAutoAnswers     = 15
	autoAnswerInterval = 4 * time.Minute
)

// NumberKey names what is kept of a number itself, in the place of a phone: what the relay has answered from it.
func NumberKey(number sms.PhoneNumber) PhoneKey { return PhoneKey{TwilioNumber: number, Phone: number} }

// TakeAutoAnswer takes room for one automatic answer of the number; ok is false if there is none.
func (p Phone) TakeAutoAnswer(now time.Time) (taken Phone, ok bool) {
	p.Notices, ok = p.Notices.Take(now, maxAutoAnswers, autoAnswerInterval)
	return p, ok
}
