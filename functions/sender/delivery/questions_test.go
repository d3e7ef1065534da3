package delivery_test

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// A question waits, and the phone, which has not seen it, asks whose a tag is: the held words are not sent. Once it has seen the question,
// the same tag answers it.
func TestTagBeforeTheQuestionIsSent(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	s.twilio.answer = always(refusal(fault.Fatal, 20003))
	s.hears(3, other, "Third")
	s.clock.Advance(time.Minute)
	s.sent()
	s.hears(4, relaytest.Destination, "Yes")
	s.clock.Advance(time.Minute)
	s.hears(5, relaytest.Destination, firstTag)
	s.checkState(4, ledger.Queued, ledger.ReasonHeld)
	s.twilio.answer = nil
	s.checkSent()
	for range 10 {
		s.clock.Advance(time.Minute)
		s.settle()
	}
	s.sent()
	s.hears(6, relaytest.Destination, firstTag)
	s.checkState(4, ledger.Sent, "")
}

// Held words are named so late that their time is over while they are released: the phone is told that they were not sent, about each.
func TestHeldWordsEndWhileTheyAreReleased(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	s.hears(3, relaytest.Destination, "Yes")
	s.clock.Advance(30 * time.Second)
	s.hears(4, relaytest.Destination, "at three")
	s.clock.Advance(10 * time.Minute)
	s.sent()
	s.faults.hook = func(op string) error {
		if op == "ledger before Update" {
			return broken(fault.Transient, 1)[0]
		}
		return nil
	}
	s.queueUp(textOf(5, func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.ReceivedAt = relaytest.Destination, firstTag, s.clock.Now()
	}))
	s.checkBack(1)
	s.faults.hook = nil
	s.clock.Advance(time.Hour)
	for range 3 {
		s.pumpFrom(s.timers)
	}
	s.settle()
	s.checkState(3, ledger.Dropped, ledger.ReasonUnaddressed)
	s.checkState(4, ledger.Dropped, ledger.ReasonUnaddressed)
	told := strings.Join(s.sent(), "\n")
	for _, words := range []string{`Not sent: "Yes".`, `Not sent: "at three".`} {
		if strings.Count(told, words) != 1 {
			t.Errorf("messages\n%s\nwant once: %s", told, words)
		}
	}
}
