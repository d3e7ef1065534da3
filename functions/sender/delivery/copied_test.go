package delivery_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// copied is how long after the start the sender's data turns out to be a copy; settling is when Twilio's list is complete then.
const (
	copied   = 10 * time.Minute
	settling = copied + looks*interval
)

// newCopy is a sender at the moment at which its data turns out to be a copy.
func newCopy(t *testing.T) *sender {
	t.Helper()
	s := newSender(t)
	s.clock.Advance(copied)
	s.AskBefore = s.clock.Now()
	return s
}

// sentElsewhere puts the message of the nth text on Twilio's list that another relay has sent to that phone, under the sid m.
func (s *sender) sentElsewhere(n, m int, to sms.PhoneNumber, after time.Duration, status sms.Status) {
	s.t.Helper()
	message := alike(m, after)
	message.Body, message.To, message.Status = header+textOf(n, nil).Message.Body, to, status
	s.twilio.Add(message)
}

// What the other copy has sent is not sent again, and is known for what it is. What it has not sent goes out, once Twilio's list
// must have it.
func TestACopyAdoptsWhatWasSent(t *testing.T) {
	s := newCopy(t)
	s.sentElsewhere(1, 901, first, time.Minute, sms.StatusSent)
	s.sentElsewhere(2, 902, first, time.Minute, sms.StatusDelivered)
	s.queueUp(textOf(1, nil), textOf(2, nil), textOf(3, nil))
	s.pump()
	s.checkState(1, ledger.Sent, "")
	s.checkState(2, ledger.Delivered, "")
	last, _ := s.record(1).Current()
	if last.OutboundSid != relaytest.OutboundSid(901) || !last.Found || !last.Accepted() || last.To != first {
		t.Errorf("attempt %+v, want the adopted message", last)
	}
	s.drain()
	s.checkState(3, ledger.Sent, "")
	s.checkPosts(1)
	if at := s.twilio.Posts()[0].At.Sub(started); at < settling {
		t.Errorf("the text that nobody had sent went out after %v, want %v or later", at, settling)
	}
	if got := s.lines(); !slices.Contains(got, "text adopted: another copy of the data has sent it") {
		t.Errorf("log %q says nothing of it", got)
	}
	checkChanges(t, s.ledger.Changes())
}

// What the other copy has sent from a thread is not sent again, neither from there nor from another number.
func TestACopyAdoptsWhatAThreadSent(t *testing.T) {
	s := newCopy(t)
	s.reroute(func(r *route.Route) { r.Threads = []sms.PhoneNumber{firstThread, secondThread} })
	message := alike(901, time.Minute)
	message.Body, message.From, message.To, message.Status = header+textOf(1, nil).Message.Body, secondThread, first, sms.StatusDelivered
	s.twilio.Add(message)
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Delivered, "")
	s.checkPosts(0)
	last, _ := s.record(1).Current()
	if last.From != secondThread || last.OutboundSid != relaytest.OutboundSid(901) {
		t.Errorf("attempt %+v, want the adopted message", last)
	}
	key := conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, SendingNumber: secondThread, Phone: first}
	p, err := s.conversations.GetPhone(t.Context(), key)
	if err != nil || p.Owner != relaytest.Customer {
		t.Errorf("the thread is %q's, error %v", p.Owner, err)
	}
}

// A text that came in after the start is nobody else's, and of data that was never copied none is.
func TestAFreshTextAsksNothing(t *testing.T) {
	for name, ask := range map[string]time.Time{"copied": started, "not copied": {}} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.AskBefore = ask
			at := s.looksAt()
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkState(1, ledger.Sent, "")
			if len(*at) > 0 {
				t.Errorf("Twilio's list was asked at %v", *at)
			}
		})
	}
}

// Texts of the same words are told apart by counting: as many as there are messages were sent, the first ones.
func TestACopyCounts(t *testing.T) {
	for sent := range 4 {
		s := newCopy(t)
		for m := range sent {
			s.twilio.Add(alike(900+m, time.Duration(m+1)*time.Second))
		}
		s.queueUp(textOf(1, same), textOf(2, same), textOf(3, same))
		s.drain()
		s.checkPosts(3 - sent)
		for n := range 3 {
			s.checkState(n+1, ledger.Sent, "")
			if last, _ := s.record(n + 1).Current(); last.Found != (n < sent) {
				t.Errorf("%d sent elsewhere, text %d: %+v", sent, n+1, last)
			}
		}
	}
}

