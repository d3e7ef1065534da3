package states_test

import (
	"strings"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// says is the nth text, of the customer who sent the first, in other words.
func (s *stage) says(n int, body string) queue.Envelope {
	e := s.text(n)
	e.Message.From, e.Message.Body = s.text(1).Message.From, body
	return e
}

// out holds whether the customer of the first text has opted out, and by which word, against what must be.
func (s *stage) out(want bool, word string) {
	s.t.Helper()
	c, err := s.conversations.Get(s.t.Context(), s.number, s.text(1).Message.From)
	s.must(err)
	if c.OptOut.OptedOut != want || c.OptOut.Word != word {
		s.t.Errorf("opt-out is %+v, want %v by %q", c.OptOut, want, word)
	}
}

// ended puts one text on the queue and waits for its end.
func (s *stage) ended(e queue.Envelope) {
	s.t.Helper()
	s.put(e)
	s.settled()
}

// toCustomer is the nth text as an operator's, to the customer of the first.
func (s *stage) toCustomer(n int) queue.Envelope {
	e := s.text(n)
	e.Kind, e.Destination, e.Message.From = queue.KindManual, s.text(1).Message.From, ""
	return e
}

// keywords are the stories of customers who opt out and in again.
func keywords() []story {
	return []story{
		{"a customer opts out, and the phone on duty is told", func(s *stage) {
			s.ended(s.says(1, "Cancel."))
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
			if told := s.twilio.Posts()[0].Body; !strings.Contains(told, ": CANCEL. Twilio lets no more texts through") {
				s.t.Errorf("the phone is told %q", told)
			}
			s.out(true, "CANCEL")
			s.left(0, 0)
		}},
		{"STOP and START, each twice", func(s *stage) {
			for range 2 {
				s.put(s.says(1, "STOP"))
				s.put(s.says(2, "START"))
			}
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.rests(2, ledger.ReasonKeyword, "dropped", "")
			s.posted(s.first)
			s.out(false, "START")
		}},
		{"YES from someone who has not opted out", func(s *stage) {
			s.ended(s.says(1, "YES"))
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			if posted := s.twilio.Posts(); len(posted) != 1 || !strings.HasSuffix(posted[0].Body, ": YES") {
				s.t.Errorf("POSTs %+v", posted)
			}
			s.out(false, "")
		}},
		{"HELP", func(s *stage) {
			s.ended(s.says(1, "help"))
			s.rests(1, ledger.ReasonKeyword, "dropped", "")
			s.posted()
		}},
		{"STOP, and nobody is on duty", func(s *stage) {
			s.reroute(switchOff)
			s.ended(s.says(1, "STOP"))
			s.rests(1, ledger.ReasonOptOut, "dropped", "")
			s.out(true, "STOP")
		}},
	}
}

// heeded are the stories of what an opt-out leads to.
func heeded() []story {
	return []story{
		{"an operator's text to someone who has opted out", func(s *stage) {
			s.ended(s.says(1, "STOP"))
			s.ended(s.toCustomer(2))
			s.rests(2, ledger.ReasonOptOut, "dropped", "")
			s.ended(s.says(3, "UNSTOP"))
			s.ended(s.toCustomer(4))
			s.rests(4, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first, s.text(1).Message.From)
		}},
		{"the notice is refused by the first hop", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Unreachable, 21614)}
			s.put(s.says(1, "STOP"))
			s.until(s.is(ledger.Sent))
			s.tell(2, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending queued sending sent delivered", "1@0 unreachable done, 2@1 accepted delivered")
			s.posted(s.first, s.second)
		}},
	}
}
