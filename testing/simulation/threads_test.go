package simulation_test

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// threadRest is how long nothing went to a phone from a thread, or came from it there, before the thread is given to another customer.
const threadRest = 24 * time.Hour

// mayComeFrom reports whether a POST is from a number that its phone, or its customer, may see: a customer sees one number only.
func (s *schedule) mayComeFrom(p *post) bool {
	if p.out.From == twilioNumber {
		return true
	}
	r := s.current[p.ref.RelayID]
	isOfPhone := s.personWith(p.out.To) != nil && !r.IsAnswer() && !r.Manual
	return isOfPhone && slices.Contains(s.route().Threads, p.out.From) && s.mayBeThreadOf(p, r.Customer)
}

// mayBeThreadOf reports whether the customer may have the thread that the POST is from: nobody else had it within a day. The relay's own
// notices are nobody's. The rest of a long text goes where its beginning went, however much later an operator sends it, and takes the
// thread back with it: the phone is asked about what it writes there for a day.
func (s *schedule) mayBeThreadOf(p *post, customer sms.PhoneNumber) bool {
	if of := s.current[p.ref.RelayID]; of.Notice || of.SecondPart {
		return true
	}
	var others, theirs time.Time // when the thread was last another customer's, and last this one's by the rest of a long text
	for _, other := range s.posts {
		r := s.current[other.ref.RelayID]
		switch isThere := other != p && other.reached && other.out.From == p.out.From && other.out.To == p.out.To && !r.Notice; {
		case !isThere:
		case r.Customer != customer && !r.SecondPart:
			others = later(others, s.claimedAt(other))
		case r.Customer == customer && r.SecondPart:
			theirs = later(theirs, s.claimedAt(other))
		}
	}
	// What counts is when it was noted that they go to the phone, which is shortly before the claims.
	return others.IsZero() || theirs.After(others) || s.claimedAt(p).Sub(others) >= threadRest-sendTimeout
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
