package delivery_test

import (
	"context"
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

// says is the nth text, of the customer who sent the first, in other words.
func says(n int, body string) queue.Envelope {
	return textOf(n, func(e *queue.Envelope) { e.Message.From, e.Message.Body = relaytest.Message(1).From, body })
}

// optOut returns what is kept of the customer.
func (s *sender) optOut() conversation.OptOut {
	s.t.Helper()
	c, err := s.conversations.Get(context.Background(), relaytest.TwilioNumber, relaytest.Message(1).From)
	if err != nil {
		s.t.Fatal(err)
	}
	return c.OptOut
}

// checkOut holds whether the customer has opted out, and by which word, against what must be.
func (s *sender) checkOut(want bool, word string) {
	s.t.Helper()
	if got := s.optOut(); got.OptedOut != want || got.Word != word {
		s.t.Errorf("opt-out is %+v, want %v by %q", got, want, word)
	}
}

// An opt-out word is recorded, and the phone on duty is told once, with the word and without being sent it as a text.
func TestCustomerOptsOut(t *testing.T) {
	for body, word := range map[string]string{
		"STOP": "STOP", " stop.\n": "STOP", "Unsubscribe": "UNSUBSCRIBE",
		"cancel": "CANCEL", "End": "END",
	} {
		s := newSender(t)
		s.queueUp(says(1, body))
		s.checkBack(0)
		s.queueUp(says(1, body))
		s.checkBack(0)
		s.checkPhones(first)
		s.checkState(1, ledger.Sent, "")
		want := conversation.OptOut{OptedOut: true, Word: word, Since: started, MessageSid: relaytest.MessageSid(1)}
		if got := s.optOut(); got != want {
			t.Errorf("%q: opt-out is %+v, want %+v", body, got, want)
		}
		told := s.twilio.Posts()[0].Body
		if !strings.HasPrefix(told, header+word+". ") || sms.Segments(told) != 1 {
			t.Errorf("%q: the phone is told %q", body, told)
		}
		if r := s.record(1); r.Keyword != word || !r.TellsOptOut() {
			t.Errorf("%q: record has keyword %q", body, r.Keyword)
		}
	}
}

// The notice has what every text has: it is tried again, goes to the next phone, and is looked for.
func TestNoticeIsAText(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0), refusal(fault.Unreachable, 21614), refusal(fault.Unknown, 20500))
	s.queueUp(says(1, "STOP"))
	s.drain()
	s.checkPhones(first, first, second)
	s.checkState(1, ledger.Sent, "")
	if r := s.record(1); !r.Attempts[2].Found {
		t.Errorf("the notice was not found on Twilio's list: %+v", r.Attempts)
	}
	s.checkOut(true, "STOP")
}

// Nobody can be told: the word is recorded all the same.
func TestNobodyToTell(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.Active = false })
	s.queueUp(says(1, "STOP"))
	s.checkBack(0)
	s.checkState(1, ledger.Dropped, ledger.ReasonOptOut)
	s.checkPosts(0)
	s.checkOut(true, "STOP")
}

// HELP is recorded and goes no further: Twilio has answered it. It says nothing of the conversation.
func TestCustomerAsksForHelp(t *testing.T) {
	s := newSender(t)
	s.queueUp(says(1, "Help"), says(2, "INFO."))
	s.drain()
	for n := 1; n <= 2; n++ {
		s.checkState(n, ledger.Dropped, ledger.ReasonKeyword)
	}
	if s.record(2).Keyword != "INFO" {
		t.Errorf("record has keyword %q", s.record(2).Keyword)
	}
	s.checkPosts(0)
	s.checkNotAsked()
}

// checkNotAsked: the conversations were neither read nor written.
func (s *sender) checkNotAsked() {
	s.t.Helper()
	if calls := s.conversations.Calls(); calls != 0 {
		s.t.Errorf("%d calls of the conversations, want none", calls)
	}
}

// A text that is not a keyword opts nobody out.
func TestOrdinaryTextOptsNobodyOut(t *testing.T) {
	s := newSender(t)
	s.Concurrency = 1
	s.queueUp(textOf(1, nil), says(2, "Stop by at 5"), says(3, "YES!"), says(4, "cancel it, please"))
	s.queueUp(textOf(6, func(e *queue.Envelope) { e.Kind, e.Message.From, e.Message.Body = queue.KindManual, "", "STOP" }))
	s.drain()
	s.checkPosts(5)
	if !slices.ContainsFunc(s.twilio.Posts(), func(p relaytest.TwilioPost) bool { return strings.HasSuffix(p.Body, ": Stop by at 5") }) {
		t.Errorf("no phone got the text: %+v", s.twilio.Posts())
	}
	c, err := s.conversations.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	if err != nil || c.OptOut != (conversation.OptOut{}) {
		t.Errorf("conversation %+v, error %v", c, err)
	}
}

// START counts only for someone who has opted out. From anyone else, YES is an answer.
func TestCustomerOptsInAgain(t *testing.T) {
	s := newSender(t)
	for n, body := range []string{"Yes", "STOP", "yes", "YES"} {
		s.queueUp(says(n+1, body))
		s.drain()
	}
	s.checkState(1, ledger.Sent, "")
	s.checkState(3, ledger.Dropped, ledger.ReasonKeyword)
	s.checkState(4, ledger.Sent, "")
	s.checkOut(false, "YES")
	s.checkSealed()
	posted := s.twilio.Posts()
	if len(posted) != 3 || !strings.HasSuffix(posted[0].Body, ": Yes") || !strings.HasSuffix(posted[2].Body, ": YES") {
		t.Errorf("%d POSTs: %+v", len(posted), posted)
	}
}

