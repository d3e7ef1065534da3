package states_test

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
)

const closedText = "We are closed. We answer tomorrow."

// closing are the stories of a number that is closed, and says so.
func closing() []story {
	return []story{
		{"the number is closed: a customer is told so once, and waits", func(s *stage) {
			s.closes()
			s.ended(s.text(1))
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.got(s.customer, closedText)
			s.ended(s.text(2))
			s.rests(2, "", "sending sent", "1@0 accepted queued")
			s.got(s.customer, closedText)
			s.left(0, 0)
			if c := s.stored(); !c.IsOpen() || c.Written.AutoAt.IsZero() || c.Written.At.Before(c.Written.AutoAt) {
				s.t.Errorf("written %+v, spell %+v; want that he was answered, and waits", c.Written, c.Spell)
			}
		}},
		{"sender dies before it notes that it answers for a closed number", func(s *stage) {
			s.closes()
			s.ledger.after = &hook{to: ledger.Sent, do: func() error { s.die(); return nil }}
			s.ended(s.text(1))
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.got(s.customer, closedText)
			s.left(0, 0)
		}},
		{"the number is closed: nobody who opted out is told so", func(s *stage) {
			s.closes()
			s.ended(s.says(1, "STOP"))
			s.ended(s.text(2))
			s.got(s.customer)
			s.left(0, 0)
		}},
	}
}

// closes has the number closed from yesterday on, and say so.
func (s *stage) closes() {
	s.reroute(func(r *route.Route) {
		day := func(after int) string { return s.now().UTC().AddDate(0, 0, after).Format(time.DateOnly) }
		r.TimeZone, r.ClaimTime, r.AutoAnswer = "UTC", route.Duration(time.Hour), route.AutoAnswer{Closed: closedText}
		r.Overrides = []route.Override{{Date: day(-1), LastDate: day(2)}}
	})
}

// stored is what is kept of the customer.
func (s *stage) stored() conversation.Conversation {
	s.t.Helper()
	c, err := s.conversations.Get(s.t.Context(), s.number, s.customer)
	s.must(err)
	return c
}
