package delivery_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// Texts that come once the number is open, before what was held has been taken up, go behind it, whether the timer comes before or after
// them.
func TestOrderIsKeptAtTheOpening(t *testing.T) {
	for _, isTimerFirst := range []bool{false, true} {
		s := holding(t)
		s.hears(1, relaytest.Customer, "one")
		s.hears(2, relaytest.Customer, "two")
		s.sent()
		s.clock.Advance(opening + time.Second)
		for n, words := range []string{"three", "four"} {
			s.queueUp(textOf(n+3, func(e *queue.Envelope) { e.Message.Body, e.ReceivedAt = words, s.clock.Now() }))
		}
		if isTimerFirst {
			s.pumpFrom(s.timers)
		}
		for range 10 {
			s.pumpFrom(s.queue)
		}
		s.checkSent(toPhone+customerAs+"one", toPhone+firstTag+": two", toPhone+firstTag+": three", toPhone+firstTag+": four")
		s.until(opening + time.Hour)
		s.checkSent()
	}
}

// The message with which the first text came is still on the queue, because it could not be noted. It has its place before the others.
func TestHeldTextWhoseMessageIsStillThere(t *testing.T) {
	s := holding(t)
	for n, words := range []string{"one", "two", "three"} {
		s.queueUp(textOf(n+1, func(e *queue.Envelope) { e.Message.Body, e.ReceivedAt = words, s.clock.Now() }))
	}
	isBroken := true
	s.faults.hook = func(op string) error {
		if isBroken && op == "timers before Send" {
			return &fault.Error{Kind: fault.Transient}
		}
		return nil
	}
	s.settle()
	s.checkState(1, ledger.Queued, ledger.ReasonClosed)
	s.clock.Advance(opening)
	isBroken = false
	s.until(opening + 20*time.Minute)
	s.checkSent(toPhone+customerAs+"one", toPhone+firstTag+": two", toPhone+firstTag+": three")
}

// The number opens between two texts that are looked at to be taken up: the second one does not go before the first.
func TestOpensBetweenTwoHeldTexts(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "one")
	s.hears(2, relaytest.Customer, "two")
	s.sent()
	s.clock.Advance(opening - time.Second)
	order, err := textOf(1, nil).Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	order.DeduplicationID, order.Attributes = "open", map[string]string{delivery.AttributeOrder: "open"}
	if err := s.queue.Send(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	reads := 0
	s.faults.hook = func(op string) error {
		if op == "ledger before Get" {
			if reads++; reads == 2 {
				s.clock.Advance(2 * time.Second)
			}
		}
		return nil
	}
	s.pumpFrom(s.queue)
	if s.faults.hook = nil; reads < 2 {
		t.Fatalf("%d records were read", reads)
	}
	s.until(opening + 20*time.Minute)
	s.checkSent(toPhone+customerAs+"one", toPhone+firstTag+": two")
}

// Nobody takes up what is held, because its timer and the list of it are lost. The text itself, put on the queue once more by relay sweep,
// goes out.
func TestForgottenHoldIsSwept(t *testing.T) {
	for _, isListed := range []bool{true, false} {
		s := holding(t)
		s.hears(1, relaytest.Customer, "one")
		s.hears(2, relaytest.Customer, "two")
		s.sent()
		for _, m := range s.receiveFrom(s.timers) {
			t.Fatalf("timer %v comes at once", m)
		}
		s.clock.Advance(opening + time.Hour)
		var handles []string
		for _, m := range s.receiveFrom(s.timers) {
			handles = append(handles, m.ReceiptHandle)
		}
		if err := s.timers.Delete(t.Context(), handles); err != nil {
			t.Fatal(err)
		}
		if !isListed {
			c := s.conversation()
			lost := c
			lost.Closed = conversation.Closed{}
			if _, err := auditlog.PutConversation(t.Context(), s.conversations, c, lost, s.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for n, words := range []string{"one", "two"} {
			s.queueUp(textOf(n+1, func(e *queue.Envelope) { e.Message.Body, e.ReceivedAt = words, s.clock.Now() }))
		}
		s.settle()
		if got := s.words(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("listed %t: sent %q", isListed, got)
		}
	}
}

// A text that dies after it was held has a letter of its own, though the message of another one took it up.
func TestHeldTextDies(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "one")
	s.clock.Advance(time.Second)
	s.hears(2, relaytest.Customer, "two")
	s.during(started.Add(12*time.Hour), &fault.Error{Kind: fault.Transient})
	s.until(opening + time.Hour)
	letters := s.dead.Messages()
	isOf := func(n int) bool { return strings.Contains(letters[n-1].Body, relaytest.MessageSid(n)) }
	if len(letters) != 2 || !isOf(1) || !isOf(2) {
		t.Errorf("letters %v", letters)
	}
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	s.checkState(2, ledger.Dead, ledger.ReasonAttemptsExhausted)
	if c := s.conversation(); len(c.Closed.Texts) > 0 {
		t.Errorf("held %+v", c.Closed)
	}
}

// A sender dies at each call, or a call fails, when texts are held and when they are taken up: each is sent once, in its order.
func TestCrashesAroundAHold(t *testing.T) {
	dies := func(s *sender) error { s.died = true; runtime.Goexit(); return nil }
	for name, happen := range map[string]func(s *sender) error{
		"dies":            dies,
		"transient fault": func(*sender) error { return &fault.Error{Kind: fault.Transient} },
		"unknown outcome": func(*sender) error { return &fault.Error{Kind: fault.Unknown} },
	} {
		for _, isOpening := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, opening %t", name, isOpening), func(t *testing.T) {
				for at := 1; disturbHold(t, at, isOpening, happen); at++ {
					if at == 200 {
						t.Fatal("there is no end of calls")
					}
				}
			})
		}
	}
}

