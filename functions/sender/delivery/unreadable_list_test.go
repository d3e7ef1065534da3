package delivery_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// A list that nobody can read is asked again and again, but not for ever: the conversation behind the text waits for it.
func TestListIsNeverReadable(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(&fault.Error{Kind: fault.Unknown, Err: errLost})
	s.faults.hook = func(op string) error {
		if op == "twilio before List" {
			return refusal(fault.Transient, 0)
		}
		return nil
	}
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.pump()
	for range 10_000 {
		if s.record(1).State != ledger.Sending {
			break
		}
		if _, received := s.pump(); received == 0 {
			s.clock.Advance(time.Minute)
		}
	}
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnreadableList)
	if waited := s.clock.Now().Sub(started); waited < 2*time.Hour || waited > 2*time.Hour+15*time.Minute {
		t.Errorf("given up after %v", waited)
	}
	s.drain()
	s.checkState(2, ledger.Sent, "")
}

// The relay was stopped for longer than the list may stay unreadable. The first look back is not the last: the time alone says
// nothing of the list.
func TestListIsUnreadableAfterAStandstill(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(&fault.Error{Kind: fault.Unknown, Err: context.DeadlineExceeded})
	unreadable := true
	s.faults.hook = func(op string) error {
		if unreadable && op == "twilio before List" {
			return refusal(fault.Transient, 0)
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.clock.Advance(3 * time.Hour)
	for range 3 {
		s.checkBack(1)
		s.checkState(1, ledger.Sending, "")
		s.clock.Advance(10 * time.Minute)
	}
	unreadable = false
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(1)
}
