package delivery_test

import (
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// A hop that was given up delivers after all. Where the cascade still can be stopped, it is; where not, it is recorded.
func TestLateDelivered(t *testing.T) {
	trouble, unreachable, unknown := refusal(fault.Transient, 0), refusal(fault.Unreachable, 21614), &fault.Error{Err: errLost}
	for name, tt := range map[string]struct {
		when     string
		attempts int
		answer   error
		phones   []sms.PhoneNumber
		outcomes string
	}{
		"before the next claim":   {"queued", 3, nil, []sms.PhoneNumber{first}, "1@0 accepted done delivered"},
		"in flight, taken":        {"in flight", 3, nil, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 accepted queued"},
		"in flight, trouble":      {"in flight", 3, trouble, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 transient"},
		"in flight, last attempt": {"in flight", 1, trouble, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 transient"},
		"in flight, refused": {
			"in flight", 3, unreachable,
			[]sms.PhoneNumber{first, second},
			"1@0 accepted done delivered, 2@1 unreachable done",
		},
		"in flight, no answer": {"in flight", 3, unknown, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 unknown"},
		"in flight, halted": {
			"in flight", 3, refusal(fault.Fatal, 20003),
			[]sms.PhoneNumber{first, second},
			"1@0 accepted done delivered, 2@1 fatal",
		},
		"after it was sent":       {"sent", 3, nil, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 accepted queued"},
		"while it is looked for":  {"sent", 3, unknown, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 unknown"},
		"while it waits to retry": {"sent", 3, trouble, []sms.PhoneNumber{first, second}, "1@0 accepted done delivered, 2@1 transient"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.Policy.MaxAttempts = tt.attempts
			s.reroute(timeout(time.Minute))
			deliver := func() {
				s.tell(1, sms.StatusDelivered, 0)
				s.pumpFrom(s.queue)
				s.checkState(1, ledger.Delivered, "")
			}
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				if n == 1 {
					return nil
				}
				if tt.when == "in flight" {
					deliver()
				}
				return tt.answer
			}
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.clock.Advance(time.Minute)
			if tt.when == "queued" {
				s.faults.hook = once(s, "ledger after Update", deliver)
			}
			s.pumpFrom(s.timers)
			if tt.when == "sent" {
				deliver()
			}
			s.drain()
			s.checkPhones(tt.phones...)
			s.checkState(1, ledger.Delivered, "")
			s.checkOutcomes(tt.outcomes)
			checkChanges(t, s.ledger.Changes())
			if n := s.measured["Outcome delivered"]; n != 1 {
				t.Errorf("measured %d times delivered, want once", n)
			}
			if n := len(s.dead.Messages()); n != 0 {
				t.Errorf("%d dead letters of a text that was delivered", n)
			}
			if lines := s.lines(); slices.Contains(lines, "text not relayed") || slices.Contains(lines, "text is dead") {
				t.Errorf("log %q of a text that was delivered", lines)
			}
		})
	}
}

// once returns a hook that does something at the first call of the operation.
func once(s *sender, op string, do func()) func(string) error {
	return func(asked string) error {
		if asked == op {
			s.faults.hook = nil
			do()
		}
		return nil
	}
}

// The later hop's own word comes after a delivery of the earlier one, and changes nothing.
func TestLaterHopAfterALateDelivery(t *testing.T) {
	for _, status := range []sms.Status{sms.StatusUndelivered, sms.StatusFailed, sms.StatusDelivered} {
		s := newSender(t)
		s.reroute(timeout(time.Minute))
		s.queueUp(textOf(1, nil))
		s.drain()
		s.tell(1, sms.StatusDelivered, 0)
		s.drain()
		s.tell(2, status, 30003)
		s.drain()
		s.checkPosts(2)
		s.checkState(1, ledger.Delivered, "")
	}
}

// The last hop ends undelivered while the first, which was given up, has not said its last word: that one is waited for.
func TestLastHopFailsWhileTheFirstIsOpen(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusDelivered: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered,
	} {
		s := newSender(t)
		s.reroute(timeout(time.Minute))
		s.queueUp(textOf(1, nil))
		s.drain()
		s.tell(2, sms.StatusUndelivered, 30003)
		s.drain()
		s.checkState(1, ledger.Sent, "")
		s.tell(1, status, 30003)
		s.drain()
		s.checkPosts(2)
		s.checkState(1, want, "")
	}
	s := newSender(t)
	s.reroute(timeout(time.Minute))
	s.twilio.answer = answers(nil, refusal(fault.Unreachable, 21614))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkOutcomes("1@0 accepted done queued, 2@1 unreachable done")
}

// The next hop's attempts are used up while the first one's message may still be delivered: that one is waited for, and a
// dead letter would have the text sent again.
func TestLastHopMeetsTroubleWhileTheFirstIsOpen(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusSent: ledger.Sent, sms.StatusDelivered: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered,
	} {
		s := newSender(t)
		s.reroute(timeout(time.Minute))
		s.twilio.answer = func(n int, _ sms.Outbound) error {
			if n == 1 {
				return nil
			}
			return refusal(fault.Transient, 0)
		}
		s.queueUp(textOf(1, nil))
		s.drain()
		s.checkPosts(1 + maxAttempts)
		s.checkState(1, ledger.Sent, "")
		s.tell(1, status, 30003)
		s.drain()
		s.checkPosts(1 + maxAttempts)
		if r := s.record(1); r.State != want {
			t.Errorf("after %s: %q (%s), want %q", status, r.State, r.Reason, want)
		}
		if n := len(s.dead.Messages()); n != 0 {
			t.Errorf("%d dead letters", n)
		}
	}
}
