package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// unthread takes the threads from the route, as an operator does.
func (s *sender) unthread() {
	s.t.Helper()
	s.reroute(func(r *route.Route) {
		before := *r
		r.Threads = nil
		*r = r.Switched(before, s.clock.Now())
	})
}

// A phone still shows the customer's texts from a number that is no thread any more. What it writes there reaches nobody, and it is told.
func TestFormerThread(t *testing.T) {
	s := threaded(t, firstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.unthread()
	s.sentFrom()
	s.writes(2, relaytest.Destination, firstThread, "Yes, at three")
	s.checkState(2, ledger.Dropped, ledger.ReasonNoRoute)
	s.checkFrom(fromOwn + toPhone + `Not sent: "Yes, at three". That number is not in use any more: write to this one, ` +
		string(relaytest.TwilioNumber) + ", and start with the customer's tag.")
	// The same text again tells nothing.
	s.writes(2, relaytest.Destination, firstThread, "Yes, at three")
	s.checkFrom()
	// It does as it is told.
	s.clock.Advance(time.Minute)
	s.writes(3, relaytest.Destination, relaytest.TwilioNumber, "A05 Yes, at three")
	s.checkFrom(fromOwn + toCustomer + "Yes, at three")
	// Nobody else who writes there is told anything.
	s.writes(4, other, firstThread, "Who is there?")
	s.checkState(4, ledger.Dropped, ledger.ReasonNoRoute)
	s.clock.Advance(route.FormerTime)
	s.writes(5, relaytest.Destination, firstThread, "Hello?")
	s.checkState(5, ledger.Dropped, ledger.ReasonNoRoute)
	s.checkFrom()
	s.checkSealed()
}

// A phone that refuses texts, or that an operator took from the number, is not told to write there.
func TestFormerThreadOfAPhoneThatMayNotAnswer(t *testing.T) {
	s := threaded(t, firstThread)
	s.hears(1, relaytest.Customer, "First here")
	s.unthread()
	s.reroute(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{relaytest.Destination} })
	s.sentFrom()
	s.writes(2, relaytest.Destination, firstThread, "Yes")
	s.checkState(2, ledger.Dropped, ledger.ReasonNoRoute)
	s.checkFrom()
	s.reroute(func(r *route.Route) { r.OptedOut, r.DestinationCarrier = nil, otherPhone })
	p, err := s.conversations.GetPhone(t.Context(), itemAt(firstThread))
	if err != nil {
		t.Fatal(err)
	}
	p, _ = p.Remove("ada", s.clock.Now())
	if _, err := s.conversations.PutPhone(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	s.writes(3, relaytest.Destination, firstThread, "Yes")
	s.checkFrom(fromOwn + toPhone + conversation.NotOnDuty("Yes"))
}
