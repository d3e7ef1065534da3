package delivery_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var byAda = ledger.Decision{By: "ada", Note: "it is not in Twilio's log"}

// uncertainText leaves the first text uncertain, and returns the order to send it again.
func uncertainText(s *sender, edit func(e *queue.Envelope)) queue.Outgoing {
	s.t.Helper()
	s.twilio.answer = answers(lostPost())
	s.queueUp(textOf(1, edit))
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	order, err := delivery.ResendOrder(s.record(1), byAda)
	if err != nil {
		s.t.Fatal(err)
	}
	return order
}

// give puts the order on the queue, as if five minutes lay between it and the last.
func (s *sender) give(order queue.Outgoing) {
	s.t.Helper()
	order.DeduplicationID += s.newClaimID()
	if err := s.queue.Send(context.Background(), order); err != nil {
		s.t.Fatal(err)
	}
}

func TestOrderToResend(t *testing.T) {
	for name, edit := range map[string]func(e *queue.Envelope){
		"inbound": nil,
		"manual":  func(e *queue.Envelope) { e.Kind, e.Message.From, e.Destination = queue.KindManual, "", otherPhone },
		"with pictures": func(e *queue.Envelope) {
			e.Message.Media = []sms.Media{{URL: "https://api.twilio.com/1", ContentType: "image/jpeg"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			order := uncertainText(s, edit)
			s.clock.Advance(48 * time.Hour)
			s.give(order)
			s.give(order)
			s.drain()
			s.give(order)
			s.drain()
			s.checkPosts(2)
			s.checkState(1, ledger.Sent, "")
			if kept := time.Unix(s.record(1).ExpiresAt, 0).Sub(s.clock.Now()).Round(time.Minute); kept != retention {
				t.Errorf("the record is kept for %v from the order on, want %v", kept, retention)
			}
			posts := s.twilio.Posts()
			if posts[0].Body != posts[1].Body || posts[0].To != posts[1].To {
				t.Errorf("sent again: %+v, was %+v", posts[1], posts[0])
			}
			d := s.record(1).Decision
			if d.What != ledger.VerdictResend || d.By != byAda.By || d.Note != byAda.Note || d.At.IsZero() {
				t.Errorf("decision %+v", d)
			}
			checkChanges(t, s.ledger.Changes())
			s.checkSealed()
		})
	}
}

// An order is about the text as the operator saw it. If anything has become of it since, nothing is sent.
func TestOrderThatCameTooLate(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(s *sender)
		state     ledger.State
	}{
		"a receipt came": {func(s *sender) {
			s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
			s.drain()
		}, ledger.Delivered},
		"it was sent again, and is uncertain again": {func(s *sender) {
			s.twilio.answer = answers(nil, lostPost())
			order, _ := delivery.ResendOrder(s.record(1), byAda)
			s.give(order)
			s.drain()
		}, ledger.Uncertain},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			order := uncertainText(s, nil)
			tt.meanwhile(s)
			posts := len(s.twilio.Posts())
			s.give(order)
			s.drain()
			s.checkPosts(posts)
			if r := s.record(1); r.State != tt.state {
				t.Errorf("text is %s, want %s", r.State, tt.state)
			}
		})
	}
}

// The message of an order is what keeps it: whatever fails, it is carried out, once.
func TestOrderIsCarriedOutOnce(t *testing.T) {
	for name, fail := range map[string]func(s *sender){
		"the ledger cannot be read":           func(s *sender) { s.fail("ledger before Get", broken(fault.Transient, 3)...) },
		"the record cannot be written":        func(s *sender) { s.fail("ledger before Update", broken(fault.Transient, 7)...) },
		"the answer to the write is lost":     func(s *sender) { s.fail("ledger after Update", broken(fault.Unknown, 1)...) },
		"the answers to some writes are lost": func(s *sender) { s.fail("ledger after Update", broken(fault.Unknown, 3)...) },
		"Twilio is down for a moment":         func(s *sender) { s.twilio.answer = answers(nil, refusal(fault.Transient, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			order := uncertainText(s, nil)
			fail(s)
			s.give(order)
			s.drain()
			s.checkState(1, ledger.Sent, "")
			taken := 0
			for _, p := range s.twilio.Posts() {
				if p.Message.Sid != "" {
					taken++
				}
			}
			if taken != 1 {
				t.Errorf("Twilio took %d messages, want 1", taken)
			}
		})
	}
}

// The ledger has forgotten the text: an order is no reason to send what may have been sent.
func TestOrderForAForgottenText(t *testing.T) {
	s := newSender(t)
	order := uncertainText(s, nil)
	empty := newSender(t)
	empty.give(order)
	empty.drain()
	empty.checkPosts(0)
	if n := len(empty.ledger.Changes()); n != 0 {
		t.Errorf("%d records were written", n)
	}
}
