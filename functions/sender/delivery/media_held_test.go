package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// showsAnswer lets the phone on duty text the picture p while two customers are in play, so that it is asked whom it is for.
func (s *sender) showsAnswer() {
	s.t.Helper()
	s.hears(1, relaytest.Customer, "First here")
	s.clock.Advance(time.Minute)
	s.hears(2, other, "Second here")
	s.clock.Advance(time.Minute)
	s.sent()
	answer := textOf(3, pictures("p"))
	answer.Message.From, answer.Message.Body, answer.ReceivedAt = relaytest.Destination, "This one?", s.clock.Now()
	s.queueUp(answer)
	s.settle()
	s.checkState(3, ledger.Queued, ledger.ReasonHeld)
}

// TestPictureOfAHeldAnswer is copied when the answer is held: Twilio may not have it any more when the phone says whom it is for, and
// the copy outlives the longest hold, Twilio's own queue and an hour.
func TestPictureOfAHeldAnswer(t *testing.T) {
	s := newSender(t)
	a := withAlbum(s)
	s.reroute(func(r *route.Route) { r.HoldTime = route.Duration(route.MaxHoldTime) })
	s.showsAnswer()
	if r := s.record(3); r.Media[0].Token != "p" {
		t.Fatalf("while it is held, the record has %+v, want a copy", r.Media)
	}
	// Twilio has deleted it.
	a.away = []string{"p"}
	s.clock.Advance(route.MaxHoldTime - time.Minute)
	s.sent()
	s.hears(4, relaytest.Destination, firstTag)
	s.sentToCustomer("This one?", "p")
	if left := s.record(3).Media[0].KeptUntil.Sub(s.clock.Now()); left < sms.MaxValidityPeriod+time.Hour {
		t.Errorf("the copy lasts %v longer, want %v at least", left, sms.MaxValidityPeriod+time.Hour)
	}
	s.checkSealed()
}

// TestWordsThatWereHeldWhileTheClockWasAhead end an hour later, by the right clock, and the phone is told; with a picture that is fetched
// meanwhile, or without.
func TestWordsThatWereHeldWhileTheClockWasAhead(t *testing.T) {
	for name, away := range map[string][]string{"the picture is there": nil, "the picture is not there": {"p"}} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			withAlbum(s).away = away
			s.showsAnswer()
			const ahead = 5 * time.Hour
			r := s.record(3)
			r.UpdatedAt, r.NotBefore, r.Answer.At = r.UpdatedAt.Add(ahead), r.NotBefore.Add(ahead), r.Answer.At.Add(ahead)
			if _, err := s.ledger.Update(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			for range 6 {
				s.clock.Advance(5 * time.Minute)
				s.settle()
			}
			s.checkState(3, ledger.Queued, ledger.ReasonHeld)
			for range 24 {
				s.clock.Advance(5 * time.Minute)
				s.settle()
			}
			s.checkState(3, ledger.Dropped, ledger.ReasonUnaddressed)
			if got := s.twilio.Posts(); got[len(got)-1].Body != "Not sent: \"This one?\"." {
				t.Errorf("told last: %q", got[len(got)-1].Body)
			}
		})
	}
}

// TestWordsThatAreHeldForLongerThanTheirTimer: the clock jumped, so that the timer comes before the time in the record. Another one ends
// the words then.
func TestWordsThatAreHeldForLongerThanTheirTimer(t *testing.T) {
	s := newSender(t)
	withAlbum(s)
	s.showsAnswer()
	r := s.record(3)
	r.NotBefore = r.NotBefore.Add(20 * time.Minute)
	if _, err := s.ledger.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s.clock.Advance(5 * time.Minute)
		s.settle()
	}
	s.checkState(3, ledger.Dropped, ledger.ReasonUnaddressed)
}

// sentToCustomer checks the one message that went to the customer.
func (s *sender) sentToCustomer(body, token string) {
	s.t.Helper()
	for _, p := range s.twilio.Posts()[2:] {
		if p.To == relaytest.Customer {
			if p.Body != body || len(p.MediaURLs) != 1 || p.MediaURLs[0] != base+"/m/"+token {
				s.t.Errorf("sent %q with %q, want %q with %s", p.Body, p.MediaURLs, body, token)
			}
			return
		}
	}
	s.t.Errorf("nothing went to the customer; the record is %+v", s.record(3))
}

// TestPictureOfAHeldAnswerThatIsLate is tried again for a minute while the phone has its question already.
func TestPictureOfAHeldAnswerThatIsLate(t *testing.T) {
	s := newSender(t)
	a := withAlbum(s)
	a.away = []string{"p"}
	s.showsAnswer()
	if got := s.sent(); len(got) != 1 {
		t.Fatalf("sent %q, want the question", got)
	}
	s.clock.Advance(30 * time.Second)
	a.away = nil
	s.settle()
	if r := s.record(3); r.Media[0].Token != "p" || !r.IsHeld() {
		t.Errorf("the record has %+v in state %s, want a copy, and still held", r.Media, r.State)
	}
	asked := a.asked
	s.clock.Advance(30 * time.Minute)
	s.settle()
	if a.asked != asked {
		t.Errorf("it was copied %d times more", a.asked-asked)
	}
	s.drain()
	s.checkSent(toPhone + `Not sent: "This one?".`)
}

// TestPictureOfAHeldAnswerThatIsNotThere is not asked for for ever, and the words are not lost for it.
func TestPictureOfAHeldAnswerThatIsNotThere(t *testing.T) {
	s := newSender(t)
	a := withAlbum(s)
	a.away = []string{"p"}
	s.showsAnswer()
	for range 30 {
		s.clock.Advance(10 * time.Second)
		s.settle()
	}
	if a.asked < 3 || a.asked > 10 {
		t.Errorf("it was asked for %d times, want some within a minute and none after", a.asked)
	}
	s.sent()
	s.hears(4, relaytest.Destination, firstTag)
	for range 15 {
		s.clock.Advance(10 * time.Second)
		s.settle()
	}
	s.checkState(3, ledger.Sent, "")
	if got := s.twilio.Posts(); got[len(got)-1].Body != "This one? [1 picture could not be sent]" {
		t.Errorf("sent last: %q", got[len(got)-1].Body)
	}
}

// TestPictureOfAHeldAnswerAfterACrash is copied by the message that comes again.
func TestPictureOfAHeldAnswerAfterACrash(t *testing.T) {
	s := newSender(t)
	a := withAlbum(s)
	crashed := false
	a.checks = func() {
		if r, err := s.ledger.Get(t.Context(), relaytest.MessageSid(3)); err == nil && r.IsHeld() && !crashed {
			crashed = true
			s.fail("ledger before Update", broken(fault.Transient, 1)...)
		}
	}
	s.showsAnswer()
	s.clock.Advance(5 * time.Minute)
	s.settle()
	if r := s.record(3); r.Media[0].Token != "p" || !crashed {
		t.Errorf("crashed %v; the record has %+v, want a copy", crashed, r.Media)
	}
	if got := s.sent(); len(got) != 1 {
		t.Errorf("sent %q, want one question", got)
	}
}
