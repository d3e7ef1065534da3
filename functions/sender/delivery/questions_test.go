package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
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
