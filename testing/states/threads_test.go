package states_test

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// threads are the stories of a route with further numbers: each customer is a conversation of its own on the phone.
func threads() []story {
	return []story{
		{"two customers in two threads: the phone answers each without a tag", func(s *stage) {
			numbers := s.withThreads(2)
			s.meets(s.customer)
			s.meets(s.third)
			s.passes(9 * time.Second)
			s.ended(s.writesTo(numbers[1], s.writes(3, s.first, words)))
			s.ended(s.writesTo(numbers[0], s.writes(4, s.first, "No, "+secret)))
			s.rests(3, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.third, words)
			s.got(s.customer, "No, "+secret)
			s.cameFrom(s.first, numbers...)
			s.left(0, 0)
		}},
		{"a third customer's texts come from the number itself, and a tag addresses him from a thread", func(s *stage) {
			numbers := s.withThreads(1)
			s.meets(s.customer)
			tag := s.meets(s.third)
			s.ended(s.writesTo(numbers[0], s.writes(3, s.first, tag+" "+words)))
			s.got(s.third, words)
			s.got(s.customer)
			s.cameFrom(s.first, numbers[0], s.number)
			s.left(0, 0)
		}},
		{"a thread of a route that has it no more: the phone is told, once, that nobody gets that", func(s *stage) {
			numbers := s.withThreads(1)
			s.meets(s.customer)
			s.reroute(func(r *route.Route) {
				before := *r
				r.Threads = nil
				*r = r.Switched(before, s.now())
			})
			late := s.writesTo(numbers[0], s.writes(2, s.first, words))
			s.ended(late)
			s.ended(late)
			s.rests(2, ledger.ReasonNoRoute, "dropped", "")
			s.got(s.customer)
			s.cameFrom(s.first, numbers[0], s.number)
			s.left(0, 0)
		}},
	}
}

// withThreads gives the route so many further numbers.
func (s *stage) withThreads(n int) []sms.PhoneNumber {
	all := []sms.PhoneNumber{s.number[:8] + "0155", s.number[:8] + "0166"}[:n]
	s.reroute(func(r *route.Route) { r.Threads = all })
	return all
}

// writesTo is a phone's text to another number of the business.
func (s *stage) writesTo(number sms.PhoneNumber, e queue.Envelope) queue.Envelope {
	e.Message.To = number
	return e
}

// cameFrom holds the numbers that a phone's texts came from, one after the other, against those wanted.
func (s *stage) cameFrom(phone sms.PhoneNumber, want ...sms.PhoneNumber) {
	s.t.Helper()
	var got []sms.PhoneNumber
	for _, p := range s.twilio.Posts() {
		if p.To == phone {
			got = append(got, p.From)
		}
	}
	if len(got) != len(want) {
		s.t.Fatalf("texts from %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			s.t.Errorf("text %d from %s, want %s", i+1, got[i], want[i])
		}
	}
}
