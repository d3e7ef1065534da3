package delivery_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
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
	closedText = "We are closed. We answer tomorrow."
	noOneText  = "Nobody can answer now. If it is urgent, call."
)

// closed is a sender whose number is closed for two days, and says so. Its texts go to the phones of the route all the same.
func closed(t *testing.T) *sender {
	t.Helper()
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		today := started.UTC()
		r.TimeZone, r.AutoAnswer = "UTC", route.AutoAnswer{Closed: closedText, NoOne: noOneText}
		r.Overrides = []route.Override{{Date: today.Format(time.DateOnly), LastDate: today.AddDate(0, 0, 1).Format(time.DateOnly)}}
	})
	return s
}

// autoAnswers are the records of automatic answers.
func (s *sender) autoAnswers() []ledger.Record {
	s.t.Helper()
	page, err := s.ledger.List(context.Background(), ledger.Query{Number: relaytest.TwilioNumber, Limit: ledger.MaxLimit})
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.DeleteFunc(page.Records, func(r ledger.Record) bool { return !r.IsAutoAnswer() })
}

// A customer who texts while the number is closed is told so once a day, and waits for an answer as before.
func TestClosedNumberAnswers(t *testing.T) {
	s := closed(t)
	s.reroute(func(r *route.Route) { r.ClaimTime = route.Duration(time.Hour) })
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkSent(toPhone+customerAs+"Is the gate open?", toCustomer+closedText)
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkSent(toPhone + firstTag + ": Hello?")
	if c := s.conversation(); !c.IsOpen() || c.Written.AutoCause != relaytest.MessageSid(1) {
		t.Errorf("seen %+v, written %+v; want that he waits", c.Seen, c.Written)
	}
	s.clock.Advance(24 * time.Hour)
	s.hears(3, relaytest.Customer, "Today?")
	s.checkSent(toPhone+customerAs+"Today?", toCustomer+closedText)
	s.clock.Advance(24 * time.Hour)
	s.hears(4, relaytest.Customer, "Open?")
	s.checkSent(toPhone + customerAs + "Open?")
	all := s.autoAnswers()
	if len(all) != 2 || all[0].State != ledger.Sent || all[0].Destination != relaytest.Customer || s.measured["Answers automatic"] != 2 {
		t.Errorf("automatic answers %v, measured %v", all, s.measured)
	}
	s.checkSealed()
	s.checkConversationsSealed()
}

// Whom the relay does not answer.
func TestClosedNumberDoesNotAnswer(t *testing.T) {
	const abroad, tollFree sms.PhoneNumber = "+447700900123", "+18335550147"
	for name, act := range map[string]func(*sender){
		"another country": func(s *sender) { s.hears(1, abroad, "Is the gate open?") },
		"a machine":       func(s *sender) { s.hears(1, tollFree, "Your code is 1234") },
		"a short code":    func(s *sender) { s.hears(1, "24365", "Your code is 1234") },
		"a phone on duty": func(s *sender) { s.hears(1, relaytest.Destination, "Hello?") },
		"a reaction":      func(s *sender) { s.hears(1, relaytest.Customer, "Liked “Yes”") },
		"an auto-reply":   func(s *sender) { s.hears(1, relaytest.Customer, "I'm driving with Focus turned on.") },
		"a keyword":       func(s *sender) { s.hears(1, relaytest.Customer, "STOP") },
		"one who opted out before": func(s *sender) {
			s.hears(1, relaytest.Customer, "STOP")
			s.clock.Advance(time.Hour)
			s.hears(2, relaytest.Customer, "Is the gate open?")
		},
		"the same text again": func(s *sender) {
			s.hears(1, relaytest.Customer, "Is the gate open?")
			s.sent()
			s.clock.Advance(48 * time.Hour)
			s.hears(1, relaytest.Customer, "Is the gate open?")
		},
		"one whom a phone answered a moment ago": func(s *sender) {
			s.reroute(func(r *route.Route) { r.AutoAnswer.Closed = "" })
			s.hears(1, relaytest.Customer, "Is the gate open?")
			s.clock.Advance(time.Minute)
			s.reroute(func(r *route.Route) { r.AutoAnswer.Closed = closedText })
			s.hears(2, relaytest.Destination, "No")
			s.clock.Advance(8 * time.Second)
			s.hears(3, relaytest.Customer, "This is an automatic reply of a machine")
		},
		"a text that came before it was closed": func(s *sender) {
			s.reroute(func(r *route.Route) { r.Overrides[0].From = "13:00" })
			s.during(started.Add(2*time.Hour), &fault.Error{Kind: fault.Fatal})
			s.hears(1, relaytest.Customer, "Is the gate open?")
			s.until(3 * time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := closed(t)
			act(s)
			for _, m := range s.sent() {
				if strings.HasSuffix(m, closedText) {
					t.Errorf("message %q", m)
				}
			}
		})
	}
}

