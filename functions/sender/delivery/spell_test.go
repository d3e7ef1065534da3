package delivery_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	toFallback = string(relaytest.Fallback) + " "
	toThird    = string(third) + " "
	customerAs = firstTag + " " + string(relaytest.Customer) + ": "
)

// impatient is a sender whose route has three phones and an AnswerTimeout of 15 minutes.
func impatient(t *testing.T) *sender {
	t.Helper()
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		r.FallbackCarriers = []sms.PhoneNumber{relaytest.Fallback, third}
		r.AnswerTimeout = route.Duration(15 * time.Minute)
	})
	return s
}

// conversation is what is stored of the customer.
func (s *sender) conversation() conversation.Conversation {
	s.t.Helper()
	c, err := s.conversations.Get(context.Background(), relaytest.TwilioNumber, relaytest.Customer)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// A text that nobody answers goes to the next phone, then to all that had nothing yet; then it stands as unanswered.
func TestUnansweredTextGoesOutAgain(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkSent(toPhone + customerAs + "Is anybody there?")
	s.until(5 * time.Minute)
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkSent(toPhone + firstTag + ": Hello?")
	s.until(14*time.Minute + 59*time.Second)
	s.checkSent()
	s.until(15*time.Minute + 5*time.Second)
	s.checkSent(toFallback + customerAs + "Hello? (2 texts)")
	s.until(30*time.Minute + 10*time.Second)
	s.checkSent(toThird + customerAs + "Hello? (2 texts)")
	s.until(24 * time.Hour)
	s.checkSent()
	if c := s.conversation(); !c.IsUnanswered() || s.measured["Unanswered"] != 1 {
		t.Errorf("conversation %+v, measured %v; want it unanswered, once", c.Spell, s.measured)
	}
	if s.waiting() != 0 {
		t.Errorf("%d messages are left", s.waiting())
	}
	s.checkSealed()
}

// An answer ends it, and whoever else had a text is told who has the customer.
func TestAnswerEndsTheStages(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(16 * time.Minute)
	s.sent()
	s.hears(2, relaytest.Fallback, "Yes, me")
	s.checkSent(toCustomer+"Yes, me", toPhone+"…0133 has "+firstTag+".")
	s.until(3 * time.Hour)
	s.checkSent()
	// The next text goes to the one who has the customer.
	s.hears(3, relaytest.Customer, "Thanks")
	s.checkSent(toFallback + firstTag + ": Thanks")
	// He answers no more: the others get it, and his claim is over.
	s.until(3*time.Hour + 15*time.Minute + 5*time.Second)
	s.checkSent(toPhone + firstTag + ": Thanks")
	s.until(4 * time.Hour)
	s.hears(4, relaytest.Customer, "Still there?")
	s.checkSent(toThird+customerAs+"Thanks", toPhone+firstTag+": Still there?")
}

// A slower phone answers, too, and is told who was quicker: once.
func TestSlowerAnswerIsSent(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(16 * time.Minute)
	s.sent()
	s.hears(2, relaytest.Destination, "Yes")
	s.checkSent(toCustomer+"Yes", toFallback+"…0122 has "+firstTag+".")
	s.clock.Advance(time.Minute)
	s.hears(3, relaytest.Fallback, "Yes, too")
	s.checkSent(toCustomer + "Yes, too")
	if c := s.conversation(); c.Claim.Phone != relaytest.Destination {
		t.Errorf("%s has it, want the phone that was quicker", c.Claim.Phone)
	}
}

func TestReactionEndsTheStages(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "I am at the gate now")
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Destination, "Liked “"+customerAs+"I am at the gate now”")
	s.sent()
	s.until(3 * time.Hour)
	s.checkSent()
	if c := s.conversation(); c.Seen.How != conversation.SeenReacted || c.Claim.Phone != relaytest.Destination {
		t.Errorf("seen %+v, claim %+v; want the reaction of the phone", c.Seen, c.Claim)
	}
}

func TestStopEndsTheStages(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.clock.Advance(2 * time.Second)
	s.hears(2, relaytest.Customer, "STOP")
	s.sent()
	s.until(3 * time.Hour)
	s.checkSent()
}

