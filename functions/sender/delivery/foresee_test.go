package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// foresees returns what the sender would decide about the nth text.
func (s *sender) foresees(n int, from sms.PhoneNumber, body string) delivery.Foreseen {
	s.t.Helper()
	now := ledger.Stamp(s.clock.Now())
	f := delivery.Foreseeing{Records: s.ledger, Routes: remembersNothing{s.routes}, Conversations: s.conversations}
	seen, err := f.Answer(context.Background(),
		ledger.Record{
			MessageSid: relaytest.MessageSid(n), TwilioNumber: relaytest.TwilioNumber, Customer: from, Body: body, ReceivedAt: now, UpdatedAt: now,
		}, now)
	if err != nil {
		s.t.Fatal(err)
	}
	return seen
}

// What is foreseen of a phone's text is what becomes of it, and foreseeing writes nothing.
func TestForeseenIsWhatBecomesOfAnAnswer(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here, and the gate is open")
	n := 1
	becomes := func(body string, want ledger.AnswerVerdict, reason ledger.Reason) {
		t.Helper()
		n++
		before := s.conversations.Calls()
		seen := s.foresees(n, relaytest.Destination, body)
		if calls := s.conversations.Calls() - before; calls > 2 || !seen.IsOnDuty {
			t.Errorf("%q: the conversations were asked %d times; on duty %v", body, calls, seen.IsOnDuty)
		}
		s.hears(n, relaytest.Destination, body)
		r := s.record(n)
		if diff := cmp.Diff(r.Answer, seen.Text.Answer); diff != "" || r.Answer.Verdict != want {
			t.Errorf("%q is %s, want %s; what became of it (-) and what was foreseen (+):\n%s", body, r.Answer.Verdict, want, diff)
		}
		if seen.Text.Reason != reason || seen.Text.Destination != r.Destination || r.State == ledger.Dropped && seen.Text.State != r.State {
			t.Errorf("%q: foreseen %s (%s) to %s; became %s (%s)", body, seen.Text.State, seen.Text.Reason, seen.Text.Destination, r.State, r.Reason)
		}
		s.clock.Advance(20 * time.Second)
	}
	s.clock.Advance(time.Minute)
	becomes("Yes", ledger.AnswerSent, "")
	becomes("Liked “"+firstTag+" "+string(relaytest.Customer)+": First here, and the gate is open”", ledger.AnswerDropped,
		ledger.ReasonReaction)
	s.hears(50, other, "Second here")
	s.clock.Advance(time.Minute)
	becomes("At 3", ledger.AnswerHeld, ledger.ReasonHeld)
	becomes("or at 4", ledger.AnswerJoined, ledger.ReasonHeld)
	becomes(firstTag, ledger.AnswerReleased, ledger.ReasonInstruction)
	becomes(secondTag, ledger.AnswerTold, ledger.ReasonInstruction)
	becomes(secondTag+" Coming", ledger.AnswerSent, "")
	becomes("Not sent: that", ledger.AnswerDropped, ledger.ReasonUnaddressed)
	s.hears(51, other, "STOP")
	s.clock.Advance(time.Minute)
	becomes(secondTag+" Are you there?", ledger.AnswerSent, ledger.ReasonOptOut)
}

// A phone that left answers with tags, a removed one with nothing, and whoever is no phone is a customer.
func TestForeseenOfWhoIsNotOnDuty(t *testing.T) {
	s := newSender(t)
	s.hears(1, relaytest.Customer, "First here")
	if seen := s.foresees(2, other, "Hello"); seen.IsOnDuty || seen.HasLeft || seen.Text.State != "" {
		t.Errorf("a customer: %+v", seen)
	}
	routes, err := s.routes.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	way := routes[0]
	way.DestinationCarrier, way.FallbackCarriers = "+18585550177", nil
	if _, err := s.routes.Put(t.Context(), way); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Minute)
	if seen := s.foresees(2, relaytest.Destination, firstTag+" Yes"); !seen.HasLeft || seen.Text.Destination != relaytest.Customer {
		t.Errorf("a phone that left: %+v", seen)
	}
	if seen := s.foresees(2, relaytest.Destination, "Yes"); !seen.HasLeft || seen.Text.Reason != ledger.ReasonNotStaff {
		t.Errorf("a phone that left, without a tag: %+v", seen)
	}
	p := s.foresees(2, relaytest.Destination, "Yes").Phone
	removed, _ := p.Remove("anna", s.clock.Now())
	if _, err := s.conversations.PutPhone(t.Context(), removed); err != nil {
		t.Fatal(err)
	}
	if seen := s.foresees(2, relaytest.Destination, firstTag+" Yes"); seen.Text.Reason != ledger.ReasonNotStaff || len(seen.InPlay) > 0 {
		t.Errorf("a removed phone: %+v", seen)
	}
	if seen := s.foresees(2, "+18585550177", "STOP"); seen.Mark == nil || !*seen.Mark {
		t.Errorf("STOP: %+v", seen)
	}
}
