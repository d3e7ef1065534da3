package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// until pumps second by second until that long after the start.
func (s *sender) until(after time.Duration) {
	s.t.Helper()
	for s.clock.Now().Sub(started) < after {
		s.pump()
		s.clock.Advance(time.Second)
	}
}

// postedAt returns when, from the start, each POST was made.
func (s *sender) postedAt() []time.Duration {
	var at []time.Duration
	for _, p := range s.twilio.Posts() {
		at = append(at, p.At.Sub(started))
	}
	return at
}

// No receipt comes: the next hop is due when the time is over, however far away that is.
func TestDeliveryTimeout(t *testing.T) {
	for _, patience := range []time.Duration{
		10 * time.Second, 15 * time.Minute, 15*time.Minute + time.Second,
		47 * time.Minute, 2 * time.Hour,
	} {
		t.Run(patience.String(), func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(patience))
			s.faults.hook = func(op string) error {
				if op == "timers before Send" && s.clock.Now().Sub(started) > patience {
					t.Error("a timer is set though it was due")
				}
				return nil
			}
			s.queueUp(textOf(1, nil))
			s.drain()
			if diff := cmp.Diff([]time.Duration{0, patience}, s.postedAt()); diff != "" {
				t.Errorf("POSTs at (-want +got):\n%s", diff)
			}
			s.checkPhones(first, second)
			s.checkState(1, ledger.Sent, "")
			s.checkOutcomes("1@0 accepted done queued, 2@1 accepted queued")
			if len(s.asked) != 0 {
				t.Errorf("timers were held in flight: %v", s.asked)
			}
			if s.measured["Cascaded delivery_timeout"] != 1 || s.measured["Relayed"] != 2 {
				t.Errorf("measured %v", s.measured)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// Without a next hop, and where Twilio was given no address for receipts, there is nothing to wait for.
func TestNoTimerIsSet(t *testing.T) {
	for name, change := range map[string]func(s *sender){
		"off":         func(*sender) {},
		"no next hop": func(s *sender) { s.reroute(func(r *route.Route) { timeout(time.Minute)(r); r.FallbackCarriers = nil }) },
		"no receipts": func(s *sender) { s.reroute(timeout(time.Minute)); s.PublicBaseURL = "" },
		"all opted out but one": func(s *sender) {
			s.reroute(func(r *route.Route) { timeout(time.Minute)(r); r.OptedOut = []sms.PhoneNumber{second} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			change(s)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			if n := len(s.timers.Messages()); n != 0 {
				t.Errorf("%d timers", n)
			}
		})
	}
}

// What Twilio says when it is asked, before a hop is given up: the receipt may be what was lost.
func TestDeliveryTimeoutAsksTwilio(t *testing.T) {
	for name, tt := range map[string]struct {
		status   sms.Status
		code     int
		state    ledger.State
		reason   ledger.Reason
		phones   []sms.PhoneNumber
		outcomes string
	}{
		"delivered": {sms.StatusDelivered, 0, ledger.Delivered, "", []sms.PhoneNumber{first}, "1@0 accepted delivered"},
		"read":      {sms.StatusRead, 0, ledger.Delivered, "", []sms.PhoneNumber{first}, "1@0 accepted read"},
		"undelivered": {
			sms.StatusUndelivered, 30003, ledger.Sent, "",
			[]sms.PhoneNumber{first, second},
			"1@0 accepted done undelivered, 2@1 accepted queued",
		},
		"filtered":     {sms.StatusUndelivered, 30034, ledger.Undelivered, "", []sms.PhoneNumber{first}, "1@0 accepted undelivered"},
		"overflowed":   {sms.StatusFailed, 30001, ledger.Sent, "", []sms.PhoneNumber{first, first}, "1@0 accepted failed, 2@0 accepted queued"},
		"sent":         {sms.StatusSent, 0, ledger.Sent, "", []sms.PhoneNumber{first, second}, "1@0 accepted done queued, 2@1 accepted queued"},
		"still queued": {sms.StatusQueued, 0, ledger.Sent, "", []sms.PhoneNumber{first, second}, "1@0 accepted done queued, 2@1 accepted queued"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.twilio.Become(1, tt.status, tt.code)
			s.until(20 * time.Minute)
			if len(tt.phones) == 2 && tt.phones[1] == first {
				// The second message of the first hop timed out, too.
				tt.phones = append(tt.phones, second)
				tt.outcomes = "1@0 accepted failed, 2@0 accepted done queued, 3@1 accepted queued"
			}
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// Twilio does not know the message: then nobody will get it.
func TestDeliveryTimeoutOfAMessageThatIsGone(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(time.Minute))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.faults.hook = func(op string) error {
		if op == "twilio before Fetch" {
			return &fault.Error{Kind: fault.Permanent, Code: 20404, HTTPStatus: 404}
		}
		return nil
	}
	s.drain()
	s.checkPhones(first, second)
}

// While Twilio cannot be asked, no hop is given up.
func TestDeliveryTimeoutCannotAskTwilio(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Fatal} {
		t.Run(kind.String(), func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.fail("twilio before Fetch", broken(kind, 3)...)
			s.until(61 * time.Second)
			s.checkPosts(1)
			s.checkState(1, ledger.Sent, "")
			s.twilio.Become(1, sms.StatusDelivered, 0)
			s.drain()
			s.checkPosts(1)
			s.checkState(1, ledger.Delivered, "")
		})
	}
}

// A receipt in time ends the wait.
func TestReceiptBeforeTheTimeout(t *testing.T) {
	for status, phones := range map[sms.Status][]sms.PhoneNumber{
		sms.StatusDelivered: {first}, sms.StatusSent: {first, second}, sms.StatusUndelivered: {first, second},
	} {
		t.Run(string(status), func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.clock.Advance(10 * time.Second)
			s.tell(1, status, 30003)
			s.drain()
			s.checkPhones(phones...)
		})
	}
}

// timerOf returns the envelope of a timer of text 1.
func timerOf(attempt int, due time.Time) queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindTimer, RelayID: relaytest.MessageSid(1), ReceivedAt: started,
		Timer: &queue.Timer{Attempt: attempt, Due: due},
	}
}

// setTimer puts a timer of text 1 on its queue.
func (s *sender) setTimer(attempt int, due time.Time) {
	s.t.Helper()
	out, err := timerOf(attempt, due).Outgoing()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.timers.Send(context.Background(), out); err != nil {
		s.t.Fatal(err)
	}
}

// Timers come twice, late, early, of attempts long gone and of texts that were never claimed: none of that moves a text
// that needs nothing.
func TestTimersThatChangeNothing(t *testing.T) {
	for name, attempt := range map[string]int{"of the last attempt": 2, "of an attempt before": 1, "of an attempt to come": 3} {
		for _, state := range []sms.Status{sms.StatusQueued, sms.StatusDelivered, sms.StatusUndelivered} {
			t.Run(name+", "+string(state), func(t *testing.T) {
				s := newSender(t)
				s.twilio.answer = answers(refusal(fault.Unreachable, 21614))
				s.queueUp(textOf(1, nil))
				s.drain()
				s.tell(2, state, 0)
				s.drain()
				before := s.ledger.Changes()
				for _, due := range []time.Duration{-time.Hour, 0, time.Hour} {
					s.setTimer(attempt, started.Add(due))
				}
				s.drain()
				s.checkPosts(2)
				if diff := cmp.Diff(before, s.ledger.Changes()); diff != "" {
					t.Errorf("ledger (-before +after):\n%s", diff)
				}
			})
		}
	}
	t.Run("of a text that was never claimed", func(t *testing.T) {
		s := newSender(t)
		s.setTimer(1, started)
		s.drain()
		if n := len(s.ledger.Changes()); n != 0 {
			t.Errorf("%d changes of the ledger", n)
		}
	})
}

// A text was given up, and a receipt says that it is under way after all: its delivery is waited for from then on, also if
// the timer for that cannot be set at first.
func TestTimeoutOfATextThatWasGivenUp(t *testing.T) {
	for name, errs := range map[string][]error{"at once": nil, "at last": broken(fault.Transient, 2), "doubtful": broken(fault.Unknown, 1)} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), time.Hour
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			s.fail("timers before Send", errs...)
			s.tell(1, sms.StatusSent, 0)
			s.drain()
			s.checkPhones(first, second)
			s.checkState(1, ledger.Sent, "")
			s.checkOutcomes("1@0 accepted done sent, 2@1 accepted queued")
		})
	}
}

