package delivery_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// long is more than fits into one message.
var long = strings.Repeat("word ", 319) + "end."

// part returns the second part of the first text, with what its SID ends in.
func (s *sender) part(end string) ledger.Record {
	s.t.Helper()
	r, err := s.ledger.Get(context.Background(), relaytest.MessageSid(1)+end)
	if err != nil {
		s.t.Fatalf("second part %s: %v", end, err)
	}
	return r
}

// The first part was lost while the second one waited for its turn. The next phone gets both, and the first phone nothing more.
func TestSecondPartForAPhoneThatLostTheFirst(t *testing.T) {
	s := newSender(t)
	s.PacePair = pace.Limit{N: 1, Per: 40 * time.Second}
	s.hears(1, relaytest.Customer, long)
	if r := s.part("/p2"); r.State != ledger.Queued || r.Reason != ledger.ReasonPace {
		t.Fatalf("second part is %s (%s)", r.State, r.Reason)
	}
	ref := sms.CallbackRef{RelayID: relaytest.MessageSid(1), Attempt: 1}
	lost := receipt(ref, relaytest.OutboundSid(1), sms.StatusUndelivered)
	lost.Receipt.ErrorCode = 30005
	s.queueUp(lost)
	s.drain()
	if r := s.part("/p2"); r.State != ledger.Dropped || r.Reason != ledger.ReasonNoFirstPart || len(r.Attempts) > 0 {
		t.Errorf("second part for the first phone is %s (%s)", r.State, r.Reason)
	}
	if r := s.part("/p2.1"); r.State != ledger.Sent || r.Destination != relaytest.Fallback {
		t.Errorf("second part for the next phone is %s (%s)", r.State, r.Reason)
	}
	if posts := s.twilio.Posts(); len(posts) != 3 || posts[1].To != relaytest.Fallback || posts[2].To != relaytest.Fallback {
		t.Errorf("posts %v", posts)
	}
}

// Another phone is at the same place of the route when the text goes on: it gets a second part of its own.
func TestSecondPartForAnotherPhoneAtTheSameHop(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, long)
	ref := sms.CallbackRef{RelayID: relaytest.MessageSid(1), Attempt: 1}
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = relaytest.Fallback, nil })
	lost := receipt(ref, relaytest.OutboundSid(1), sms.StatusUndelivered)
	lost.Receipt.ErrorCode = 30005
	s.queueUp(lost)
	s.drain()
	if r := s.part("/p2"); r.State != ledger.Sent || r.Destination != relaytest.Destination {
		t.Errorf("second part for the first phone is %s (%s), for %s", r.State, r.Reason, r.Destination.Mask())
	}
	if r := s.part("/p2.20"); r.State != ledger.Sent || r.Destination != relaytest.Fallback {
		t.Errorf("second part for the other phone is %s (%s), for %s", r.State, r.Reason, r.Destination.Mask())
	}
}

// Nobody knew whether the first part was out, until its receipt came.
func TestSecondPartAfterALateReceipt(t *testing.T) {
	s := newSender(t)
	s.twilio.listLag = time.Hour
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 1 {
			return refusal(fault.Unknown, 20500)
		}
		return nil
	}
	s.hears(1, relaytest.Customer, long)
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	ref := sms.CallbackRef{RelayID: relaytest.MessageSid(1), Attempt: 1}
	s.queueUp(receipt(ref, relaytest.OutboundSid(1), sms.StatusSent))
	s.drain()
	s.checkState(1, ledger.Sent, "")
	if r := s.part("/p2"); r.State != ledger.Sent {
		t.Errorf("second part is %s (%s)", r.State, r.Reason)
	}
}

// The dead letter of a second part names it, and brings it back alone.
func TestLetterOfASecondPart(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 1 {
			return nil
		}
		return refusal(fault.Transient, 0)
	}
	s.hears(1, relaytest.Customer, long)
	s.drain()
	if r := s.part("/p2"); r.State != ledger.Dead {
		t.Fatalf("second part is %s (%s)", r.State, r.Reason)
	}
	letters := s.dead.Messages()
	if len(letters) != 1 {
		t.Fatalf("%d dead letters", len(letters))
	}
	if e, err := queue.Decode(letters[0].Body); err != nil || e.RelayID != relaytest.MessageSid(1)+"/p2" {
		t.Errorf("letter of %s, error %v", e.RelayID, err)
	}
	s.twilio.answer = nil
	s.moveBack()
	s.drain()
	if r := s.part("/p2"); r.State != ledger.Sent {
		t.Errorf("second part is %s (%s)", r.State, r.Reason)
	}
	bodies := []string{}
	for _, p := range s.twilio.Posts() {
		bodies = append(bodies, p.Body[len(p.Body)-5:])
	}
	if n := len(slices.DeleteFunc(bodies, func(end string) bool { return end != "(1/2)" })); n != 1 {
		t.Errorf("the first part went out %d times", n)
	}
}

// A phone that left wrote something hours ago, which is decided about only now. It is told, as always.
func TestLateTextOfAPhoneThatLeft(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = relaytest.Fallback, nil })
	s.sent()
	written := s.clock.Now()
	s.clock.Advance(5 * time.Hour)
	s.queueUp(textOf(2, func(e *queue.Envelope) {
		e.Message.From, e.Message.Body, e.ReceivedAt = relaytest.Destination, "Yes", written.Add(time.Minute)
	}))
	s.settle()
	s.checkState(2, ledger.Dropped, ledger.ReasonNotStaff)
	if sent := s.sent(); len(sent) != 1 || !strings.HasPrefix(sent[0], toPhone+`Not sent: "Yes". This phone is not on duty`) {
		t.Errorf("sent %q", sent)
	}
}
