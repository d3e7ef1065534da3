package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// opening is how long after the start the number of holding opens.
const opening = 2 * time.Hour

// holding is a sender whose number is closed for the first two hours, as every day, and holds what comes then. Its two phones are on duty
// at all other times.
func holding(t *testing.T) *sender {
	t.Helper()
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		r.TimeZone, r.Closed, r.AutoAnswer.Closed = "UTC", route.ClosedHold, closedText
		r.Schedule = []route.Shift{{
			Days: "Mon-Sun", From: "14:00", To: "11:00", Phones: []string{string(relaytest.Destination), string(relaytest.Fallback)},
		}}
	})
	return s
}

// closeFor has the number closed from now for so many days, whatever its schedule says.
func (s *sender) closeFor(days int) {
	s.t.Helper()
	s.reroute(func(r *route.Route) {
		now := s.clock.Now().UTC()
		r.Overrides = []route.Override{{
			Date: now.Format(time.DateOnly), LastDate: now.AddDate(0, 0, days).Format(time.DateOnly), To: now.Format("15:04"),
		}}
	})
}

// checkHeld checks that the nth text is held until that long after the start, and that no queue but the timers' has anything of it.
func (s *sender) checkHeld(n int, until time.Duration) {
	s.t.Helper()
	s.checkState(n, ledger.Queued, ledger.ReasonClosed)
	if r := s.record(n); !r.NotBefore.Equal(started.Add(until)) {
		s.t.Errorf("text %d is held until %v, want %v", n, r.NotBefore, started.Add(until))
	}
	if left := s.queue.Messages(); len(left) > 0 {
		s.t.Errorf("the queue still has %v", left)
	}
}

// words are what the first phone was sent since the last call, without the headers.
func (s *sender) words() []string {
	s.t.Helper()
	var all []string
	for _, m := range s.sent() {
		if strings.HasPrefix(m, toPhone) {
			all = append(all, m[strings.LastIndex(m, ": ")+2:])
		}
	}
	return all
}