// Twilio has two messages of a text, because it took what it had turned away. Before both are given up, it is asked about both.
func TestTimeoutAsksAboutEachMessage(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second sms.Status
		phones        []sms.PhoneNumber
		state         ledger.State
	}{
		"the first was delivered": {sms.StatusDelivered, sms.StatusSent, []sms.PhoneNumber{first, first}, ledger.Delivered},
		"the first was lost, the second is under way": {
			sms.StatusUndelivered, sms.StatusSent,
			[]sms.PhoneNumber{first, first, second},
			ledger.Sent,
		},
		"both are under way": {sms.StatusSent, sms.StatusSent, []sms.PhoneNumber{first, first, second}, ledger.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.twilio.answer = answers(denied())
			s.queueUp(textOf(1, nil))
			s.until(10 * time.Second)
			s.tell(1, sms.StatusSent, 0)
			s.until(20 * time.Second)
			s.twilio.Become(1, tt.first, 30003)
			s.twilio.Become(2, tt.second, 0)
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, "")
		})
	}
}

// The sender stops for a while between setting that timer and writing the receipt: the timer does not go off before.
func TestTimerOfAReceiptThatIsWrittenLate(t *testing.T) {
	for name, late := range map[string]time.Duration{
		"as long as the timeout":   30 * time.Second,
		"as long as an invocation": 119 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(20 * time.Second))
			s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), time.Hour
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			s.faults.hook = func(op string) error {
				if op == "ledger before Update" {
					s.faults.hook = nil
					s.clock.Advance(late)
					s.pumpFrom(s.timers)
				}
				return nil
			}
			s.tell(1, sms.StatusSent, 0)
			s.drain()
			s.checkPhones(first, second)
			s.checkOutcomes("1@0 accepted done sent, 2@1 accepted queued")
		})
	}
}