// Before the copy was made, Twilio had too much to do, and refused what was tried. That makes nothing less clear.
func TestACopyCountsAfterABusyHour(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Throttled, 20429))
	s.queueUp(textOf(1, same), textOf(2, same))
	s.until(copied)
	tries := len(s.twilio.Posts())
	s.AskBefore = s.clock.Now()
	for m := range 2 {
		s.twilio.Add(alike(900+m, copied-time.Minute+time.Duration(m)*time.Second))
	}
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkState(2, ledger.Sent, "")
	s.checkPosts(tries)
}

// Another text of the same words is in doubt itself: the message may be of either. The text is left to an operator, whose order to
// send it all the same holds.
func TestACopyIsNotSure(t *testing.T) {
	s := newCopy(t)
	s.remember(2, time.Second, "", "unknown", func(r *ledger.Record) { r.State = ledger.Uncertain })
	s.twilio.Add(alike(901, time.Minute))
	s.queueUp(textOf(1, same))
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonAmbiguous)
	s.checkPosts(0)
	s.clock.Advance(time.Hour)
	order, err := delivery.ResendOrder(s.record(1), byAda)
	if err != nil {
		t.Fatal(err)
	}
	s.give(order)
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(1)
}

// The text has an attempt of its own that is in doubt: a message that nobody else's attempt made is the text's, whichever it is of.
func TestACopyAdoptsForAnAttemptInDoubt(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(lostPost())
	s.queueUp(textOf(1, nil))
	s.until(copied)
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	order, err := delivery.ResendOrder(s.record(1), byAda)
	if err != nil {
		t.Fatal(err)
	}
	s.AskBefore = s.clock.Now()
	s.clock.Advance(time.Minute)
	s.sentElsewhere(1, 901, first, 5*time.Minute, sms.StatusSent)
	s.give(order)
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(1)
}

// While the list cannot be read, nothing is sent and no attempt is made; after two hours someone has to look.
func TestACopyCannotAsk(t *testing.T) {
	for name, unreadable := range map[string]time.Duration{"for half an hour": 30 * time.Minute, "for long": 100 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newCopy(t)
			s.reroute(func(r *route.Route) { r.MaxAge = route.Duration(24 * time.Hour) })
			s.sentElsewhere(1, 901, first, time.Minute, sms.StatusSent)
			s.faults.hook = func(op string) error {
				if op == "twilio before List" && s.clock.Now().Before(s.AskBefore.Add(unreadable)) {
					return refusal(fault.Transient, 0)
				}
				return nil
			}
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			if _, err := s.ledger.Get(context.Background(), relaytest.MessageSid(1)); err == nil {
				t.Errorf("the text is on record: %+v", s.record(1))
			}
			s.drain()
			if unreadable > 2*time.Hour {
				s.checkState(1, ledger.Uncertain, ledger.ReasonUnreadableList)
			} else {
				s.checkState(1, ledger.Sent, "")
			}
			s.checkPosts(0)
		})
	}
}

// The other copy went on from phone to phone: each message is adopted in its turn. One at a phone that is not the next here counts, too.
func TestACopyFollowsTheOtherOne(t *testing.T) {
	for name, lost := range map[string]bool{"after a receipt": true, "after a refusal": false} {
		t.Run(name, func(t *testing.T) {
			s := newCopy(t)
			if lost {
				s.sentElsewhere(1, 901, first, time.Minute, sms.StatusUndelivered)
			}
			s.sentElsewhere(1, 902, relaytest.Fallback, 2*time.Minute, sms.StatusDelivered)
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkState(1, ledger.Delivered, "")
			s.checkPosts(0)
			if last, _ := s.record(1).Current(); last.Hop != 1 || last.OutboundSid != relaytest.OutboundSid(902) {
				t.Errorf("attempt %+v", last)
			}
		})
	}
}

// An attempt that was refused before the copy was made is not repeated before Twilio was asked.
func TestACopyAsksBeforeARetry(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, func(e *queue.Envelope) { e.Message.Body = secretText }))
	s.checkBack(1)
	s.clock.Advance(copied)
	s.AskBefore = s.clock.Now()
	message := alike(901, time.Minute)
	message.Body = header + secretText
	s.twilio.Add(message)
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(1)
	if last, _ := s.record(1).Current(); last.Number != 2 || last.OutboundSid != relaytest.OutboundSid(901) {
		t.Errorf("attempt %+v, want the second, adopted", last)
	}
}