// What comes while the number is closed is held, and acknowledged once; it goes out in its order once somebody is on duty.
func TestTextsAreHeldWhileClosed(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkSent(toCustomer + closedText)
	s.clock.Advance(time.Minute)
	s.hears(2, relaytest.Customer, "Hello?")
	s.hears(3, relaytest.Customer, "Anybody?")
	s.hears(4, other, "Me too")
	for n := range 4 {
		s.checkHeld(n+1, opening)
	}
	if timers := s.timers.Messages(); len(timers) != 2 {
		t.Errorf("%d timers, want one for each conversation", len(timers))
	}
	if c := s.conversation(); len(c.Closed.Texts) != 3 || !c.Closed.Until.Equal(started.Add(opening)) || c.IsOpen() {
		t.Errorf("held %+v, spell %+v", c.Closed, c.Spell)
	}
	s.until(opening - time.Second)
	s.sent()
	s.until(opening + 10*time.Second)
	got := slices.DeleteFunc(s.words(), func(words string) bool { return words == "Me too" })
	if want := []string{"Is the gate open?", "Hello?", "Anybody?"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	s.checkState(4, ledger.Sent, "")
	if c := s.conversation(); len(c.Closed.Texts) != 0 {
		t.Errorf("still held: %+v", c.Closed)
	}
	s.until(opening + time.Hour)
	s.checkSent()
	if s.waiting() != 0 {
		t.Errorf("left: %v, %v", s.queue.Messages(), s.timers.Messages())
	}
	s.checkSealed()
	s.checkConversationsSealed()
}

// MaxAge counts from the opening, even if nobody worked on the text before it, and so does AnswerTimeout.
func TestHeldTextsAgeFromTheOpening(t *testing.T) {
	s := holding(t)
	s.reroute(func(r *route.Route) {
		r.MaxAge, r.AnswerTimeout = route.Duration(time.Hour), route.Duration(20*time.Minute)
	})
	s.hears(1, relaytest.Customer, "Is the gate open?")
	// Twilio is out of order until shortly before the text is too old.
	s.during(started.Add(opening+50*time.Minute), &fault.Error{Kind: fault.Throttled})
	s.until(opening + 59*time.Minute)
	s.checkState(1, ledger.Sent, "")
	if c := s.conversation(); c.Spell.DueAt.Sub(c.Spell.BeganAt) != 20*time.Minute || c.Spell.BeganAt.Before(started.Add(opening)) {
		t.Errorf("spell %+v", c.Spell)
	}
	late := textOf(2, func(e *queue.Envelope) { e.ReceivedAt, e.Message.From = started.Add(time.Minute), other })
	s.queueUp(late)
	s.settle()
	s.checkState(2, ledger.Sent, "")
	s.until(opening + time.Hour + time.Second)
	third := textOf(3, func(e *queue.Envelope) { e.ReceivedAt, e.Message.From = started.Add(time.Minute), "+18585550113" })
	s.queueUp(third)
	s.settle()
	s.checkState(3, ledger.Dropped, ledger.ReasonExpired)
}

// An operator who opens the number earlier, or later, is heeded within a quarter of an hour.
func TestHoldEndsAsTheRouteSays(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.until(20 * time.Minute)
	s.closeFor(1)
	s.until(31 * time.Minute)
	s.checkHeld(1, 24*time.Hour+opening)
	if c := s.conversation(); !c.Closed.Until.Equal(started.Add(24*time.Hour + opening)) {
		t.Errorf("held %+v", c.Closed)
	}
	s.until(opening + time.Hour)
	s.checkHeld(1, 24*time.Hour+opening)
	s.sent()
	s.reroute(func(r *route.Route) { r.Overrides = nil })
	s.until(opening + time.Hour + queue.MaxDelay + time.Second)
	s.checkSent(toPhone + customerAs + "Is the gate open?")
}

// Fourteen days are the most. What is held for longer goes to the phones of the route.
func TestHoldLastsFourteenDays(t *testing.T) {
	s := holding(t)
	s.closeFor(20)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkHeld(1, 14*24*time.Hour)
	for s.clock.Now().Before(started.Add(7 * 24 * time.Hour)) {
		s.settle()
		s.clock.Advance(time.Minute)
	}
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkHeld(2, 20*24*time.Hour+opening)
	s.sent()
	for s.clock.Now().Before(started.Add(21 * 24 * time.Hour)) {
		s.settle()
		s.clock.Advance(time.Minute)
		switch sent := s.sent(); {
		case len(sent) == 0:
		case strings.HasSuffix(sent[0], "gate open?"):
			if at := s.clock.Now().Sub(started); at < 14*24*time.Hour || at > 14*24*time.Hour+2*time.Minute {
				t.Errorf("first text sent after %v", at)
			}
		default:
			if at := s.clock.Now().Sub(started); at < 20*24*time.Hour+opening || at > 20*24*time.Hour+opening+2*time.Minute {
				t.Errorf("second text sent after %v", at)
			}
		}
	}
	s.checkState(1, ledger.Sent, "")
	s.checkState(2, ledger.Sent, "")
}

// What is not held.
func TestWhatIsNotHeld(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "HELP")
	s.checkState(1, ledger.Dropped, ledger.ReasonKeyword)
	s.hears(2, relaytest.Customer, "Is the gate open?")
	s.hears(3, relaytest.Customer, "STOP")
	// It counts at once. The notice about it is held with the words, which are for the crew all the same.
	s.checkOut(true, "STOP")
	s.checkHeld(3, opening)
	s.hears(4, relaytest.Destination, "/?")
	if sent := s.sent(); len(sent) != 2 || !strings.HasPrefix(sent[1], toPhone+"/?") {
		t.Errorf("messages %q", sent)
	}
	order := textOf(5, func(e *queue.Envelope) {
		e.Kind, e.RelayID, e.Message.Body, e.Message.From = queue.KindManual, relaytest.MessageSid(5), "Call the office", ""
		e.ReceivedAt = s.clock.Now()
	})
	s.queueUp(order)
	s.settle()
	s.checkSent(toPhone + "Call the office")
	s.until(opening + time.Minute)
	if sent := s.sent(); len(sent) != 2 || sent[0] != toPhone+customerAs+"Is the gate open?" || !strings.Contains(sent[1], "STOP") {
		t.Errorf("messages %q", sent)
	}
}