// However many write, from forged senders, say, the number sends them only so much.
func TestForgedSendersGetFewAnswers(t *testing.T) {
	s := closed(t)
	for n := 1; n <= 40; n++ {
		s.hears(n, sms.PhoneNumber(fmt.Sprintf("+1%d5550147", 201+n)), "Hello")
		s.clock.Advance(time.Second)
	}
	if got := len(s.autoAnswers()); got != 15 || s.measured["NoticesLeftOut"] == 0 {
		t.Errorf("%d automatic answers, measured %v; want 15 at once", got, s.measured)
	}
}

// A sender dies at each call, and another one works on the text again: the customer is answered once.
func TestCrashAroundAnAutomaticAnswer(t *testing.T) {
	calls := 0
	for at := 1; ; at++ {
		s := closed(t)
		s.queueUp(textOf(1, nil))
		calls = 0
		s.faults.hook = func(string) error {
			if calls++; calls == at {
				s.died = true
				runtime.Goexit()
			}
			return nil
		}
		untilItDies(func() { s.pump() })
		s.faults.hook = nil
		if !s.died {
			break
		}
		s.busy, s.died = false, false
		s.until(10 * time.Minute)
		answers := 0
		for _, m := range s.sent() {
			if m == toCustomer+closedText {
				answers++
			}
		}
		if answers != 1 {
			t.Errorf("died at call %d: %d answers", at, answers)
		}
	}
	if calls < 10 {
		t.Errorf("the text needs %d calls: nothing was interrupted", calls)
	}
}

// Somebody answers between the note and the sending: the customer gets no automatic answer any more.
func TestAnswerBeforeAnAutomaticAnswer(t *testing.T) {
	s := closed(t)
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Message.Body = "Is the gate open?" }))
	s.fail("queue before Send", broken(fault.Transient, 1)...)
	s.pump()
	if c := s.conversation(); c.Written.AutoCause != relaytest.MessageSid(1) {
		t.Fatalf("noted %+v", c.Written)
	}
	s.clock.Advance(time.Second)
	s.hears(2, relaytest.Destination, firstTag+" No")
	s.checkSent(toPhone+customerAs+"Is the gate open?", toCustomer+"No")
	s.until(10 * time.Minute)
	s.checkSent()
}

// Once no phone but the owner's is left, the customer is told, once.
func TestNoOneAnswers(t *testing.T) {
	s := impatient(t)
	s.reroute(func(r *route.Route) { r.AutoAnswer = route.AutoAnswer{Closed: closedText, NoOne: noOneText} })
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(44 * time.Minute)
	s.sent()
	s.until(46 * time.Minute)
	s.checkSent(toCustomer + noOneText)
	if c := s.conversation(); !c.IsUnanswered() {
		t.Errorf("spell %+v: he still waits", c.Spell)
	}
	s.until(5 * time.Hour)
	s.checkSent()
	s.hears(2, relaytest.Destination, "Yes, sorry")
	s.checkSent(toCustomer+"Yes, sorry", toFallback+"…0122 has "+firstTag+".", toThird+"…0122 has "+firstTag+".")
	s.checkConversationsSealed()
}

// An automatic answer that Twilio refuses ends, and nobody is told; one that waits for long is not sent any more.
func TestAutomaticAnswerFails(t *testing.T) {
	s := closed(t)
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if m.To == relaytest.Customer {
			return refusal(fault.Permanent, 21614)
		}
		return nil
	}
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkSent(toPhone+customerAs+"Is the gate open?", toCustomer+closedText)
	if all := s.autoAnswers(); len(all) != 1 || all[0].State != ledger.Failed || all[0].ReachedNobody() {
		t.Errorf("records %v, want one that failed", all)
	}
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if m.To == other {
			return &fault.Error{Kind: fault.Throttled, RetryAfter: 10 * time.Minute}
		}
		return nil
	}
	s.hears(2, other, "Is the gate open?")
	s.until(time.Hour)
	all := slices.DeleteFunc(s.autoAnswers(), func(r ledger.Record) bool { return r.Destination != other })
	if len(all) != 1 || all[0].State == ledger.Queued || all[0].UpdatedAt.Sub(all[0].ReceivedAt) > 20*time.Minute {
		t.Errorf("records %v, want one that became too old", all)
	}
}

// What is written to a customer is noted before it is sent, by whomever it is.
func TestWritingToACustomerIsNoted(t *testing.T) {
	s := closed(t)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	if c := s.conversation(); !c.Written.At.Equal(started) {
		t.Errorf("noted %+v after an automatic answer", c.Written)
	}
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Destination, "No")
	if c := s.conversation(); !c.Written.At.Equal(started.Add(time.Minute)) {
		t.Errorf("noted %+v after an answer", c.Written)
	}
	plain := newSender(t)
	plain.hears(1, relaytest.Customer, "Is the gate open?")
	plain.hears(2, relaytest.Destination, "No")
	if c := plain.conversation(); c.Written != (conversation.Written{}) {
		t.Errorf("noted %+v for a route that does not answer by itself", c.Written)
	}
}