// disturbHold has something happen at one of the calls with which two texts are held, or taken up. happened is false if there are not so
// many calls.
func disturbHold(t *testing.T, at int, isOpening bool, happen func(s *sender) error) (happened bool) {
	t.Helper()
	s := holding(t)
	for n, words := range []string{"one", "two"} {
		s.queueUp(textOf(n+1, func(e *queue.Envelope) { e.Message.Body, e.ReceivedAt = words, s.clock.Now() }))
	}
	if isOpening {
		s.settle()
		s.clock.Advance(opening)
	}
	calls := 0
	s.faults.hook = func(op string) error {
		if strings.HasPrefix(op, "twilio") || strings.HasSuffix(op, "Receive") || strings.HasSuffix(op, "Delete") {
			// What a lost POST does is tested elsewhere, and the rest are calls of the test.
			return nil
		}
		if calls++; calls == at {
			happened = true
			return happen(s)
		}
		return nil
	}
	untilItDies(func() { s.settle() })
	s.faults.hook = nil
	s.busy, s.died = false, false
	if !happened && calls < 12 {
		t.Errorf("%d calls: nothing was interrupted", calls)
	}
	s.until(opening + 45*time.Minute)
	got, want := s.words(), []string(nil)
	for i, words := range []string{"one", "two"} {
		// If the sender died with a claim, nobody knows whether it had posted.
		if s.record(i+1).State != ledger.Uncertain {
			want = append(want, words)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("at call %d: sent %q, want %q", at, got, want)
	}
	if c := s.conversation(); len(c.Closed.Texts) > 0 || s.waiting() > 0 {
		t.Errorf("at call %d: held %+v, left %v, %v", at, c.Closed, s.queue.Messages(), s.timers.Messages())
	}
	return happened
}

// The number closes again while what was held waits for Twilio, and before the timer has come: it comes now and then, and not again and
// again. What several phones get is not held again, once it has begun. Everything goes out at the next opening.
func TestClosesAgainBeforeTheTimerComes(t *testing.T) {
	for name, ring := range map[string]route.Ring{"one phone": "", "all phones": route.RingAll} {
		t.Run(name, func(t *testing.T) {
			s := holding(t)
			s.reroute(func(r *route.Route) { r.Ring = ring })
			s.hears(1, relaytest.Customer, "one")
			s.sent()
			s.during(started.Add(opening+30*time.Minute), &fault.Error{Kind: fault.Throttled})
			s.clock.Advance(opening + time.Second)
			s.queueUp(textOf(2, func(e *queue.Envelope) { e.Message.Body, e.ReceivedAt = "two", s.clock.Now() }))
			s.pumpFrom(s.queue)
			if r := s.record(1); r.IsClosed() || r.State != ledger.Queued {
				t.Fatalf("text 1 is %s (%s), and is to wait for Twilio", r.State, r.Reason)
			}
			s.closeFor(1)
			s.countTimers(opening+20*time.Minute, 4)
			if isHeld := s.record(1).IsClosed(); isHeld == (ring == route.RingAll) {
				t.Errorf("text 1 is held again: %v", isHeld)
			}
			s.until(opening + time.Hour)
			s.sent()
			s.until(opening + 25*time.Hour)
			got := slices.Compact(s.words())
			if want := []string{"one", "two"}; !slices.Equal(got, want) || s.waiting() > 0 {
				t.Errorf("sent %q, want %q", got, want)
			}
		})
	}
}

// countTimers goes on until then, and checks that some timers are set meanwhile, and not more than most.
func (s *sender) countTimers(until time.Duration, most int) {
	s.t.Helper()
	timers := 0
	s.faults.hook = func(op string) error {
		if op == "timers before Send" {
			timers++
		}
		return nil
	}
	s.until(until)
	if timers == 0 || timers > most {
		s.t.Errorf("%d timers were set until %v", timers, until)
	}
}

// The first text is held again while what was held is taken up, because somebody changes the route and changes it back: the second one
// does not overtake it.
func TestHeldAgainWhileOthersAreTakenUp(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "one")
	s.hears(2, relaytest.Customer, "two")
	s.sent()
	s.clock.Advance(opening)
	updates := 0
	s.faults.hook = func(op string) error {
		if op != "ledger after Update" {
			return nil
		}
		switch updates++; updates {
		case 2:
			s.closeFor(1)
		case 3:
			s.reroute(func(r *route.Route) { r.Overrides = nil })
		default:
			return nil
		}
		s.clock.Advance(time.Minute)
		return nil
	}
	s.pumpFrom(s.timers)
	s.pumpFrom(s.queue)
	s.checkState(1, ledger.Queued, ledger.ReasonClosed)
	s.checkSent()
	s.until(opening + time.Hour)
	if got, want := s.words(), []string{"one", "two"}; !slices.Equal(got, want) || s.waiting() > 0 {
		t.Errorf("sent %q, want %q", got, want)
	}
}
