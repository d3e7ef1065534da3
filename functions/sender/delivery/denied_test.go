package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The first attempt was refused with a 429 and taken all the same; the second attempt at the phone was not answered. What
// Twilio lists is taken for the second one's only if it lists enough for both.
func TestFoundMessageOfARefusedAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		second   error
		status   sms.Status
		state    ledger.State
		reason   ledger.Reason
		outcomes string
	}{
		"the second was not taken": {
			lostPost(), sms.StatusSent, ledger.Uncertain, ledger.ReasonAmbiguous,
			"1@0 throttled, 2@0 unknown",
		},
		"the second was not taken, the first was lost": {
			lostPost(), sms.StatusUndelivered, ledger.Uncertain, ledger.ReasonAmbiguous,
			"1@0 throttled, 2@0 unknown",
		},
		"the second was not taken, the first delivered": {
			lostPost(), sms.StatusDelivered, ledger.Uncertain, ledger.ReasonAmbiguous,
			"1@0 throttled, 2@0 unknown",
		},
		"both were taken": {lostAnswer(), sms.StatusUndelivered, ledger.Sent, "", "1@0 throttled, 2@0 accepted queued"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(denied(), tt.second)
			s.queueUp(textOf(1, nil))
			s.until(3 * time.Second)
			s.twilio.Become(1, tt.status, 30003)
			s.drain()
			s.checkPhones(first, first)
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The receipt of the first message says whose it is. The second attempt stays in doubt, and so does the text once the first
// message is lost.
func TestReceiptOfARefusedAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		status   sms.Status
		before   bool
		state    ledger.State
		reason   ledger.Reason
		outcomes string
	}{
		"sent":      {sms.StatusSent, false, ledger.Sent, "", "1@0 accepted sent, 2@0 unknown"},
		"delivered": {sms.StatusDelivered, false, ledger.Delivered, "", "1@0 accepted delivered, 2@0 unknown"},
		"undelivered": {
			sms.StatusUndelivered, false, ledger.Uncertain, ledger.ReasonAmbiguous,
			"1@0 accepted undelivered, 2@0 unknown",
		},
		"sent, before a look": {sms.StatusSent, true, ledger.Sent, "", "1@0 accepted sent, 2@0 unknown"},
		"undelivered, before a look": {
			sms.StatusUndelivered, true, ledger.Uncertain, ledger.ReasonUnknownOutcome,
			"1@0 accepted undelivered, 2@0 unknown",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(denied(), lostPost())
			s.queueUp(textOf(1, nil))
			s.until(3 * time.Second)
			if !tt.before {
				s.drain()
			}
			s.tell(1, tt.status, 30003)
			s.drain()
			s.checkPhones(first, first)
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// A refused attempt of another text of the same words counts as well.
func TestFoundMessageOfAnotherTextThatWasRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		state  ledger.State
		reason ledger.Reason
	}{
		"by Twilio":            {429, ledger.Uncertain, ledger.ReasonAmbiguous},
		"before it had Twilio": {0, ledger.Sent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(lostPost())
			s.remember(2, -time.Second, "", fault.Throttled.String(), func(r *ledger.Record) { r.Attempts[0].HTTPStatus = tt.status })
			s.twilio.Add(alike(91, 0))
			s.queueUp(textOf(1, same))
			s.drain()
			s.checkPosts(1)
			s.checkState(1, tt.state, tt.reason)
		})
	}
}

// A look took the wrong one of two messages for the attempt's. Once a receipt says whose it is, the attempt is in doubt again.
func TestReceiptTakesAFoundMessageAway(t *testing.T) {
	s := newSender(t)
	s.twilio.answer, s.twilio.listLag = answers(denied(), lostAnswer()), 0
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkOutcomes("1@0 throttled, 2@0 accepted queued")
	s.checkFound(relaytest.OutboundSid(2))
	// Twilio's seconds had them in another order.
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(2), sms.StatusUndelivered))
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	s.checkOutcomes("1@0 accepted undelivered, 2@0 unknown")
	s.queueUp(receiptOf(1, 2, relaytest.OutboundSid(1), sms.StatusDelivered))
	s.drain()
	s.checkState(1, ledger.Delivered, "")
	s.checkOutcomes("1@0 accepted undelivered, 2@0 accepted delivered")
	checkChanges(t, s.ledger.Changes())
}

// checkFound holds the message that the last attempt was found to have against what it must be.
func (s *sender) checkFound(sid string) {
	s.t.Helper()
	if last, _ := s.record(1).Current(); last.OutboundSid != sid || !last.Found {
		s.t.Errorf("attempt %+v, want %s found", last, sid)
	}
}

// fallbacks gives the route that many phones after the first, and a timeout of a minute.
func fallbacks(n int) func(r *route.Route) {
	return func(r *route.Route) {
		r.FallbackCarriers = []sms.PhoneNumber{second, third}[:n]
		timeout(time.Minute)(r)
	}
}