// The queue delivers a STOP and a START again, in whatever order: the customer's last word holds.
func TestKeywordsComeTwice(t *testing.T) {
	stop, start := says(1, "STOP"), says(2, "START")
	for name, order := range map[string][]queue.Envelope{
		"each twice":       {stop, stop, start, start},
		"both, then again": {stop, start, stop, start},
		"STOP at the end":  {stop, start, stop},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			for _, e := range order {
				s.queueUp(e)
				s.drain()
				s.clock.Advance(10 * time.Minute)
			}
			s.checkOut(false, "START")
			s.checkPosts(1)
			s.checkState(2, ledger.Dropped, ledger.ReasonKeyword)
		})
	}
}

// A sender pauses while it works on a STOP, before its write or just after its read, while another brings STOP and START
// to their ends. The late write changes nothing.
func TestStoppedSenderUndoesNoStart(t *testing.T) {
	for _, op := range []string{
		"conversations before Get", "conversations after Get", "conversations before Put", "conversations after Put",
		"ledger before Get", "ledger after Get",
	} {
		t.Run(op, func(t *testing.T) {
			s := newSender(t)
			s.Concurrency = 1
			s.faults.hook = once(s, op, func() {
				s.clock.Advance(visibility + time.Second)
				s.queueUp(says(2, "START"))
				deadline := s.clock.Now().Add(time.Minute)
				for s.clock.Now().Before(deadline) {
					s.pump()
					s.clock.Advance(time.Second)
				}
			})
			s.queueUp(says(1, "STOP"))
			s.pump()
			s.drain()
			s.checkOut(false, "START")
			s.checkState(2, ledger.Dropped, ledger.ReasonKeyword)
			s.checkPosts(1)
		})
	}
}

// The conversations cannot be read or written: the text waits. What was written although its answer was lost counts once.
func TestConversationsDown(t *testing.T) {
	for _, op := range []string{"conversations before Get", "conversations after Get", "conversations before Put", "conversations after Put"} {
		for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Fatal, fault.Unknown} {
			t.Run(op+" "+kind.String(), func(t *testing.T) {
				s := newSender(t)
				s.fail(op, broken(kind, 1)...)
				s.queueUp(says(1, "STOP"), says(2, "UNSTOP"))
				s.drain()
				s.checkOut(false, "UNSTOP")
				s.checkState(1, ledger.Sent, "")
				s.checkState(2, ledger.Dropped, ledger.ReasonKeyword)
				s.checkPosts(1)
			})
		}
	}
}

// A retry is no new text: what it was taken for holds, whatever the customer says meanwhile.
func TestRetryStaysWhatItWas(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.DeliveryTimeout = route.Duration(time.Minute) })
	s.queueUp(says(1, "YES"))
	s.drain2()
	s.queueUp(says(2, "STOP"))
	s.drain2()
	s.drain()
	s.checkOut(true, "STOP")
	s.checkPhones(first, first, second, second)
	if !slices.ContainsFunc(s.twilio.Posts()[2:], func(p relaytest.TwilioPost) bool { return strings.HasSuffix(p.Body, ": YES") }) {
		t.Errorf("the second phone did not get the text: %+v", s.twilio.Posts())
	}
}

// drain2 takes what can be had now.
func (s *sender) drain2() {
	s.t.Helper()
	for {
		if _, received := s.pump(); received == 0 {
			return
		}
	}
}

// With Advanced Opt-Out, Twilio says what it took the text for. Nobody is told, and it is recorded.
func TestAdvancedOptOutIsRecorded(t *testing.T) {
	by := func(n int, body, kind string) queue.Envelope {
		e := says(n, body)
		e.Message.OptOutType = kind
		return e
	}
	s := newSender(t)
	s.queueUp(by(1, "no more", sms.OptOutStop))
	s.checkBack(0)
	s.checkState(1, ledger.Dropped, ledger.ReasonOptOut)
	s.checkOut(true, "STOP")
	s.queueUp(by(2, "what", sms.OptOutHelp))
	s.checkBack(0)
	s.checkOut(true, "STOP")
	s.queueUp(by(3, "unstop", sms.OptOutStart), by(4, "start", sms.OptOutStart))
	s.drain()
	s.checkOut(false, "UNSTOP")
	for n := 2; n <= 4; n++ {
		s.checkState(n, ledger.Dropped, ledger.ReasonKeyword)
	}
	s.checkPosts(0)
}

// An operator's text to someone who has opted out since it was queued is dropped. To a hop, the hop's own mark decides.
func TestManualTextToOptedOut(t *testing.T) {
	to := func(n int, phone sms.PhoneNumber) queue.Envelope {
		return textOf(n, func(e *queue.Envelope) { e.Kind, e.Message.From, e.Destination = queue.KindManual, "", phone })
	}
	s := newSender(t)
	customer := relaytest.Message(1).From
	s.queueUp(says(1, "STOP"))
	s.drain()
	s.queueUp(to(2, customer), to(3, third))
	s.drain()
	s.checkState(2, ledger.Dropped, ledger.ReasonOptOut)
	s.checkPhones(first, third)
	s.queueUp(says(4, "START"))
	s.drain()
	s.queueUp(to(5, customer))
	s.drain()
	s.checkPhones(first, third, customer)
	s.queueUp(says(6, "STOP"))
	s.drain()
	s.reroute(func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{customer} })
	s.queueUp(to(7, customer))
	s.drain()
	s.checkPhones(first, third, customer, first, customer)
}
