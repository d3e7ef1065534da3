package states_test

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// never is a lag that no number of looks outlasts.
const never = 1000

// doubts are the stories in which a POST gets no answer.
func doubts() []story {
	return []story{
		{"answer lost, found on the list", func(s *stage) {
			s.twilio.script = []answer{unheard(true, 0)}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted found queued")
			s.posted(s.first)
			s.looked(1)
		}},
		{"answer lost, listed late", func(s *stage) {
			s.twilio.script = []answer{unheard(true, looks)}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted found queued")
			s.posted(s.first)
			s.looked(1 + looks)
		}},
		{"answer lost, listed as delivered", func(s *stage) {
			lost := unheard(true, 0)
			lost.Meanwhile = func() { s.twilio.Become(1, sms.StatusDelivered, 0) }
			s.twilio.script = []answer{lost}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending delivered", "1@0 accepted found delivered")
			s.posted(s.first)
		}},
		{"answer lost, absent: uncertain", func(s *stage) {
			s.twilio.script = []answer{unheard(false, 0)}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "sending uncertain", "1@0 unknown")
			s.posted(s.first)
			s.looked(1 + looks)
			s.left(0, 0)
		}},
		{"answer lost, absent: resend", func(s *stage) {
			s.reroute(resend)
			s.twilio.script = []answer{unheard(false, 0)}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sending sent", "1@0 unknown, 2@0 accepted queued")
			s.posted(s.first, s.first)
			s.looked(1 + looks)
		}},
		{"answer lost each time: resent as often as there are attempts", func(s *stage) {
			s.reroute(resend)
			s.twilio.script = []answer{unheard(false, 0), unheard(false, 0), unheard(false, 0)}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "sending queued sending queued sending uncertain",
				"1@0 unknown, 2@0 unknown, 3@0 unknown")
			s.posted(s.first, s.first, s.first)
			s.left(0, 0)
		}},
	}
}

// twins are the stories of texts of the same words, which Twilio's list does not tell apart.
func twins() []story {
	return []story{
		{"answer lost, an earlier text of the same words is listed, too", func(s *stage) {
			s.twilio.script = []answer{{}, {}, unheard(true, 0)}
			s.introduced(s.first)
			for n := range 2 {
				s.put(s.alike(n + 1))
			}
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.rests(2, "", "sending sent", "1@0 accepted found queued")
			s.posted(s.first, s.first, s.first)
		}},
		{"answers lost of two texts of the same words, both listed", func(s *stage) {
			s.bothInDoubt(unheard(true, 0), unheard(true, 0))
			for n := range 2 {
				s.rests(n+1, "", "sending sent queued sending sent", "1@0 accepted done undelivered, 2@1 accepted found queued")
			}
		}},
		{"answers lost of two texts of the same words, one listed: ambiguous", func(s *stage) {
			s.bothInDoubt(unheard(false, 0), unheard(true, 0))
			for n := range 2 {
				s.rests(n+1, ledger.ReasonAmbiguous, "sending sent queued sending uncertain", "1@0 accepted done undelivered, 2@1 unknown")
			}
		}},
	}
}

// looked holds how often Twilio's list was read against what it must be.
func (s *stage) looked(want int) {
	s.t.Helper()
	if len(s.twilio.Lists()) != want {
		s.t.Errorf("Twilio's list was read %d times, want %d", len(s.twilio.Lists()), want)
	}
}

// bothInDoubt brings two texts of the same words to the second hop at the same time, where the answers are lost. (At the
// first hop the second waits behind the first; behind a timer nothing waits.)
func (s *stage) bothInDoubt(one, other answer) {
	s.t.Helper()
	s.twilio.script = []answer{{}, {}, {}, one, other}
	s.introduced(s.second)
	for n := range 2 {
		s.put(s.alike(n + 1))
	}
	s.until(func() bool { return s.record(2).State == ledger.Sent })
	for n := range 2 {
		s.tell(n+2, sms.StatusUndelivered, 30003)
		s.until(func() bool { return len(s.twilio.Posts()) == n+4 })
		s.idle()
	}
	s.settled()
	s.posted(s.second, s.first, s.first, s.second, s.second)
	s.left(0, 0)
}

// introduced sends the phone a text of the customer. What the phone gets of the customer from then on has the same header.
func (s *stage) introduced(phone sms.PhoneNumber) {
	s.t.Helper()
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = phone, nil })
	s.tag(s.customer, 9)
	s.ended(s.text(9))
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = s.first, []sms.PhoneNumber{s.second} })
}

