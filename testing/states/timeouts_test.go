package states_test

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// timeouts are the stories in which no receipt comes in time.
func timeouts() []story {
	return []story{
		{"delivered in time, and the timer has nothing to do", func(s *stage) {
			s.reroute(impatient)
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusDelivered, 0)
			s.until(s.is(ledger.Delivered))
			s.left(1, 0)
			s.settled()
			s.rests(1, "", "sending sent delivered", "1@0 accepted delivered")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"delivery timeout at every hop", func(s *stage) {
			s.reroute(impatient)
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done queued, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.waited(timeout)
			s.left(0, 0)
		}},
		{"delivery timeout, next hop, late delivered of the first", func(s *stage) {
			s.reroute(impatient)
			s.queued(1)
			s.until(func() bool { r := s.record(1); return r.State == ledger.Sent && len(r.Attempts) == 2 })
			s.tell(1, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent delivered", "1@0 accepted done delivered, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"delivery timeout at each of three hops", func(s *stage) {
			s.reroute(impatient)
			s.reroute(func(r *route.Route) { r.FallbackCarriers = append(r.FallbackCarriers, s.third) })
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent queued sending sent",
				"1@0 accepted done queued, 2@1 accepted done queued, 3@2 accepted queued")
			s.posted(s.first, s.second, s.third)
			s.left(0, 0)
		}},
	}
}

// reroutes are the stories in which the route is another when the time is over.
func reroutes() []story {
	return []story{
		{"delivery timeout, and the route is switched off", func(s *stage) {
			s.reroute(impatient)
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.reroute(switchOff)
			s.settled()
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"a route that has more patience since", func(s *stage) {
			s.reroute(impatient)
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.reroute(func(r *route.Route) { r.DeliveryTimeout = route.Duration(timeout + 3*time.Second) })
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done queued, 2@1 accepted queued")
			s.waited(timeout + 3*time.Second)
			s.left(0, 0)
		}},
	}
}

// waited holds how long after its first attempt the first text went to the second hop against the least that it must be.
func (s *stage) waited(least time.Duration) {
	s.t.Helper()
	attempts := s.record(1).Attempts
	if len(attempts) != 2 {
		s.t.Fatalf("%d attempts, want 2", len(attempts))
	}
	if got := attempts[1].StartedAt.Sub(attempts[0].StartedAt); got < least {
		s.t.Errorf("the second hop was tried %v after the first, want %v at least", got, least)
	}
}

// fetches are the stories in which Twilio is asked when the time is over.
func fetches() []story {
	return []story{
		{"delivery timeout, receipt was lost, Fetch says delivered", func(s *stage) {
			s.lastWord(sms.StatusDelivered, 0)
			s.rests(1, "", "sending sent delivered", "1@0 accepted delivered")
			s.posted(s.first)
		}},
		{"delivery timeout, receipt was lost, Fetch says undelivered", func(s *stage) {
			s.lastWord(sms.StatusUndelivered, 30003)
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done undelivered, 2@1 accepted queued")
			s.posted(s.first, s.second)
		}},
	}
}

// lastWord lets Twilio have the last word on a message, and its receipt be lost.
func (s *stage) lastWord(status sms.Status, code int) {
	s.t.Helper()
	s.reroute(impatient)
	s.queued(1)
	s.until(s.is(ledger.Sent))
	s.twilio.Become(1, status, code)
	s.settled()
	if len(s.twilio.Fetches()) != 1 {
		s.t.Errorf("Twilio was asked about the message %d times, want once", len(s.twilio.Fetches()))
	}
	s.left(0, 0)
}

// strays are the stories in which a late receipt meets a text that is elsewhere.
func strays() []story {
	return []story{
		{"delivery timeout, next hop is busy, delivered of the first", func(s *stage) {
			s.nextHopIsBusy()
			s.tell(1, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending sent queued sending queued delivered", "1@0 accepted done delivered, 2@1 throttled")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"delivery timeout, next hop is busy, only sent of the first", func(s *stage) {
			s.nextHopIsBusy()
			s.tell(1, sms.StatusSent, 0)
			s.settled()
			s.rests(1, "", "sending sent queued sending queued sending sent", "1@0 accepted done sent, 2@1 throttled, 3@1 accepted queued")
			s.posted(s.first, s.second, s.second)
			s.left(0, 0)
		}},
		{"delivery timeout, next hop is busy, and the route is switched off", func(s *stage) {
			s.nextHopIsBusy()
			s.reroute(switchOff)
			s.settled()
			s.rests(1, "", "sending sent queued sending queued sent", "1@0 accepted done queued, 2@1 throttled")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"delivery timeout, and the next hop is busy to the end: the first may still deliver", func(s *stage) {
			s.reroute(impatient)
			s.twilio.script = []answer{{}, busy(), busy(), busy()}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent queued sending queued sending queued sending queued sent",
				"1@0 accepted done queued, 2@1 transient, 3@1 transient, 4@1 transient")
			s.posted(s.first, s.second, s.second, s.second)
			s.left(0, 0)
		}},
		{"delivery timeout, and the next hop refuses", func(s *stage) {
			s.reroute(impatient)
			s.twilio.script = []answer{{}, refused(fault.Unreachable, 21614)}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done queued, 2@1 unreachable done")
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent undelivered", "1@0 accepted done undelivered, 2@1 unreachable done")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
	}
}

// nextHopIsBusy brings a text that the first hop has, and has not confirmed, to where it waits for the second's turn.
func (s *stage) nextHopIsBusy() {
	s.t.Helper()
	s.reroute(impatient)
	s.twilio.script = []answer{{}, busyFor(longer)}
	s.queued(1)
	s.until(s.waitsAfter(2))
}
