package delivery_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// ringing is a sender whose route has three phones, all of which get a text at the same time.
func ringing(t *testing.T) *sender {
	t.Helper()
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		r.FallbackCarriers = []sms.PhoneNumber{relaytest.Fallback, third}
		r.Ring = route.RingAll
	})
	return s
}

// rung returns the first text's record to the phone at that place of its ring.
func (s *sender) rung(place int) ledger.Record {
	s.t.Helper()
	r, err := s.ledger.Get(context.Background(), ledger.StageSid(relaytest.MessageSid(1), 0, place))
	if err != nil {
		s.t.Fatalf("record to phone %d: %v", place, err)
	}
	return r
}

// checkRung holds the states of the first text's records to its phones against what they must be.
func (s *sender) checkRung(want ...ledger.State) {
	s.t.Helper()
	for place, state := range want {
		if r := s.rung(place); r.State != state {
			s.t.Errorf("text to phone %d is %q (%s), want %q", place, r.State, r.Reason, state)
		}
	}
}

// only answers with the error what goes to one of the phones.
func only(err error, phones ...sms.PhoneNumber) func(int, sms.Outbound) error {
	return func(_ int, m sms.Outbound) error {
		for _, phone := range phones {
			if m.To == phone {
				return err
			}
		}
		return nil
	}
}

