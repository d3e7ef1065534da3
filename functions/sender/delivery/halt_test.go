package delivery_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// queueUpAll puts one text each of that many customers on the queue.
func (s *sender) queueUpAll(customers int) {
	s.t.Helper()
	for n := 1; n <= customers; n++ {
		s.queueUp(textOf(n, by(n-1)))
	}
}

// The first text that finds the account unusable holds all others of the process back, unclaimed.
func TestFatalHoldsAllTexts(t *testing.T) {
	s := newSender(t)
	s.Concurrency = 1
	s.twilio.answer = always(refusal(fault.Fatal, 20003))
	s.queueUpAll(6)
	s.checkBack(6)
	s.checkPosts(1)
	if n := len(s.ledger.Changes()); n != 2 {
		t.Errorf("%d changes of the ledger, want the one text's claim and failure", n)
	}
	if s.measured["Halted"] != 6 || len(s.dead.Messages()) != 0 {
		t.Errorf("measured %v, want all six held", s.measured)
	}
	for handle, wait := range s.asked {
		if wait != policy.HaltDelay {
			t.Errorf("%s comes back after %v, want %v", handle, wait, policy.HaltDelay)
		}
	}
}

// One probe at a time goes through, and as soon as one is answered, with a yes or a refusal of the text, all may go again.
func TestHaltEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		answer error
		state  ledger.State
	}{
		"with success":    {nil, ledger.Sent},
		"with a refusal":  {refusal(fault.Permanent, 21617), ledger.Failed},
		"with a hop's no": {refusal(fault.Unreachable, 21614), ledger.Sent},
		"with an opt-out": {refusal(fault.OptedOut, 21610), ledger.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Concurrency = 1
			s.twilio.answer = answers(refusal(fault.Fatal, 20003), refusal(fault.Fatal, 20003), tt.answer)
			s.queueUpAll(6)
			s.checkBack(6)
			s.clock.Advance(policy.HaltDelay)
			s.checkBack(6)
			s.checkPosts(2)
			s.clock.Advance(policy.HaltDelay)
			s.checkBack(0)
			for n := 1; n <= 6; n++ {
				if r := s.record(n); r.State == ledger.Queued || r.State == ledger.Sending {
					t.Errorf("text %d is %q", n, r.State)
				}
			}
			s.checkState(6, ledger.Sent, "")
			if len(s.dead.Messages()) != 0 {
				t.Error("texts burnt into the dead letters")
			}
			if first := s.record(1); first.State != tt.state && s.twilio.Posts()[2].Ref.RelayID == first.MessageSid {
				t.Errorf("probe is %q, want %q", first.State, tt.state)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// A halt ends in a process that was frozen meanwhile, and in one whose clock was ahead when it began.
func TestHaltGoesByWallTime(t *testing.T) {
	for name, passed := range map[string]time.Duration{"frozen": policy.HaltDelay, "set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Concurrency = 1
			read := relaytest.NewFrozenClock(s.clock.Now())
			s.Now = clock.Of(read.Now)
			s.twilio.answer = answers(refusal(fault.Fatal, 20003), nil)
			s.queueUpAll(2)
			s.checkBack(2)
			s.clock.Advance(policy.HaltDelay)
			read.Freeze(passed)
			s.checkBack(0)
			s.checkPosts(3)
		})
	}
}

// While the probe is under way, and also if its answer says nothing about the account, the others are held.
func TestOneProbeAtATime(t *testing.T) {
	for name, answer := range map[string]error{
		"trouble": refusal(fault.Transient, 0), "too much": refusal(fault.Throttled, 20429),
		"no answer": lostPost(),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Concurrency = 1
			s.twilio.answer = answers(refusal(fault.Fatal, 20003), answer)
			s.queueUpAll(6)
			s.checkBack(6)
			s.clock.Advance(policy.HaltDelay)
			s.checkBack(6)
			s.checkPosts(2)
			s.drain()
			for n := 1; n <= 6; n++ {
				if r := s.record(n); r.State != ledger.Sent && r.State != ledger.Uncertain {
					t.Errorf("text %d is %q", n, r.State)
				}
			}
		})
	}
	t.Run("side by side", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newSender(t)
			s.Concurrency = 1
			s.twilio.answer = answers(refusal(fault.Fatal, 20003))
			s.queueUpAll(6)
			s.checkBack(6)
			s.clock.Advance(policy.HaltDelay)
			s.Concurrency = 6
			s.twilio.answer = func(int, sms.Outbound) error {
				time.Sleep(time.Second)
				return nil
			}
			s.checkBack(5)
			s.checkPosts(2)
		})
	})
}

// A text that is in flight when the account is found unusable, and is taken, shows that it is not.
func TestSuccessWhileHalted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		s.twilio.answer = func(n int, _ sms.Outbound) error {
			if n == 1 {
				time.Sleep(time.Second / 2)
				return refusal(fault.Fatal, 20003)
			}
			time.Sleep(time.Second)
			return nil
		}
		s.Concurrency = 2
		s.queueUpAll(2)
		s.pump()
		s.queueUp(textOf(3, by(2)))
		s.checkBack(0)
	})
}

