package delivery_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// enough is how long an invocation must have left for one call to Twilio.
const enough = sendTimeout + 5*time.Second

// inBubble runs a test with a sender whose clock is the bubble's.
func inBubble(t *testing.T, test func(s *sender)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		s := newSender(t)
		s.Now, s.twilio.Now = time.Now, time.Now
		test(s)
	})
}

// invoke works on one batch of the queue with that much time left, and returns how many messages come back.
func (s *sender) invoke(q *relaytest.MemoryQueue, left time.Duration) (back int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	deliveries := s.receiveFrom(q)
	response, err := s.Handle(ctx, batchOf(deliveries))
	if err != nil || len(deliveries) == 0 {
		s.t.Fatalf("%d messages, error %v", len(deliveries), err)
	}
	s.remove(q, deliveries, response)
	return len(response.BatchItemFailures)
}

// elapse moves both clocks.
func (s *sender) elapse(d time.Duration) {
	time.Sleep(d)
	s.clock.Advance(d)
}

// The next hop is not tried in a run that has no time for it.
func TestNoTimeForTheNextHop(t *testing.T) {
	for left, want := range map[time.Duration]int{enough + 4*time.Second: 1, enough + 5*time.Second: 2} {
		inBubble(t, func(s *sender) {
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				if n == 1 {
					time.Sleep(5 * time.Second)
					return refusal(fault.Unreachable, 21614)
				}
				return nil
			}
			s.queueUp(textOf(1, nil))
			if back := s.invoke(s.queue, left); back != 2-want {
				s.t.Errorf("%v left: %d messages came back", left, back)
			}
			s.checkPosts(want)
			if want == 1 {
				s.checkState(1, ledger.Queued, ledger.ReasonNextHop)
				s.invoke(s.queue, enough)
			}
			s.checkPhones(first, second)
		})
	}
}

// A look has to be seen through, and has no longer than a POST.
func TestNoTimeForALook(t *testing.T) {
	inBubble(t, func(s *sender) {
		s.twilio.answer = answers(lostAnswer())
		s.queueUp(textOf(1, nil))
		if back := s.invoke(s.queue, time.Minute); back != 1 {
			s.t.Fatalf("%d messages came back", back)
		}
		s.elapse(2 * time.Second)
		if back := s.invoke(s.queue, enough-time.Millisecond); back != 1 || len(s.twilio.Lists()) != 0 {
			s.t.Errorf("%d messages came back, %d looks", back, len(s.twilio.Lists()))
		}
		if back := s.invoke(s.queue, enough); back != 0 {
			s.t.Errorf("%d messages came back", back)
		}
		if got := s.twilio.Lists()[0].Budget; got != sendTimeout {
			s.t.Errorf("the look had %v, want %v", got, sendTimeout)
		}
		s.checkState(1, ledger.Sent, "")
	})
}

// Neither is Twilio asked about a message whose time is over in a run that has none itself.
func TestNoTimeForAFetch(t *testing.T) {
	inBubble(t, func(s *sender) {
		s.reroute(timeout(10 * time.Second))
		s.queueUp(textOf(1, nil))
		if back := s.invoke(s.queue, time.Minute); back != 0 {
			s.t.Fatalf("%d messages came back", back)
		}
		s.elapse(10 * time.Second)
		if back := s.invoke(s.timers, enough-time.Millisecond); back != 1 || len(s.twilio.Fetches()) != 0 {
			s.t.Errorf("%d messages came back, Twilio was asked with %v", back, s.twilio.Fetches())
		}
		if back := s.invoke(s.timers, enough); back != 0 {
			s.t.Errorf("%d messages came back", back)
		}
		if got := s.twilio.Fetches()[0].Budget; got != sendTimeout {
			s.t.Errorf("the question had %v, want %v", got, sendTimeout)
		}
		s.checkPhones(first, second)
	})
}

// What comes before the claim takes long: there is no claim without time for the POST.
func TestNoTimeForThePost(t *testing.T) {
	for _, op := range []string{"routes before Lookup", "pace before Reserve", "timers before Send"} {
		inBubble(t, func(s *sender) {
			s.reroute(timeout(time.Minute))
			s.PacePair = pace.Limit{N: 5, Per: time.Second}
			s.faults.hook = once(s, op, func() { time.Sleep(3 * time.Second) })
			s.queueUp(textOf(1, nil))
			if back := s.invoke(s.queue, enough+2*time.Second); back != 1 {
				s.t.Errorf("%s: %d messages came back", op, back)
			}
			s.checkPosts(0)
			if n := len(s.ledger.Changes()); n != 0 {
				s.t.Errorf("%s: %d changes of the ledger", op, n)
			}
			if back := s.invoke(s.queue, enough); back != 0 {
				s.t.Errorf("%s: %d messages came back", op, back)
			}
			s.checkPosts(1)
		})
	}
}

// The claim itself takes so long that its lease would be over before the POST's time is: another sender may take the text
// for lost then. It is not posted under that claim, and comes again.
func TestClaimTakesLong(t *testing.T) {
	for took, want := range map[time.Duration]string{
		5 * time.Second: "1@0 accepted queued", 6 * time.Second: "2@0 accepted queued", lease + visibility: "2@0 accepted queued",
	} {
		t.Run(took.String(), func(t *testing.T) {
			s := newSender(t)
			s.faults.hook = once(s, "ledger after Create", func() { s.clock.Advance(took) })
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPosts(1)
			s.checkOutcomes(want)
			checkChanges(t, s.ledger.Changes())
		})
	}
	t.Run("and another finds its lease over", func(t *testing.T) {
		s := newSender(t)
		s.reroute(resend)
		s.faults.hook = once(s, "ledger after Create", func() {
			s.clock.Advance(lease + visibility)
			s.drain()
			s.checkPosts(1)
			s.checkState(1, ledger.Sent, "")
		})
		s.queueUp(textOf(1, nil))
		s.drain()
		s.checkPosts(1)
		s.checkOutcomes("1@0 unknown, 2@0 accepted queued")
	})
}

// With an ended context nothing is begun, and what was begun is written down.
func TestContextEnds(t *testing.T) {
	inBubble(t, func(s *sender) {
		ctx, cancel := context.WithCancel(context.Background())
		s.twilio.answer = func(int, sms.Outbound) error {
			cancel()
			return refusal(fault.Unreachable, 21614)
		}
		s.queueUp(textOf(1, nil), textOf(2, nil))
		deliveries := s.receive()
		response, err := s.Handle(ctx, batchOf(deliveries))
		if err != nil || len(response.BatchItemFailures) != 2 {
			s.t.Errorf("answer %+v, error %v; want both back", response, err)
		}
		s.checkPosts(1)
		s.checkState(1, ledger.Queued, ledger.ReasonNextHop)
	})
}