// A customer who is blocked is not held; who is blocked while a text of theirs is held gets none through.
func TestBlockedWhileHeld(t *testing.T) {
	s := holding(t)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.blocks(true)
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkState(2, ledger.Dropped, ledger.ReasonBlocked)
	s.until(opening + time.Minute)
	s.checkState(1, ledger.Dropped, ledger.ReasonBlocked)
	s.checkSent(toCustomer + closedText)
}

// Only so many texts of a customer are held. Further ones wait on the queue.
func TestTooManyHeldTextsWait(t *testing.T) {
	s := holding(t)
	s.reroute(func(r *route.Route) { r.AutoAnswer.Closed, r.MaxAge = "", route.Duration(route.MaxMaxAge) })
	for n := 1; n <= 202; n++ {
		s.queueUp(textOf(n, func(e *queue.Envelope) { e.ReceivedAt = s.clock.Now() }))
	}
	s.settle()
	if c := s.conversation(); len(c.Closed.Texts) != 200 || len(s.queue.Messages()) != 2 {
		t.Fatalf("%d held, %d on the queue", len(c.Closed.Texts), len(s.queue.Messages()))
	}
	s.until(12 * time.Hour)
	if c := s.conversation(); len(c.Closed.Texts) != 0 {
		t.Errorf("%d still held", len(c.Closed.Texts))
	}
	s.checkState(201, ledger.Sent, "")
	s.checkState(202, ledger.Sent, "")
}

// A text on its way when the number closes goes on once it opens: to the next phone, and as old as the opening.
func TestNextPhoneWaitsForTheOpening(t *testing.T) {
	for name, act := range map[string]func(*sender){
		"the phone did not get it": func(s *sender) {
			s.until(50 * time.Minute)
			s.tell(1, sms.StatusUndelivered, 30003)
			s.settle()
		},
		"no receipt came": func(s *sender) { s.until(50 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			s := holding(t)
			s.reroute(func(r *route.Route) {
				r.MaxAge, r.DeliveryTimeout = route.Duration(time.Hour), route.Duration(40*time.Minute)
				r.Schedule = append(r.Schedule, route.Shift{Days: "Mon-Sun", From: "11:00", To: "12:30", Phones: r.Schedule[0].Phones})
			})
			s.hears(1, relaytest.Customer, "Is the gate open?")
			s.checkSent(toPhone + customerAs + "Is the gate open?")
			act(s)
			s.checkHeld(1, opening)
			s.until(opening - time.Second)
			s.checkSent()
			s.until(opening + time.Minute)
			s.checkSent(toFallback + customerAs + "Is the gate open?")
			s.checkState(1, ledger.Sent, "")
		})
	}
}

// Stages wait for the opening, too: nobody is texted while the number is closed.
func TestStagesWaitForTheOpening(t *testing.T) {
	s := holding(t)
	s.reroute(func(r *route.Route) {
		r.AnswerTimeout, r.Owner = route.Duration(15*time.Minute), string(third)
		r.Schedule = append(r.Schedule, route.Shift{Days: "Mon-Sun", From: "11:00", To: "12:10", Phones: r.Schedule[0].Phones})
	})
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkSent(toPhone + customerAs + "Is the gate open?")
	s.until(opening - time.Second)
	s.checkSent()
	s.until(opening + queue.MaxDelay)
	s.checkSent(toFallback + customerAs + "Is the gate open?")
}

// A phone that has yet to be verified changes nothing about a hold: it is no wait for the code.
func TestHeldTextsDoNotWaitForACode(t *testing.T) {
	s := holding(t)
	s.reroute(func(r *route.Route) {
		r.VerifyPhones, r.Verifications = new(true), []route.Verification{{Phone: relaytest.Fallback}}
	})
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkHeld(1, opening)
	if s.measured["Unanswered"] != 0 {
		t.Errorf("measured %v", s.measured)
	}
	s.until(opening + time.Minute)
	s.checkState(1, ledger.Sent, "")
}