// Days of it spend no attempt; what becomes too old meanwhile is a dead letter, whether it was tried itself or only held.
func TestHaltSpendsNothing(t *testing.T) {
	s := newSender(t)
	until := started.Add(3 * time.Hour)
	s.twilio.answer = func(int, sms.Outbound) error {
		if s.clock.Now().Before(until) {
			return refusal(fault.Fatal, 20403)
		}
		return nil
	}
	s.queueUpAll(6)
	s.drain()
	for n := 1; n <= 6; n++ {
		s.checkState(n, ledger.Sent, "")
		r := s.record(n)
		if last, _ := r.Current(); len(r.Attempts) != 1 || !last.Accepted() {
			t.Errorf("text %d: %s", n, outcomes(r))
		}
	}
	// Each five minutes, one of them has tried.
	if n := len(s.twilio.Posts()); n > 36+12+6 {
		t.Errorf("%d POSTs in three hours", n)
	}
	until = started.Add(100 * time.Hour)
	late := func(n int) queue.Envelope {
		return textOf(n, func(e *queue.Envelope) { by(n)(e); e.ReceivedAt = s.clock.Now() })
	}
	// More texts than there are five minutes in the four hours: not every one of them is tried itself.
	const last = 6 + 60
	for n := 7; n <= last; n++ {
		s.queueUp(late(n))
	}
	s.drain()
	held := 0
	for n := 7; n <= last; n++ {
		s.checkState(n, ledger.Dead, ledger.ReasonExpired)
		if len(s.record(n).Attempts) == 0 {
			held++
		}
	}
	if n := len(s.dead.Messages()); n != last-6 || held == 0 {
		t.Errorf("%d dead letters, %d of them never tried; want %d, and some", n, held, last-6)
	}
	// The account is back, and so are the texts.
	until = s.clock.Now()
	for n := 7; n <= last && len(s.dead.Messages()) > 0; n++ {
		s.moveBack()
		s.clock.Advance(visibility)
	}
	s.drain()
	for n := 7; n <= last; n++ {
		s.checkState(n, ledger.Sent, "")
	}
	checkChanges(t, s.ledger.Changes())
}

// A text that is held books no moment: others may have it.
func TestHeldTextsDoNotBook(t *testing.T) {
	s := newSender(t)
	s.Concurrency, s.PacePair = 1, pace.Limit{N: 1, Per: time.Minute}
	s.twilio.answer = answers(refusal(fault.Fatal, 20003))
	bookings := s.booked()
	s.queueUpAll(6)
	s.checkBack(6)
	if *bookings != 1 {
		t.Errorf("%d bookings, want that of the text that tried", *bookings)
	}
}

// Texts come back at different moments, so that not all of them ask at once.
func TestHeldTextsAreSpread(t *testing.T) {
	s := newSender(t)
	s.Concurrency = 1
	spread := 0.0
	s.Spread = func() float64 {
		spread += 0.125
		return spread
	}
	s.twilio.answer = always(refusal(fault.Fatal, 20003))
	s.queueUpAll(4)
	s.checkBack(4)
	waits := map[time.Duration]bool{}
	for _, wait := range s.asked {
		waits[wait] = true
		if wait < policy.HaltDelay || wait > policy.HaltDelay*5/4 {
			t.Errorf("wait %v", wait)
		}
	}
	if len(waits) != 4 {
		t.Errorf("waits %v, want four different ones", waits)
	}
}

// A text that has a receipt is not held, and receipts are still processed.
func TestReceiptsGoOnWhileHalted(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(nil, refusal(fault.Fatal, 20003))
	s.queueUp(textOf(1, by(0)))
	s.checkBack(0)
	s.queueUp(textOf(2, by(1)))
	s.checkBack(1)
	s.tell(1, sms.StatusDelivered, 0)
	s.checkBack(0)
	s.checkState(1, ledger.Delivered, "")
}

// The next hop of a text is held, too; the timer's message waits for it.
func TestCascadeIsHeld(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(nil, refusal(fault.Fatal, 20003))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.tell(1, sms.StatusUndelivered, 30003)
	s.drain()
	s.checkPhones(first, second, second)
	if diff := cmp.Diff([]time.Duration{0, 0, policy.HaltDelay}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}

// A probe that never is posted, because something else speaks against it, does not keep the halt going: the next text
// is the probe.
func TestProbeThatIsNotPosted(t *testing.T) {
	for name, hinder := range map[string]func(s *sender){
		"paced": func(s *sender) { s.PacePair = pace.Limit{N: 1, Per: time.Hour} },
		"pace not kept": func(s *sender) {
			s.fail("pace before Reserve", broken(fault.Transient, 1)...)
			s.PacePair = pace.Limit{N: 10, Per: time.Second}
		},
		"timer not set": func(s *sender) {
			s.reroute(timeout(time.Minute))
			s.fail("timers before Send", broken(fault.Transient, 1)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Concurrency = 1
			s.twilio.answer = answers(refusal(fault.Fatal, 20003))
			s.queueUp(textOf(9, func(e *queue.Envelope) { by(9)(e); e.Message.To = otherNumber }))
			s.checkBack(1)
			s.clock.Advance(policy.HaltDelay)
			s.receive()
			if name == "paced" {
				s.PacePair = pace.Limit{N: 1, Per: time.Hour}
				if _, err := s.pace.Reserve(t.Context(),
					pace.Request{Number: "+18585550100", To: first, Segments: 1, Limits: pace.Limits{Pair: s.PacePair}}, s.clock.Now()); err != nil {
					t.Fatal(err)
				}
			} else {
				hinder(s)
			}
			s.queueUp(textOf(1, by(1)), textOf(2, func(e *queue.Envelope) { by(2)(e); e.Message.To = otherNumber }))
			s.pump()
			s.checkState(2, ledger.Sent, "")
		})
	}
}

// Another process finds out for itself.
func TestHaltIsTheProcessesOwn(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Fatal, 20003))
	s.queueUp(textOf(1, by(0)))
	s.checkBack(1)
	s.Handler = delivery.New(*s.Config)
	s.twilio.answer = nil
	s.queueUp(textOf(2, by(1)))
	s.checkBack(0)
	if posts := s.twilio.Posts(); len(posts) != 2 {
		t.Error(fmt.Sprint(posts))
	}
}
