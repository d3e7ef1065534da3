package states_test

import (
	"crypto/rand"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ordered are the stories of texts that had reached nobody, and that an operator orders to be sent again.
func ordered() []story {
	return append([]story{
		{"undelivered at every hop, ordered: along the route again", orderedUndelivered},
		{"refused for good, ordered twice: sent once more", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Permanent, 21617)}
			s.queued(1)
			s.until(s.is(ledger.Failed))
			order := s.resendOrder()
			s.give(order)
			s.give(order)
			s.settled()
			s.give(order)
			s.settled()
			s.rests(1, "", "sending failed queued sending sent", "1@0 permanent, 2@0 accepted queued")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
		{"dropped, ordered while its route is off, and once more when it is on", orderedDropped},
		{"ordered, and the sender dies after it took the text back", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Permanent, 21617)}
			s.queued(1)
			s.until(s.is(ledger.Failed))
			s.ledger.after = &hook{to: ledger.Queued, do: func() error { s.die(); return nil }}
			s.give(s.resendOrder())
			s.settled()
			s.rests(1, "", "sending failed queued sending sent", "1@0 permanent, 2@0 accepted queued")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
	}, takenAfterAll()...)
}

// resendOrder is an operator's order to send the first text again, as it is now.
func (s *stage) resendOrder() queue.Outgoing {
	s.t.Helper()
	order, err := delivery.ResendOrder(s.record(1), ledger.Decision{By: "ada", Note: "the phone is on again"})
	s.must(err)
	return order
}

// give puts an order on the queue, as if five minutes lay between it and the last.
func (s *stage) give(order queue.Outgoing) {
	order.DeduplicationID += rand.Text()
	s.must(s.texts.Send(s.t.Context(), order))
}

func orderedUndelivered(s *stage) {
	s.queued(1)
	s.until(s.is(ledger.Sent))
	s.tell(1, sms.StatusUndelivered, 30003)
	s.until(func() bool { return len(s.twilio.Posts()) == 2 })
	s.tell(2, sms.StatusUndelivered, 30003)
	s.until(s.is(ledger.Undelivered))
	s.give(s.resendOrder())
	s.settled()
	s.rests(1, "", "sending sent queued sending sent undelivered queued sending sent",
		"1@0 accepted undelivered, 2@1 accepted undelivered, 3@0 accepted queued")
	s.posted(s.first, s.second, s.first)
	s.left(0, 0)
	if d := s.record(1).Decision; d.What != ledger.VerdictResend || d.By != "ada" || d.Note != "the phone is on again" {
		s.t.Errorf("decision %+v", d)
	}
}

func orderedDropped(s *stage) {
	s.reroute(switchOff)
	s.queued(1)
	s.until(s.is(ledger.Dropped))
	old := s.resendOrder()
	s.give(old)
	s.settled()
	s.rests(1, ledger.ReasonInactive, "dropped queued dropped", "")
	s.reroute(func(r *route.Route) { r.Active = true })
	// The first order, come again, is void: the text was dropped since.
	s.give(old)
	s.settled()
	s.posted()
	s.give(s.resendOrder())
	s.settled()
	s.rests(1, "", "dropped queued dropped queued sending sent", "1@0 accepted queued")
	s.posted(s.first)
	s.left(0, 0)
}

// takenAfterAll are the stories of texts that Twilio has after all, as a receipt says after their end: an order settles them.
func takenAfterAll() []story {
	ends := []struct {
		state     ledger.State
		end       func(s *stage)
		path      string
		posts     int
		afterward string
	}{
		{ledger.Undelivered, func(s *stage) {
			s.reroute(noFallback)
			s.twilio.script = []answer{lying()}
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(2, sms.StatusUndelivered, 30003)
		}, "sending queued sending sent undelivered", 2, ", 2@0 accepted undelivered"},
		{ledger.Failed, func(s *stage) {
			no := refused(fault.Permanent, 21617)
			no.Taken = true
			s.twilio.script = []answer{no}
			s.queued(1)
		}, "sending failed", 1, ""},
		{ledger.Dropped, func(s *stage) {
			no := busyFor(longer)
			no.Taken = true
			s.twilio.script = []answer{no}
			s.queued(1)
			s.until(s.waitsAfter(1))
			s.reroute(switchOff)
		}, "sending queued dropped", 1, ""},
	}
	var stories []story
	for _, end := range ends {
		for _, status := range []sms.Status{sms.StatusSent, sms.StatusDelivered} {
			name := string(end.state) + ", and then Twilio has it, " + string(status) + ": an order settles it"
			stories = append(stories, story{name, func(s *stage) {
				end.end(s)
				s.until(s.is(end.state))
				s.tell(1, status, 0)
				s.settled()
				s.give(s.resendOrder())
				s.settled()
				s.rests(1, "", end.path+" "+string(status), "1@0 accepted "+string(status)+end.afterward)
				if n := len(s.twilio.Posts()); n != end.posts {
					s.t.Errorf("%d POSTs, want %d", n, end.posts)
				}
				s.left(0, 0)
			}})
		}
	}
	return stories
}
