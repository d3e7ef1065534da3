package delivery_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// The receipt is applied, and its timer cannot be set, or the answer is lost: the receipt comes back and sets it then.
func TestTimerOfALossIsNotSet(t *testing.T) {
	for _, op := range []string{"timers before Send", "timers after Send"} {
		for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Unknown, fault.Permanent, fault.Fatal} {
			t.Run(op+" "+kind.String(), func(t *testing.T) {
				s := newSender(t)
				s.queueUp(textOf(1, nil))
				s.checkBack(0)
				s.tell(1, sms.StatusUndelivered, 30003)
				s.fail(op, broken(kind, 2)...)
				if failed, _ := s.pumpFrom(s.queue); failed != 1 {
					t.Errorf("%d messages came back, want the receipt", failed)
				}
				s.checkState(1, ledger.Queued, ledger.ReasonNextHop)
				s.drain()
				s.checkPhones(first, second)
				s.checkState(1, ledger.Sent, "")
				checkChanges(t, s.ledger.Changes())
			})
		}
	}
}

// A timer comes twice at the same time: one of them goes on, and the other leaves the text to it.
func TestTimerComesTwice(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(time.Minute))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.setTimer(1, started.Add(time.Minute))
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 2 {
			s.setTimer(1, started.Add(time.Minute))
			s.pumpFrom(s.timers)
		}
		return nil
	}
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
	if s.measured["Cascaded delivery_timeout"] != 1 {
		t.Errorf("measured %v, want one cascade", s.measured)
	}
}

// untilItDies lets a sender work, and returns when it is done or has died, which ends its goroutine.
func untilItDies(work func()) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		work()
	}()
	<-stopped
}

// A timer comes twice at the same time. One worker gives the phone up and stops there; the other has read the record before, finds the
// route switched off, and deletes the message. The text goes on to its next phone all the same.
func TestTimerIsDeletedByItsTwin(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(time.Minute))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.clock.Advance(time.Minute)
	timers := s.receiveFrom(s.timers)
	s.faults.hook = func(op string) error {
		if op == "ledger after Update" {
			s.faults.hook = nil
			s.died = true
			if err := s.timers.Delete(context.Background(), []string{timers[0].ReceiptHandle}); err != nil {
				t.Error(err)
			}
			runtime.Goexit()
		}
		return nil
	}
	untilItDies(func() { _, _ = s.Handle(context.Background(), batchOf(timers)) })
	s.checkState(1, ledger.Queued, ledger.ReasonDeliveryTimeout)
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}