// A text that goes out again waits for Twilio while somebody answers: it goes no more.
func TestTextThatGoesOutAgainIsAnsweredMeanwhile(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(15*time.Minute - time.Second)
	s.sent()
	s.twilio.answer = func(int, sms.Outbound) error {
		return &fault.Error{Kind: fault.Throttled, RetryAfter: 40 * time.Second}
	}
	s.until(15*time.Minute + 2*time.Second)
	s.twilio.answer = nil
	s.sent()
	s.hears(2, relaytest.Destination, "Yes")
	s.until(20 * time.Minute)
	s.checkSent(toCustomer+"Yes", toFallback+"…0122 has "+firstTag+".")
	r, err := s.ledger.Get(t.Context(), ledger.StageSid(relaytest.MessageSid(1), 1, 0))
	if err != nil || r.State != ledger.Dropped || r.Reason != ledger.ReasonAnswered {
		t.Errorf("record %s %s, error %v; want it dropped as answered", r.State, r.Reason, err)
	}
}

// A route that uses none of it notes nothing.
func TestRouteWithoutClaims(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Destination, "Yes")
	if c := s.conversation(); c.Spell.MessageSid != "" || c.Claim.Phone != "" || c.Seen.How != "" {
		t.Errorf("noted %+v %+v %+v", c.Spell, c.Claim, c.Seen)
	}
}

// Who switches AnswerTimeout off ends the stages; once it is on again, the customer's next text has its timer.
func TestAnswerTimeoutIsSwitchedOffAndOn(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.reroute(func(r *route.Route) { r.AnswerTimeout, r.ClaimTime = 0, route.Duration(time.Hour) })
	s.until(20 * time.Minute)
	s.reroute(func(r *route.Route) { r.AnswerTimeout = route.Duration(15 * time.Minute) })
	s.sent()
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkSent(toPhone + firstTag + ": Hello?")
	s.until(35*time.Minute + 5*time.Second)
	s.checkSent(toFallback + customerAs + "Hello? (2 texts)")
}

// An operator's answer ends the wait, from when he asked for it, and nobody has the customer for it. His text to a phone does not.
func TestReplyOfAnOperatorEndsTheStages(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(5 * time.Minute)
	manual := func(to sms.PhoneNumber) func(e *queue.Envelope) {
		return func(e *queue.Envelope) {
			e.Kind, e.Message.From, e.Message.Body, e.Destination = queue.KindManual, "", "We call you", to
			e.ReceivedAt = s.clock.Now()
		}
	}
	s.queueUp(textOf(2, manual(relaytest.Destination)))
	s.until(6 * time.Minute)
	if !s.conversation().IsOpen() {
		t.Error("a text to a phone ends the wait")
	}
	s.sent()
	s.queueUp(textOf(3, manual(relaytest.Customer)))
	s.until(7 * time.Minute)
	s.checkSent(toCustomer + "We call you")
	c := s.conversation()
	if c.IsOpen() || c.Seen.How != conversation.SeenAnswered || c.Seen.By != "operator" || c.Claim.Phone != "" {
		t.Errorf("seen %+v, claim %+v; want it answered by the operator, and nobody's", c.Seen, c.Claim)
	}
	s.until(3 * time.Hour)
	s.checkSent()
}

// An operator's answer to the text that he had seen ends the wait at once, though it comes within a moment of that.
func TestReplyWithinAMoment(t *testing.T) {
	for seen, isOpen := range map[string]bool{relaytest.MessageSid(1): false, "": true} {
		s := impatient(t)
		s.hears(1, relaytest.Customer, "Is anybody there?")
		s.until(time.Second)
		s.queueUp(textOf(2, func(e *queue.Envelope) {
			e.Kind, e.Message.From, e.Message.Body, e.Destination = queue.KindManual, "", "Yes", relaytest.Customer
			e.ReceivedAt, e.SeenSid = s.clock.Now(), seen
		}))
		s.until(time.Minute)
		if c := s.conversation(); c.IsOpen() != isOpen {
			t.Errorf("the office had seen %q: open is %t; %+v", seen, c.IsOpen(), c.Seen)
		}
	}
}

// A customer who never wrote has no wait that could end.
func TestReplyToAStranger(t *testing.T) {
	s := impatient(t)
	s.queueUp(textOf(1, func(e *queue.Envelope) {
		e.Kind, e.Message.From, e.Destination = queue.KindManual, "", relaytest.Customer
	}))
	s.until(time.Minute)
	if c := s.conversation(); c.Version != 0 {
		t.Errorf("conversation %+v; want none", c)
	}
}
