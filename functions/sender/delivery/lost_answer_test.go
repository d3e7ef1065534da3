package delivery_test

import (
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// An answer that does not arrive is told to the phone once, in words.
func TestAnswerIsLost(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if m.To == relaytest.Customer {
			return refusal(fault.Permanent, 21614)
		}
		return nil
	}
	s.sent()
	s.hears(2, relaytest.Destination, "Yes")
	s.checkSent(toCustomer+"Yes", toPhone+"Not delivered to "+firstTag+": it is a landline, or cannot get texts.")
	s.checkState(2, ledger.Failed, ledger.ReasonRefused)
	s.twilio.answer = nil
	s.hears(3, relaytest.Customer, "STOP")
	s.clock.Advance(time.Minute)
	s.sent()
	s.hears(4, relaytest.Destination, firstTag+" One more thing")
	s.checkSent(toPhone + "Not delivered to " + firstTag + ": they texted STOP. Only their START lets texts through again.")
	s.checkState(4, ledger.Dropped, ledger.ReasonOptOut)
}

// A timer takes an answer to its end, and the phone cannot be told at first: it is told when the timer's message comes again.
func TestTimerTellsOfALostAnswer(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Destination, "Yes")
	s.sent()
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if m.To == relaytest.Customer {
			return refusal(fault.Permanent, 21614)
		}
		return nil
	}
	s.tell(2, sms.StatusFailed, 30001)
	s.fail("conversations before GetPhone", broken(fault.Transient, 1)...)
	s.drain()
	s.checkState(2, ledger.Failed, ledger.ReasonRefused)
	if got := s.sent(); !slices.Contains(got, toPhone+"Not delivered to "+firstTag+": it is a landline, or cannot get texts.") {
		t.Errorf("messages %q: the phone was not told", got)
	}
}
