package states_test

import (
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// receipts are the stories of what Twilio says later.
func receipts() []story {
	return []story{
		{"receipts twice and out of order", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			for _, status := range []sms.Status{
				sms.StatusSent, sms.StatusSending, sms.StatusSent, sms.StatusDelivered, sms.StatusSent, sms.StatusDelivered,
				sms.StatusQueued, sms.StatusUndelivered, sms.StatusRead, sms.StatusDelivered,
			} {
				s.tell(1, status, 0)
			}
			s.settled()
			s.rests(1, "", "sending sent delivered", "1@0 accepted read")
			if got := s.record(1).Version; got != 5 {
				s.t.Errorf("the record was written %d times, want 5: claim, answer, sent, delivered, read", got)
			}
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"receipt of a text that nobody knows", unknownText},
		{"failed for good", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusFailed, 30034)
			s.settled()
			s.rests(1, ledger.ReasonReceipt, "sending sent failed", "1@0 accepted failed")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"undelivered, no hop left", func(s *stage) {
			s.reroute(noFallback)
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.rests(1, "", "sending sent undelivered", "1@0 accepted undelivered")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"lost because it was too much at once: the same hop again", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusFailed, 63017)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted failed, 2@0 accepted queued")
			s.posted(s.first, s.first)
			s.left(0, 0)
		}},
	}
}

func unknownText(s *stage) {
	ref := sms.CallbackRef{RelayID: s.sid(1), Attempt: 1}
	s.put(queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: s.now(),
		Receipt: &sms.Receipt{Sid: relaytest.MessageSid(s.serial + 99), Status: sms.StatusDelivered, CallbackRef: ref},
	})
	s.settled()
	if r := s.record(1); r.Version != 0 {
		s.t.Errorf("the receipt made a record: %+v", r)
	}
	s.left(0, 0)
}

// early are the stories in which a receipt is quicker than Twilio's answer.
func early() []story {
	before := func(name string, answer answer, status sms.Status, code int, reason ledger.Reason, path, attempts string) story {
		return story{name, func(s *stage) {
			s.reroute(noFallback)
			answer := answer
			answer.Meanwhile = func() {
				s.tell(1, status, code)
				s.meanwhile()
			}
			s.twilio.script = append(s.twilio.script, answer)
			s.queued(1)
			s.settled()
			s.rests(1, reason, path, attempts)
			s.posted(s.first)
			s.looked(0)
			s.left(0, 0)
		}}
	}
	return []story{
		before("receipt before the answer", answer{}, sms.StatusSent, 0, "", "sending sent", "1@0 accepted sent"),
		before("delivered before the answer", answer{}, sms.StatusDelivered, 0, "", "sending delivered", "1@0 accepted delivered"),
		before("undelivered before the answer", answer{}, sms.StatusUndelivered, 30003, "", "sending undelivered", "1@0 accepted undelivered"),
		before("failed before the answer", answer{}, sms.StatusFailed, 30034, ledger.ReasonReceipt, "sending failed", "1@0 accepted failed"),
		before("receipt, and the answer is lost", unheard(true, never), sms.StatusSent, 0, "", "sending sent", "1@0 accepted sent"),
		{"undelivered before the answer: next hop", func(s *stage) {
			s.twilio.script = []answer{during(answer{}, func() {
				s.tell(1, sms.StatusUndelivered, 30003)
				s.meanwhile()
			})}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending queued sending sent", "1@0 accepted done undelivered, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
	}
}

// crossed are the stories in which a receipt of one hop comes while the next is asked.
func crossed() []story {
	return []story{
		{"delivery timeout, undelivered of the first while the next hop is asked", func(s *stage) {
			s.reroute(impatient)
			next := busy()
			next.Meanwhile = func() {
				s.tell(1, sms.StatusUndelivered, 30003)
				s.meanwhile()
			}
			s.twilio.script = []answer{{}, next}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent queued sending queued sending sent", "1@0 accepted done undelivered, 2@1 transient, 3@1 accepted queued")
			s.posted(s.first, s.second, s.second)
			s.left(0, 0)
		}},
		{"delivery timeout, delivered of the first while the next hop is asked", func(s *stage) {
			s.reroute(impatient)
			s.twilio.script = []answer{{}, during(answer{}, func() {
				s.tell(1, sms.StatusDelivered, 0)
				s.meanwhile()
			})}
			s.queued(1)
			s.settled()
			s.rests(1, "", "sending sent queued sending delivered", "1@0 accepted done delivered, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
	}
}

// cascades are the stories in which a receipt leads to the next hop.
func cascades() []story {
	return []story{
		{"undelivered, next hop by timer", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.untilTexts(func() bool { return s.record(1).State == ledger.Queued && s.depth(s.texts) == 0 })
			s.posted(s.first)
			s.left(1, 0)
			s.settled()
			s.tell(2, sms.StatusDelivered, 0)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent delivered", "1@0 accepted done undelivered, 2@1 accepted delivered")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"undelivered at every hop", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settled()
			s.tell(2, sms.StatusUndelivered, 30005)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent undelivered", "1@0 accepted done undelivered, 2@1 accepted undelivered")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"undelivered, and the route is switched off before the next hop", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusUndelivered, 30003)
			s.untilTexts(s.is(ledger.Queued))
			s.reroute(switchOff)
			s.settled()
			s.rests(1, ledger.ReasonInactive, "sending sent queued undelivered", "1@0 accepted done undelivered")
			s.posted(s.first)
			s.left(0, 0)
		}},
		{"refused by the first hop, and the second is taken off the route", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Unreachable, 21614), busyFor(longer)}
			s.queued(1)
			s.until(s.waitsAfter(2))
			s.reroute(noFallback)
			s.settled()
			s.rests(1, ledger.ReasonRefused, "sending queued sending queued failed", "1@0 unreachable done, 2@1 throttled")
			s.posted(s.first, s.second)
			s.left(0, 0)
		}},
		{"opted out, says the receipt: marked, next hop", func(s *stage) {
			s.queued(1)
			s.until(s.is(ledger.Sent))
			s.tell(1, sms.StatusFailed, 21610)
			s.settled()
			s.rests(1, "", "sending sent queued sending sent", "1@0 accepted done failed, 2@1 accepted queued")
			s.posted(s.first, s.second)
			s.optedOut(s.first)
			s.left(0, 0)
		}},
	}
}