// The timer is set, and the claim comes to nothing. The next claim is given its own time.
func TestTimerBeforeTheClaim(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.fail("ledger before Create", broken(fault.Transient, 1)...)
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.clock.Advance(8 * time.Second)
	s.drain()
	if diff := cmp.Diff([]time.Duration{8 * time.Second, 18 * time.Second}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
}

// The claim is so slow that the timer is due before it is written: the timer waits for it.
func TestTimerIsDueBeforeTheClaim(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.faults.hook = func(op string) error {
		switch op {
		case "timers after Send":
			s.clock.Advance(5 * time.Second)
		case "ledger before Create":
			s.faults.hook = nil
			s.clock.Advance(5 * time.Second)
			if failed, received := s.pumpFrom(s.timers); failed != 1 || received != 1 {
				t.Errorf("%d of %d timers came back", failed, received)
			}
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPhones(first, second)
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}

// Setting the timer takes so long that it might be due before the claim: another is set, and the claim has its time.
func TestTimerIsSlow(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.faults.hook = once(s, "timers after Send", func() { s.clock.Advance(6 * time.Second) })
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	if n := len(s.timers.Messages()); n != 2 {
		t.Errorf("%d timers, want 2", n)
	}
	s.drain()
	if diff := cmp.Diff([]time.Duration{6 * time.Second, 16 * time.Second}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
}

// A timer finds a text whose own message has it in hand, be it that it waits or is looked for: it leaves it alone.
func TestTimerOfATextThatWaits(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.twilio.answer = answers(&fault.Error{Kind: fault.Throttled, RetryAfter: time.Minute})
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.clock.Advance(10 * time.Second)
	if failed, received := s.pumpFrom(s.timers); failed != 0 || received != 1 {
		t.Errorf("%d of %d timers came back", failed, received)
	}
	s.checkPosts(1)
}

// Two timers time the same attempt out at the same moment: it is counted once.
func TestTimersMeet(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(time.Minute))
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.clock.Advance(time.Minute)
	deliveries := s.receiveFrom(s.timers)
	s.setTimer(1, started.Add(time.Minute))
	s.faults.hook = once(s, "ledger before Update", func() { s.pumpFrom(s.timers) })
	response, err := s.Handle(t.Context(), batchOf(deliveries))
	if err != nil || len(response.BatchItemFailures) != 0 {
		t.Errorf("answer %+v, error %v", response, err)
	}
	s.checkPhones(first, second)
	if s.measured["Cascaded delivery_timeout"] != 1 {
		t.Errorf("measured %v, want one cascade", s.measured)
	}
	checkChanges(t, s.ledger.Changes())
}

// The timer cannot be set: there is no claim without it, and no attempt is spent.
func TestTimerCannotBeSet(t *testing.T) {
	for _, op := range []string{"timers before Send", "timers after Send"} {
		s := newSender(t)
		s.reroute(timeout(time.Minute))
		s.fail(op, broken(fault.Unknown, 4)...)
		s.queueUp(textOf(1, nil))
		s.checkBack(1)
		if n := len(s.ledger.Changes()); n != 0 {
			t.Errorf("%s: %d changes of the ledger", op, n)
		}
		s.drain()
		s.checkPhones(first, second)
		posts := s.twilio.Posts()
		if got := posts[1].At.Sub(posts[0].At); got != time.Minute {
			t.Errorf("%s: second hop after %v", op, got)
		}
	}
}

// The sender dies at some point of a cascade that a timer moves; the timer comes back and goes on.
func TestCascadeIsInterrupted(t *testing.T) {
	for name, tt := range map[string]struct {
		op     string
		n      int
		phones []sms.PhoneNumber
		state  ledger.State
		reason ledger.Reason
	}{
		"before it is given up":           {"ledger before Update", 3, []sms.PhoneNumber{first, second}, ledger.Sent, ""},
		"after it was given up":           {"ledger after Update", 3, []sms.PhoneNumber{first, second}, ledger.Sent, ""},
		"the route is not known":          {"routes before Lookup", 3, []sms.PhoneNumber{first, second}, ledger.Sent, ""},
		"the record is not read":          {"ledger before Get", 3, []sms.PhoneNumber{first, second}, ledger.Sent, ""},
		"all that is written is doubtful": {"ledger after Update", 7, []sms.PhoneNumber{first, second}, ledger.Sent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Minute))
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.clock.Advance(time.Minute)
			s.fail(tt.op, broken(fault.Unknown, tt.n)...)
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The sender of the second hop dies in its POST. What became of it is found out as with the first.
func TestSenderDiesAtTheSecondHop(t *testing.T) {
	for name, tt := range map[string]struct {
		lag    time.Duration
		err    error
		phones []sms.PhoneNumber
		state  ledger.State
		reason ledger.Reason
	}{
		"found":  {0, nil, []sms.PhoneNumber{first, second}, ledger.Sent, ""},
		"absent": {time.Hour, nil, []sms.PhoneNumber{first, second}, ledger.Uncertain, ledger.ReasonUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.listLag = tt.lag
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.fail("ledger before Update", nil, nil, broken(fault.Transient, 1)[0], broken(fault.Transient, 1)[0], broken(fault.Transient, 1)[0])
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, tt.state, tt.reason)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// Noting that a phone is sent a text takes so long that the text would go out long after the time that was noted: it is noted again, and
// the timer is set after that.
func TestEntryIsSlow(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.faults.hook = once(s, "conversations after PutPhone", func() { s.clock.Advance(time.Minute) })
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	phone, err := s.conversations.GetPhone(t.Context(), conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: first})
	if err != nil || len(phone.Exchanges) != 1 || !phone.Exchanges[0].SentAt.Equal(started.Add(time.Minute)) {
		t.Errorf("noted %+v, error %v", phone.Exchanges, err)
	}
	s.drain()
	if diff := cmp.Diff([]time.Duration{time.Minute, time.Minute + 10*time.Second}, s.postedAt()); diff != "" {
		t.Errorf("POSTs at (-want +got):\n%s", diff)
	}
}