// The other copy has sent the same words of another customer: his message is not this one's. Once the customer had a tag when the data was
// copied, the tag tells, too.
func TestACopyTellsCustomersApart(t *testing.T) {
	const otherTag = "B28"
	for name, c := range map[string]struct {
		header string
		isOwn  bool
	}{
		"own number":   {firstTag + " +18585550111: ", true},
		"own tag":      {firstTag + ": ", true},
		"new tag":      {otherTag + " Ann Miller +18585550111: ", true},
		"other number": {firstTag + " +18585550112: ", false},
		"other tag":    {otherTag + " Ann: ", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.hears(1, relaytest.Customer, "Hello")
			s.clock.Advance(copied)
			s.AskBefore = s.clock.Now()
			message := alike(902, 2*time.Minute)
			message.Body = c.header + "Hello?"
			s.twilio.Add(message)
			s.queueUp(textOf(2, func(e *queue.Envelope) { e.Message.Body, e.ReceivedAt = "Hello?", started.Add(time.Minute) }))
			s.drain()
			if last, _ := s.record(2).Current(); last.Found != c.isOwn {
				t.Errorf("attempt %+v, want it adopted: %t", last, c.isOwn)
			}
			s.checkState(2, ledger.Sent, "")
		})
	}
}

// Of a customer who was new to the other copy, nobody knows the tag that it gave.
func TestACopyDoesNotKnowNewTags(t *testing.T) {
	s := newCopy(t)
	message := alike(901, time.Minute)
	message.Body = "B28: " + textOf(1, nil).Message.Body
	s.twilio.Add(message)
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(0)
}

// restored is a sender without any data on the Twilio of one that was lost.
func (s *sender) restored(lost *sender) {
	s.t.Helper()
	s.clock.Advance(lost.clock.Now().Sub(s.clock.Now()))
	s.AskBefore = s.clock.Now()
	s.CaughtUp = func() bool { return s.clock.Now().Sub(s.AskBefore) > looks*interval+10*time.Second }
	s.twilio = lost.twilio
	s.twilio.Now, s.Messages, s.seen = s.clock.Now, s.twilio, len(s.twilio.Posts())
}

// What the lost relay sent by itself is not sent again: notices, automatic answers, and texts that nobody answered. What it would have
// sent later is.
func TestACopyRepeatsNothingOfItsOwn(t *testing.T) {
	plain := func(t *testing.T) *sender {
		t.Helper()
		return newSender(t)
	}
	type heard struct {
		after time.Duration
		from  sms.PhoneNumber
		body  string
	}
	for name, c := range map[string]struct {
		stage func(t *testing.T) *sender
		heard []heard
		// sent is how many messages the lost relay sent within 20 minutes.
		sent int
		// later are those that the restored relay sends.
		later []string
	}{
		"automatic answer": {closed, []heard{{0, relaytest.Customer, "Is the gate open?"}}, 2, nil},
		"stage": {
			impatient, []heard{{0, relaytest.Customer, "Is anybody there?"}}, 2, []string{toThird + customerAs + "Is anybody there?"},
		},
		"question": {
			plain,
			[]heard{{0, relaytest.Customer, "One"}, {time.Minute, other, "Two"}, {3 * time.Minute, relaytest.Destination, "Yes"}},
			3,
			// The phone is asked in other words: it was sent both texts at the same moment, as far as is known here.
			[]string{toPhone + `"Yes" is for? A05 (…0111) or A18 (…0112)? Start with A05 and I won't ask.`},
		},
		"opt-out word": {plain, []heard{{0, relaytest.Customer, "STOP"}}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			lost := c.stage(t)
			for i, h := range c.heard {
				lost.until(h.after)
				lost.hears(i+1, h.from, h.body)
			}
			lost.until(20 * time.Minute)
			if all := lost.sent(); len(all) != c.sent {
				t.Fatalf("the lost relay sent %q, want %d messages", all, c.sent)
			}
			s := c.stage(t)
			s.restored(lost)
			for i, h := range c.heard {
				s.queueUp(textOf(i+1, func(e *queue.Envelope) {
					e.Message.From, e.Message.Body, e.ReceivedAt = h.from, h.body, started.Add(h.after)
				}))
				s.settle()
			}
			s.until(time.Hour)
			s.checkSent(c.later...)
		})
	}
}
