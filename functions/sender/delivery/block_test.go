package delivery_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// blocks blocks the customer, or lets the texts through again.
func (s *sender) blocks(on bool) {
	s.t.Helper()
	ctx := context.Background()
	before, err := s.conversations.Get(ctx, relaytest.TwilioNumber, relaytest.Customer)
	if err != nil {
		s.t.Fatal(err)
	}
	after, _ := before.Block(conversation.Blocked{On: on, By: "ann", Since: s.clock.Now()})
	if _, err := auditlog.PutConversation(ctx, s.conversations, before, after, s.clock.Now()); err != nil {
		s.t.Fatal(err)
	}
}

// What a blocked customer writes reaches no phone, and nobody is told. The customer can still be written to, and opts out and in.
func TestBlockedCustomer(t *testing.T) {
	s := newSender(t)
	s.blocks(true)
	s.hears(1, relaytest.Customer, "Hello")
	s.checkState(1, ledger.Dropped, ledger.ReasonBlocked)
	s.hears(2, relaytest.Customer, "STOP")
	s.checkState(2, ledger.Dropped, ledger.ReasonBlocked)
	s.hears(3, other, "Hello from another")
	s.checkFrom(fromOwn + toPhone + "A05 " + string(other) + ": Hello from another")
	c, err := s.conversations.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	if err != nil || !c.OptOut.OptedOut || c.Tag != "" {
		t.Errorf("the customer is %+v, error %v, want opted out, and without a tag", c, err)
	}
	s.hears(4, relaytest.Customer, "START")
	if c, err = s.conversations.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer); err != nil || c.OptOut.OptedOut {
		t.Errorf("after START the customer is %+v, error %v", c.OptOut, err)
	}
	s.blocks(false)
	s.hears(5, relaytest.Customer, "Hello again")
	s.checkFrom(fromOwn + toPhone + "A18 " + string(relaytest.Customer) + ": Hello again")
	s.clock.Advance(time.Minute)
	s.blocks(true)
	s.writes(6, relaytest.Destination, relaytest.TwilioNumber, "A18 Please stop writing")
	s.checkFrom(fromOwn + toCustomer + "Please stop writing")
	if got := s.measured["Dropped blocked"]; got != 2 {
		t.Errorf("%d texts are counted as dropped: blocked, want 2: %v", got, s.measured)
	}
	s.checkSealed()
}

// A text that was claimed before the block goes on: a phone may have it.
func TestBlockComesAfterTheClaim(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(&fault.Error{Kind: fault.Throttled, Code: 21611, HTTPStatus: 429, RetryAfter: 90 * time.Second})
	s.hears(1, relaytest.Customer, "Hello")
	if r := s.record(1); r.State != ledger.Queued || len(r.Attempts) != 1 {
		t.Fatalf("the text is %s after %d attempts", r.State, len(r.Attempts))
	}
	s.blocks(true)
	s.waits(5 * time.Minute)
	s.checkState(1, ledger.Sent, "")
}
