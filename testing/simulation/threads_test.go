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
// notices are nobody's.
func (s *schedule) mayBeThreadOf(p *post, customer sms.PhoneNumber) bool {
	if s.current[p.ref.RelayID].Notice {
		return true
	}
	for _, other := range s.posts {
		r := s.current[other.ref.RelayID]
		isThere := other != p && other.reached && other.out.From == p.out.From && other.out.To == p.out.To && !r.Notice
		// What counts is when it was noted that they go to the phone, which is shortly before the claims.
		if isThere && r.Customer != customer && s.claimedAt(p).Sub(s.claimedAt(other)) < threadRest-sendTimeout {
			return false
		}
	}
	return true
}