// While the first attempt's outcome is being found out, its own message is at it: the timer waits, and then goes on.
func TestTimerDuringALook(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.twilio.answer = answers(refusal(fault.Unknown, 0))
	s.twilio.listLag = 30 * time.Second
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Sent, "")
	if at := s.postedAt()[1]; at < 42*time.Second {
		t.Errorf("second hop at %v, before the first was found", at)
	}
	checkChanges(t, s.ledger.Changes())
}

// A timer of an attempt that was refused has no message to ask Twilio about.
func TestTimerOfARefusedAttempt(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(time.Minute))
	s.twilio.answer = answers(nil, refusal(fault.Unreachable, 21614))
	s.queueUp(textOf(1, nil))
	s.until(2 * time.Minute)
	s.checkOutcomes("1@0 accepted done queued, 2@1 unreachable done")
	s.reroute(func(r *route.Route) { r.FallbackCarriers = append(r.FallbackCarriers, third) })
	s.faults.hook = func(op string) error {
		if op == "twilio before Fetch" {
			t.Error("Twilio is asked for a message that there is not")
		}
		return nil
	}
	s.setTimer(2, s.clock.Now())
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Sent, "")
}

// A timer further away than a queue's longest delay is a chain. It ends at the first link that finds the text delivered, and goes on
// while nobody knows.
func TestTimerOfADeliveredTextIsNotSetAgain(t *testing.T) {
	const link = 15 * time.Minute
	for name, tt := range map[string]struct {
		status sms.Status
		unread bool
		sets   int
	}{
		"delivered":                     {status: sms.StatusDelivered, sets: 1},
		"sent":                          {status: sms.StatusSent, sets: 2},
		"delivered, but nobody can see": {status: sms.StatusDelivered, unread: true, sets: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Hour))
			sets := 0
			s.faults.hook = func(op string) error {
				if op == "timers before Send" {
					sets++
				}
				return nil
			}
			s.queueUp(textOf(1, nil))
			s.pump()
			s.tell(1, tt.status, 0)
			s.pump()
			if tt.unread {
				s.fail("ledger before Get", broken(fault.Transient, 1)...)
			}
			s.clock.Advance(link)
			s.pump()
			if sets != tt.sets {
				t.Errorf("the timer was set %d times, want %d", sets, tt.sets)
			}
		})
	}
}
