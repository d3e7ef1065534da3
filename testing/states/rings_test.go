package states_test

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
)

// rings are the stories of texts that go to several phones at the same time.
func rings() []story {
	return []story{
		{"the attempts at all phones of a ring are used up, and their letters moved back in vain", func(s *stage) {
			s.reroute(func(r *route.Route) { r.Ring = route.RingAll })
			no := refused(fault.Permanent, 21617)
			s.twilio.script = append(slices.Repeat([]answer{busy()}, 6), no, no)
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonAttemptsExhausted, "queued dead", "")
			for _, letter := range s.letters(2) {
				s.moveBack(letter)
				s.settled()
				s.rests(1, ledger.ReasonRefused, "queued dead failed", "")
			}
			s.left(0, 0)
		}},
		{"the attempts at all phones of a ring are used up, and nobody knows what came of the letter that was moved back", func(s *stage) {
			s.reroute(func(r *route.Route) { r.Ring = route.RingAll })
			s.twilio.script = append(slices.Repeat([]answer{busy()}, 6), unheard(false, 0))
			s.queued(1)
			s.settled()
			s.moveBack(s.letters(2)[0])
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "queued dead uncertain", "")
			s.left(0, 1)
		}},
	}
}