// uncertainties are the stories in which a receipt comes after all.
func uncertainties() []story {
	late := func(name string, status sms.Status, code int, reason ledger.Reason, path, attempts string, phones int) story {
		return story{"uncertain, and then " + name, func(s *stage) {
			s.twilio.script = []answer{unheard(true, never)}
			s.queued(1)
			s.until(s.is(ledger.Uncertain))
			s.tell(1, status, code)
			s.settled()
			s.rests(1, reason, "sending uncertain "+path, attempts)
			s.posted([]sms.PhoneNumber{s.first, s.second}[:phones]...)
			s.left(0, 0)
		}}
	}
	return []story{
		late("sent", sms.StatusSent, 0, "", "sent", "1@0 accepted sent", 1),
		late("delivered", sms.StatusDelivered, 0, "", "delivered", "1@0 accepted delivered", 1),
		late("failed for good", sms.StatusFailed, 30034, ledger.ReasonReceipt, "failed", "1@0 accepted failed", 1),
		late("undelivered: next hop", sms.StatusUndelivered, 30003, "", "queued sending sent",
			"1@0 accepted done undelivered, 2@1 accepted queued", 2),
		{"uncertain, and then undelivered, no hop left", func(s *stage) {
			s.reroute(noFallback)
			s.twilio.script = []answer{unheard(true, never)}
			s.queued(1)
			s.until(s.is(ledger.Uncertain))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, "", "sending uncertain undelivered", "1@0 accepted undelivered")
			s.posted(s.first)
			s.left(0, 0)
		}},
	}
}

// resent are the stories of a second message, after a first that may have been the better.
func resent() []story {
	return []story{
		{"resent, and the second message is undelivered: uncertain", func(s *stage) {
			s.reroute(resend)
			s.reroute(noFallback)
			s.twilio.script = []answer{unheard(false, 0)}
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(2, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "sending queued sending sent uncertain", "1@0 unknown, 2@0 accepted undelivered")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
		{"resend meets a busy Twilio, and then the first message was sent", func(s *stage) {
			s.resendMeetsBusy()
			s.tell(1, sms.StatusSent, 0)
			s.settled()
			s.rests(1, "", "sending queued sending queued sent", "1@0 accepted sent, 2@0 throttled")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
		{"attempts used up in doubt: uncertain, no dead letter, and then the first message was delivered", func(s *stage) {
			s.reroute(resend)
			s.twilio.script = []answer{unheard(true, never), busy(), busy()}
			s.queued(1)
			s.until(s.is(ledger.Uncertain))
			s.tell(1, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending queued sending queued sending queued uncertain delivered",
				"1@0 accepted delivered, 2@0 transient, 3@0 transient")
			s.posted(s.first, s.first, s.first)
			s.left(0, 0)
		}},
		{"resend meets a busy Twilio, and the route is switched off: uncertain", func(s *stage) {
			s.resendMeetsBusy()
			s.reroute(switchOff)
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "sending queued sending queued uncertain", "1@0 unknown, 2@0 throttled")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
	}
}

// resendMeetsBusy brings a text whose first message was not found to where it waits for its second attempt's turn.
func (s *stage) resendMeetsBusy() {
	s.t.Helper()
	s.reroute(resend)
	s.twilio.script = []answer{unheard(true, never), busyFor(longer)}
	s.queued(1)
	s.until(s.waitsAfter(2))
}

// longer is how long Twilio asks to wait where something happens meanwhile.
const longer = 8 * time.Second

// waitsAfter returns a question for until: whether the first text waits for its turn after so many attempts.
func (s *stage) waitsAfter(attempts int) func() bool {
	return func() bool {
		r := s.record(1)
		return r.State == ledger.Queued && len(r.Attempts) == attempts && r.Attempts[attempts-1].Outcome != ""
	}
}

// deaths are the stories of a sender that ends at the wrong moment.
func deaths() []story {
	return []story{
		{"sender dies before the claim", func(s *stage) {
			s.ledger.before = &hook{to: ledger.Sending, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
		}},
		{"sender dies after the claim", func(s *stage) {
			s.ledger.after = &hook{to: ledger.Sending, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "sending uncertain", "1@0 unknown")
			s.posted()
			s.left(0, 0)
		}},
		{"sender dies after the claim: resend", func(s *stage) {
			s.reroute(resend)
			s.ledger.after = &hook{to: ledger.Sending, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sending sent", "1@0 unknown, 2@0 accepted queued")
			s.posted(s.first)
		}},
		{"sender dies after the POST", func(s *stage) {
			s.reroute(resend)
			s.twilio.script = []answer{during(answer{}, s.die)}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted found queued")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"sender dies after it has recorded the answer", func(s *stage) {
			s.ledger.after = &hook{to: ledger.Sent, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
		}},
	}
}

// interruptions are the stories of a sender that ends between two things that belong together.
func interruptions() []story {
	return []story{
		{"sender dies between the dead letter and its record", func(s *stage) {
			s.twilio.script = []answer{busy(), busy(), busy()}
			s.ledger.before = &hook{to: ledger.Dead, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.settled()
			s.rests(1, ledger.ReasonAttemptsExhausted, "sending queued sending queued sending queued dead",
				"1@0 transient, 2@0 transient, 3@0 transient")
			s.posted(s.first, s.first, s.first)
			s.left(0, 1)
		}},
		{"sender dies between its timer and the claim", func(s *stage) {
			s.reroute(impatient)
			s.ledger.before = &hook{to: ledger.Sending, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.left(2, 0)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done queued, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"sender dies after the claim of the next hop", func(s *stage) {
			s.ledger.after = &hook{to: ledger.Sending, attempts: 2, do: func() error { s.die(); return nil }}
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, ledger.ReasonUnknownOutcome, "sending sent queued sending uncertain", "1@0 accepted done undelivered, 2@1 unknown")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"sender dies when a receipt has left the text to the next hop", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.ledger.after = &hook{to: ledger.Queued, do: func() error { s.die(); return nil }}
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done undelivered, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
	}
}