// All phones on duty get the text at the same time, each once, however often its message comes; the first receipt settles it.
func TestAllPhonesGetTheText(t *testing.T) {
	s := ringing(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkSent(toPhone+customerAs+"Is anybody there?", toFallback+customerAs+"Is anybody there?", toThird+customerAs+"Is anybody there?")
	s.checkState(1, ledger.Sent, "")
	s.checkRung(ledger.Sent, ledger.Sent, ledger.Sent)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkSent()
	s.tell(2, sms.StatusDelivered, 0)
	s.drain()
	s.checkState(1, ledger.Delivered, "")
	s.tell(1, sms.StatusUndelivered, 30003)
	s.tell(3, sms.StatusDelivered, 0)
	s.drain()
	s.checkState(1, ledger.Delivered, "")
	s.checkRung(ledger.Undelivered, ledger.Delivered, ledger.Delivered)
	s.checkSent()
	checkChanges(t, s.ledger.Changes())
	s.checkSealed()
}

// Whoever answers first has the customer: the others are told once, and the customer's next text goes to that phone alone.
func TestFirstToAnswerHasTheCustomer(t *testing.T) {
	s := ringing(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.sent()
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Fallback, "Yes, me")
	s.checkSent(toCustomer+"Yes, me", toPhone+"…0133 has "+firstTag+".", toThird+"…0133 has "+firstTag+".")
	s.clock.Advance(time.Minute)
	s.hears(3, relaytest.Destination, "Me, too")
	s.checkSent(toCustomer + "Me, too")
	s.hears(4, relaytest.Customer, "Thanks")
	s.checkSent(toFallback + firstTag + ": Thanks")
	s.clock.Advance(5 * time.Hour)
	s.hears(5, relaytest.Customer, "Hello again")
	s.checkSent(toPhone+firstTag+": Hello again", toFallback+firstTag+": Hello again", toThird+firstTag+": Hello again")
}

// A phone that does not get the text is left out: no other one gets it twice for that. If none gets it, it has reached nobody.
func TestPhonesOfARingFail(t *testing.T) {
	s := ringing(t)
	s.twilio.answer = only(refusal(fault.Unreachable, 21211), relaytest.Destination)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkPosts(3)
	s.checkState(1, ledger.Sent, "")
	s.checkRung(ledger.Failed, ledger.Sent, ledger.Sent)
	s.tell(2, sms.StatusUndelivered, 30005)
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.tell(3, sms.StatusUndelivered, 30005)
	s.drain()
	s.checkState(1, ledger.Undelivered, "")
	s.checkPosts(3)
	if s.measured["ReachedNobody"] != 1 || !s.record(1).ReachedNobody() {
		t.Errorf("measured %v, want one that reached nobody", s.measured)
	}
	// An operator has the text sent again: in turn.
	order, err := delivery.ResendOrder(s.record(1), byAda)
	if err != nil {
		t.Fatal(err)
	}
	s.twilio.answer = nil
	s.give(order)
	s.give(order)
	s.drain()
	s.checkPosts(4)
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}

// If all phones of a ring fail, the other phones of the route get the text in turn.
func TestTextGoesOnAfterARing(t *testing.T) {
	const fourth = sms.PhoneNumber("+18585550145")
	for _, isLate := range []bool{false, true} {
		s := ringing(t)
		if !isLate {
			s.twilio.answer = only(refusal(fault.Unreachable, 21211), first, second, third)
		}
		s.twilio.answer = func(n int, m sms.Outbound) error {
			if n == 3 {
				s.reroute(func(r *route.Route) { r.FallbackCarriers = append(r.FallbackCarriers, fourth) })
			}
			if !isLate && n <= 3 {
				return refusal(fault.Unreachable, 21211)
			}
			return nil
		}
		s.hears(1, relaytest.Customer, "Is anybody there?")
		if isLate {
			for n := range 3 {
				s.tell(n+1, sms.StatusUndelivered, 30005)
			}
		}
		s.drain()
		s.checkPhones(first, second, third, fourth)
		s.checkState(1, ledger.Sent, "")
		s.tell(4, sms.StatusUndelivered, 30005)
		s.drain()
		s.checkPosts(4)
		s.checkState(1, ledger.Undelivered, "")
		checkChanges(t, s.ledger.Changes())
	}
}

// A text that goes on in turn by a timer, because its own message is gone, is looked for if the answer to it was lost.
func TestTextOfUnknownOutcomeAfterARing(t *testing.T) {
	s := ringing(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.twilio.answer = only(&fault.Error{Kind: fault.Unknown}, "+18585550145")
	s.reroute(func(r *route.Route) { r.FallbackCarriers = append(r.FallbackCarriers, "+18585550145") })
	for n := range 3 {
		s.tell(n+1, sms.StatusUndelivered, 30005)
	}
	s.drain()
	s.checkPosts(4)
	// Twilio had taken it, as a look finds.
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}

// One phone's text waits for another try: the others have theirs meanwhile, the customer's wait is noted, and his next text waits.
func TestOnePhoneOfARingWaits(t *testing.T) {
	s := ringing(t)
	s.reroute(func(r *route.Route) { r.AnswerTimeout = route.Duration(15 * time.Minute) })
	s.twilio.answer = only(&fault.Error{Kind: fault.Throttled, RetryAfter: 40 * time.Second}, relaytest.Destination)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkPosts(3)
	s.checkState(1, ledger.Queued, ledger.ReasonRing)
	s.checkRung(ledger.Queued, ledger.Sent, ledger.Sent)
	if c := s.conversation(); !c.IsOpen() || len(c.Spell.Phones) != 2 {
		t.Errorf("%+v, want an open conversation of two phones", c.Spell)
	}
	s.tell(2, sms.StatusDelivered, 0)
	s.settle()
	s.checkState(1, ledger.Delivered, "")
	s.sent()
	s.twilio.answer = nil
	s.until(2 * time.Minute)
	s.checkSent(toPhone+customerAs+"Is anybody there?", toPhone+firstTag+": Hello?", toFallback+firstTag+": Hello?",
		toThird+firstTag+": Hello?")
	if c := s.conversation(); len(c.Spell.Phones) != 3 || c.Spell.Texts != 2 {
		t.Errorf("%+v, want two texts to three phones", c.Spell)
	}
}

// Somebody answers while one phone's text waits: it goes no more.
func TestWaitingTextOfARingIsAnswered(t *testing.T) {
	s := ringing(t)
	s.twilio.answer = only(&fault.Error{Kind: fault.Throttled, RetryAfter: 40 * time.Second}, relaytest.Destination)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.clock.Advance(10 * time.Second)
	s.twilio.answer = nil
	s.sent()
	s.hears(2, relaytest.Fallback, "Yes")
	s.until(2 * time.Minute)
	s.checkSent(toCustomer+"Yes", toThird+"…0133 has "+firstTag+".")
	s.checkRung(ledger.Dropped, ledger.Sent, ledger.Sent)
	s.checkState(1, ledger.Sent, "")
}

// The phone that has the customer does not get the text: the others do, though they are told that it has the customer.
func TestPhoneThatHasTheCustomerMissesTheText(t *testing.T) {
	s := ringing(t)
	trouble := &fault.Error{Kind: fault.Throttled, RetryAfter: 40 * time.Second}
	s.twilio.answer = only(trouble, relaytest.Destination, relaytest.Fallback)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.clock.Advance(10 * time.Second)
	s.twilio.answer = only(trouble, relaytest.Destination)
	s.hears(2, third, firstTag+" Yes")
	s.reroute(func(r *route.Route) { r.Owner = string(otherPhone) })
	c := s.conversation()
	c.Claim.Phone = otherPhone
	if _, err := s.conversations.Put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s.twilio.answer = nil
	s.drain()
	s.checkRung(ledger.Sent, ledger.Sent, ledger.Sent)
}

// After a ring, whoever had nothing yet gets the text, all at the same time; then the owner.
func TestStagesAfterARing(t *testing.T) {
	s := ringing(t)
	s.reroute(func(r *route.Route) {
		r.AnswerTimeout, r.Owner = route.Duration(15*time.Minute), string(otherPhone)
		r.OptedOut = []sms.PhoneNumber{relaytest.Fallback, third}
		r.FallbackCarriers = append(r.FallbackCarriers, "+18585550145")
	})
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkSent(toPhone+customerAs+"Is anybody there?", "+18585550145 "+customerAs+"Is anybody there?")
	s.reroute(func(r *route.Route) { r.OptedOut = nil })
	s.until(15*time.Minute + 5*time.Second)
	s.checkSent(toFallback+customerAs+"Is anybody there?", toThird+customerAs+"Is anybody there?")
	s.until(30*time.Minute + 10*time.Second)
	s.checkSent(string(otherPhone) + " " + customerAs + "Is anybody there?")
}

// The outcome of one POST is unknown. Its text is searched for, and is uncertain in the end; the text itself is only if no other phone has
// it. An operator has the one to that phone sent again.
func TestOnePhoneOfARingIsUncertain(t *testing.T) {
	s := ringing(t)
	s.twilio.answer = only(lostPost(), relaytest.Destination)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkPosts(3)
	s.drain()
	s.checkRung(ledger.Uncertain, ledger.Sent, ledger.Sent)
	s.checkState(1, ledger.Sent, "")
	s.tell(2, sms.StatusUndelivered, 30005)
	s.tell(3, sms.StatusUndelivered, 30005)
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	order, err := delivery.ResendOrder(s.rung(0), byAda)
	if err != nil {
		t.Fatal(err)
	}
	s.twilio.answer = nil
	s.give(order)
	s.give(order)
	s.drain()
	s.checkPosts(4)
	s.checkRung(ledger.Sent, ledger.Undelivered, ledger.Undelivered)
	s.checkState(1, ledger.Sent, "")
	checkChanges(t, s.ledger.Changes())
}

// Trouble lasts through all attempts at each phone: each has a dead letter, and each letter that is moved back sends its own text once.
func TestDeadLettersOfARing(t *testing.T) {
	s := ringing(t)
	s.twilio.answer = always(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkRung(ledger.Dead, ledger.Dead, ledger.Dead)
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	letters := s.dead.Messages()
	if len(letters) != 3 {
		t.Fatalf("%d dead letters, want 3", len(letters))
	}
	s.twilio.answer = nil
	s.redriven(letters[1])
	s.redriven(letters[1])
	s.checkRung(ledger.Dead, ledger.Sent, ledger.Dead)
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(3*maxAttempts + 1)
	checkChanges(t, s.ledger.Changes())
}

// The sender dies after any of its writes. The text's message comes again, also after the duty has changed: each phone of the ring gets it
// once.
func TestSenderDiesInARing(t *testing.T) {
	for _, op := range []string{"ledger after Create", "ledger after Update", "conversations after PutPhone"} {
		for nth := 1; nth <= 4; nth++ {
			s := ringing(t)
			calls := 0
			s.faults.hook = func(called string) error {
				if called != op {
					return nil
				}
				if calls++; calls == nth {
					s.died = true
					s.reroute(func(r *route.Route) { r.DestinationCarrier, r.FallbackCarriers = third, []sms.PhoneNumber{first} })
					runtime.Goexit()
				}
				return nil
			}
			s.queueUp(textOf(1, nil))
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.pump()
			}()
			<-done
			s.faults.hook, s.busy = nil, false
			s.drain()
			want, posts := []ledger.State{ledger.Sent, ledger.Sent, ledger.Sent}, 3
			if op == "ledger after Create" && nth > 1 {
				// It died between the claim and the POST, which nobody can tell from a POST whose message is not listed.
				want[nth-2], posts = ledger.Uncertain, 2
			}
			s.checkRung(want...)
			s.checkState(1, ledger.Sent, "")
			s.checkPosts(posts)
			checkChanges(t, s.ledger.Changes())
		}
	}
}

// The receipts of all phones come while the text still waits for one of them: what was read before them counts no more.
func TestReceiptsDuringARing(t *testing.T) {
	s := ringing(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 3 {
			s.tell(1, sms.StatusUndelivered, 30005)
			s.tell(2, sms.StatusUndelivered, 30005)
			s.pumpFrom(s.queue)
			return refusal(fault.Unreachable, 21211)
		}
		return nil
	}
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.drain()
	s.checkRung(ledger.Undelivered, ledger.Undelivered, ledger.Failed)
	s.checkState(1, ledger.Undelivered, "")
	s.checkPosts(3)
	checkChanges(t, s.ledger.Changes())
}

// The pace counts each phone's text, a long text has its second part at each phone, and STOP is told to each.
func TestWhatEachPhoneOfARingGets(t *testing.T) {
	s := ringing(t)
	s.PaceNumber = pace.Limit{N: 1, Per: time.Second}
	s.hears(1, relaytest.Customer, long)
	s.until(time.Minute)
	s.checkPosts(6)
	for place := range 3 {
		if r := s.part("/e0/" + string(rune('1'+place)) + "/p2"); r.State != ledger.Sent || !sms.Same(r.Destination, s.rung(place).Destination) {
			t.Errorf("second part to phone %d is %s to %s", place, r.State, r.Destination)
		}
	}
	if took := s.twilio.Posts()[5].At.Sub(started); took < 20*time.Second {
		t.Errorf("six long messages took %v at a segment a second", took)
	}
	s.PaceNumber = pace.Limit{}
	s.hears(2, relaytest.Customer, "STOP")
	s.until(2 * time.Minute)
	s.checkPosts(9)
}

// One phone alone, an operator's text and a text to a number that does not ring go in turn, and cost what they did.
func TestTextsThatDoNotRing(t *testing.T) {
	s := ringing(t)
	s.reroute(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{first, second} })
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkPhones(third)
	if r := s.record(1); len(r.Ring.Phones) > 0 || len(r.Attempts) != 1 {
		t.Errorf("record %+v, want an attempt of its own", r)
	}
}
