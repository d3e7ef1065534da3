package delivery_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// strict is a sender whose route has one phone, which has yet to be verified and was sent a code.
func strict(t *testing.T) *sender {
	t.Helper()
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		r.FallbackCarriers, r.VerifyPhones, r.MaxAge = nil, new(true), route.Duration(time.Hour)
		*r = r.Switched(route.Route{}, s.clock.Now())
	})
	s.sendsCode("042317")
	return s
}

func (s *sender) sendsCode(code string) {
	s.t.Helper()
	s.reroute(func(r *route.Route) {
		changed, ok := r.PutCode(relaytest.Destination, code, "SALT", s.clock.Now())
		if !ok {
			s.t.Fatal("the phone need not be verified")
		}
		*r = changed
	})
}

func (s *sender) stored() route.Route {
	s.t.Helper()
	found, err := s.routes.Lookup(context.Background(), relaytest.TwilioNumber)
	if err != nil {
		s.t.Fatal(err)
	}
	return found[relaytest.TwilioNumber]
}

// checkSentTogether is checkSent for messages of several conversations, whose order does not count.
func (s *sender) checkSentTogether(want ...string) {
	s.t.Helper()
	got := s.sent()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("sent %q, want %q", got, want)
	}
}

// A phone that is not verified gets no customer's words, and learns nothing by commands. Texts wait for it, and do not age.
func TestTextsWaitForVerification(t *testing.T) {
	s := strict(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkSent()
	s.checkState(1, ledger.Queued, ledger.ReasonUnverified)
	if s.measured["Unanswered"] != 1 {
		t.Errorf("measured %v, want one who waits", s.measured)
	}
	for i, says := range []string{"Hello", "/open", "A05 Yes", "12345"} {
		s.hears(2+i, relaytest.Destination, says)
		if got := s.sent(); len(got) != 1 || !strings.Contains(got[0], "This phone is not verified yet") {
			t.Errorf("after %q sent %q", says, got)
		}
		s.checkState(2+i, ledger.Dropped, ledger.ReasonNotStaff)
	}
	s.until(3 * time.Hour)
	s.checkSent()
	s.sendsCode("777123")
	s.hears(7, relaytest.Destination, "042317")
	s.checkSent(toPhone + "/verify: that is not the code. Look again.")
	s.hears(8, relaytest.Destination, "777 123")
	// Digits that come late, or are texted twice, are for nobody.
	s.hears(10, relaytest.Destination, "042317")
	s.until(3*time.Hour + 10*time.Minute)
	s.checkSentTogether(toPhone+conversation.Verified, toPhone+conversation.Verified, toPhone+customerAs+"Is anybody there?")
	if s.stored().IsUnverified(relaytest.Destination) || s.measured["Unanswered"] != 1 {
		t.Errorf("route %+v, measured %v", s.stored().Verifications, s.measured)
	}
	// After some minutes, six digits are an answer like others.
	s.hears(9, relaytest.Destination, "042317")
	s.checkSent(toCustomer + "042317")
	s.checkSealed()
}

// After a day without a phone, texts age as usual, and end.
func TestWaitForVerificationEnds(t *testing.T) {
	s := strict(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.until(24*time.Hour + 50*time.Minute)
	s.checkState(1, ledger.Queued, ledger.ReasonUnverified)
	s.until(26 * time.Hour)
	s.checkSent()
	s.checkState(1, ledger.Dropped, ledger.ReasonExpired)
}

// A STOP behind a text that waits for a phone counts at once. What waits goes out in its order as soon as a phone is verified.
func TestStopBehindATextThatWaitsForVerification(t *testing.T) {
	s := strict(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.hears(2, relaytest.Customer, "Hello?")
	s.hears(3, relaytest.Customer, "STOP")
	s.checkOut(true, "STOP")
	s.hears(4, other, "Me too")
	if left := s.queue.Messages(); len(left) != 0 {
		t.Errorf("the queue still has %v", left)
	}
	// The timer comes in every quarter of an hour, and not now.
	s.until(3*time.Hour + time.Minute)
	s.sendsCode("777123")
	s.hears(5, relaytest.Destination, "777123")
	sent := s.sent()
	if len(sent) != 5 || !slices.Contains(sent, toPhone+conversation.Verified) {
		t.Fatalf("sent %q", sent)
	}
	own := slices.DeleteFunc(sent, func(m string) bool {
		return strings.HasSuffix(m, "Me too") || m == toPhone+conversation.Verified
	})
	for i, part := range []string{"Is anybody there?", "Hello?", "STOP"} {
		if !strings.Contains(own[i], part) {
			t.Errorf("%d: sent %q, want %q", i, own[i], part)
		}
	}
	s.checkConversationsSealed()
}

// A text that is held for the night, and then for a phone, ages from the opening at the earliest, and waits for the phone a day at most.
func TestHeldForTheNightAndThenForVerification(t *testing.T) {
	s := holding(t)
	s.reroute(func(r *route.Route) {
		r.FallbackCarriers, r.VerifyPhones, r.MaxAge = nil, new(true), route.Duration(time.Hour)
		r.Schedule[0].Phones = []string{string(relaytest.Destination)}
		r.Schedule[0].From, r.Schedule[0].To = "14:00", "14:00"
		r.Overrides = []route.Override{{Date: started.UTC().Format(time.DateOnly), To: "14:00"}}
		*r = r.Switched(route.Route{}, s.clock.Now())
	})
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.checkHeld(1, opening)
	s.until(opening + 20*time.Minute)
	s.checkState(1, ledger.Queued, ledger.ReasonUnverified)
	s.until(opening + 24*time.Hour + 30*time.Minute)
	s.checkState(1, ledger.Queued, ledger.ReasonUnverified)
	s.sendsCode("777123")
	s.hears(2, relaytest.Destination, "777123")
	s.checkState(1, ledger.Sent, "")
}

// A text that comes while the number is closed for a moment, behind one that waits for a phone, waits for that phone as well from the
// opening on, and not only from when the first one is done.
func TestHeldForAMomentAndThenForVerification(t *testing.T) {
	s := strict(t)
	s.hears(1, relaytest.Customer, "Is anybody there?")
	s.clock.Advance(time.Minute)
	s.reroute(func(r *route.Route) {
		r.TimeZone, r.Closed = "UTC", route.ClosedHold
		r.Overrides = []route.Override{{Date: "2026-11-24", From: "12:01", To: "12:11"}}
	})
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkHeld(2, 11*time.Minute)
	s.until(20 * time.Minute)
	for n := range 2 {
		s.checkState(n+1, ledger.Queued, ledger.ReasonUnverified)
	}
	if since := s.record(2).DueSince(); since.Sub(started) < 11*time.Minute || since.Sub(started) > 20*time.Minute {
		t.Errorf("it ages from %v", since)
	}
}

// An operator's text waits on the queue: it is in no customer's list.
func TestOperatorsTextWaitsForVerification(t *testing.T) {
	s := strict(t)
	s.queueUp(textOf(1, func(e *queue.Envelope) {
		e.Kind, e.Message.From, e.Message.Body = queue.KindManual, "", "Who is on duty?"
	}))
	s.settle()
	s.until(time.Hour)
	s.checkSent()
	s.sendsCode("777123")
	s.hears(2, relaytest.Destination, "777123")
	s.until(time.Hour + 10*time.Minute)
	s.checkSentTogether(toPhone+conversation.Verified, toPhone+"Who is on duty?")
}

// With another phone that is verified, nothing waits; five wrong codes end a code, and a new one may be sent.
func TestCodeIsTriedFiveTimes(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		before := *r
		before.DestinationCarrier, before.FallbackCarriers = relaytest.Fallback, nil
		r.VerifyPhones = new(true)
		*r = r.Switched(before, s.clock.Now())
	})
	s.sendsCode("042317")
	s.hears(1, relaytest.Customer, "Hello")
	s.checkSent(toFallback + customerAs + "Hello")
	// What else the crew is told is not for it either.
	s.hears(10, relaytest.Fallback, "STOP")
	s.hears(11, relaytest.Fallback, "START")
	s.checkSent()
	for i := range 5 {
		s.hears(2+i, relaytest.Destination, "111111")
		s.checkSent(toPhone + "/verify: that is not the code. Look again.")
	}
	s.hears(7, relaytest.Destination, "042317")
	s.checkSent(toPhone + "/verify: that code does not count any more. Ask the office for a new one.")
	s.sendsCode("777123")
	s.hears(8, relaytest.Destination, "777123")
	s.checkSent(toPhone + conversation.Verified)
	s.hears(9, other, "Hello")
	s.checkSent(toPhone + "A18 " + string(other) + ": Hello")
}