// The attempts at the second phone are used up by one that was refused and taken all the same, so that the text rests on what
// was sent before. Its receipt comes when its timer has come and gone: the third phone is tried all the same, the timeout
// after that.
func TestTimeoutOfAnAttemptThatWasRefusedAndTaken(t *testing.T) {
	for name, errs := range map[string][]error{
		"at once": nil, "the timer at last": broken(fault.Transient, 2),
		"doubtful": broken(fault.Unknown, 1),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(fallbacks(2))
			s.Policy.MaxAttempts = 1
			s.twilio.answer = answers(nil, cutAndTaken())
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPhones(first, second)
			s.checkState(1, ledger.Sent, "")
			s.fail("timers before Send", errs...)
			s.tell(2, sms.StatusSent, 0)
			told := s.clock.Now()
			s.drain()
			s.checkPhones(first, second, third)
			s.checkOutcomes("1@0 accepted done queued, 2@1 accepted done sent, 3@2 accepted queued")
			if at := s.twilio.Posts()[2].At; at.Before(told.Add(time.Minute)) {
				t.Errorf("third phone at %v, told at %v", at, told)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The receipt of a refused attempt comes while the next attempt at the phone is under way, which fails too: the text rests on
// the first one's message, and the timeout counts from that.
func TestTimeoutOfTheAttemptBefore(t *testing.T) {
	for name, tt := range map[string]struct {
		second   error
		phones   []sms.PhoneNumber
		state    ledger.State
		reason   ledger.Reason
		outcomes string
	}{
		"refused": {
			refusal(fault.Throttled, 20429),
			[]sms.PhoneNumber{first, first, second},
			ledger.Sent, "",
			"1@0 accepted done sent, 2@0 throttled, 3@1 accepted queued",
		},
		"no answer": {
			lostPost(),
			[]sms.PhoneNumber{first, first},
			ledger.Uncertain, ledger.ReasonUnknownOutcome,
			"1@0 accepted done sent, 2@0 unknown",
		},
		"no answer, taken": {
			lostAnswer(),
			[]sms.PhoneNumber{first, first, second},
			ledger.Sent, "",
			"1@0 accepted done sent, 2@0 accepted done queued, 3@1 accepted queued",
		},
		"refused for good": {
			refusal(fault.Permanent, 21606),
			[]sms.PhoneNumber{first, first},
			ledger.Sent, "",
			"1@0 accepted sent, 2@0 permanent",
		},
		"refused and taken": {
			denied(),
			[]sms.PhoneNumber{first, first, second},
			ledger.Sent, "",
			"1@0 accepted done sent, 2@0 throttled, 3@1 accepted queued",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(fallbacks(1))
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				switch n {
				case 1:
					return denied()
				case 2:
					s.tell(1, sms.StatusSent, 0)
					s.pumpFrom(s.queue)
					return tt.second
				}
				return nil
			}
			timers := 0
			s.faults.hook = func(op string) error {
				if op == "timers before Send" {
					timers++
				}
				return nil
			}
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			if timers > 5 {
				t.Errorf("%d timers were set", timers)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The letter of a dead text is moved back. Meanwhile a receipt says that Twilio has an earlier attempt's message. The sender waits
// for that message, and then goes on to the next phone.
func TestTimeoutOfADeadTextThatWasTaken(t *testing.T) {
	s := newSender(t)
	s.reroute(fallbacks(1))
	s.Policy.MaxAttempts = 2
	s.twilio.answer = answers(cutAndTaken(), refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	s.tell(1, sms.StatusSent, 0)
	s.drain()
	s.moveBack()
	s.drain()
	s.checkPhones(first, first, second)
	s.checkOutcomes("1@0 accepted done sent, 2@0 transient, 3@1 accepted queued")
	checkChanges(t, s.ledger.Changes())
}

// Twilio has two messages of the text for the phone, because it took the one that it refused. While one of them may still be
// delivered, however the other ended, nothing is sent to the next phone; when that one is late or lost, too, it is.
func TestTwoMessagesForOnePhone(t *testing.T) {
	for name, second1 := range map[string]error{"taken": nil, "refused for this phone": refusal(fault.Unreachable, 21614)} {
		for end, status := range map[string]sms.Status{"late": sms.StatusSent, "lost": sms.StatusUndelivered} {
			t.Run(name+", the first "+end, func(t *testing.T) {
				s := newSender(t)
				s.reroute(fallbacks(1))
				s.twilio.answer = func(n int, _ sms.Outbound) error {
					if n == 2 {
						s.tell(1, sms.StatusSent, 0)
						s.pumpFrom(s.queue)
					}
					return answers(denied(), second1)(n, sms.Outbound{})
				}
				s.queueUp(textOf(1, nil))
				s.until(30 * time.Second)
				if name == "taken" {
					s.twilio.Become(2, sms.StatusUndelivered, 30003)
					s.tell(2, sms.StatusUndelivered, 30003)
				}
				s.until(40 * time.Second)
				s.checkPhones(first, first)
				s.checkState(1, ledger.Sent, "")
				if end == "lost" {
					s.tell(1, status, 30003)
				}
				s.drain()
				s.checkPhones(first, first, second)
				s.checkState(1, ledger.Sent, "")
				checkChanges(t, s.ledger.Changes())
			})
		}
	}
}

// At the timeout, Twilio says that the later of two messages for a phone is lost; of the earlier one it has heard nothing. No
// other timer comes: that one is late, too.
func TestTimeoutOfTwoMessages(t *testing.T) {
	s := newSender(t)
	s.reroute(fallbacks(1))
	s.twilio.answer = answers(denied())
	s.queueUp(textOf(1, nil))
	s.until(10 * time.Second)
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusSent))
	s.until(20 * time.Second)
	s.twilio.Become(2, sms.StatusUndelivered, 30003)
	s.drain()
	s.checkPhones(first, first, second)
	s.checkOutcomes("1@0 accepted done sent, 2@0 accepted undelivered, 3@1 accepted queued")
}
