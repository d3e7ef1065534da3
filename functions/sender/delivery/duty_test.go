package delivery_test

import (
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// toNamed is how a message to the named phone begins.
const toNamed = string(named) + " "

// inShifts has the first phone on duty for an hour from now, and then the named phone.
func (s *sender) inShifts(change func(*route.Route)) {
	s.reroute(func(r *route.Route) {
		now := s.clock.Now().UTC()
		from, to := now.Add(-time.Hour).Format("15:04"), now.Add(time.Hour).Format("15:04")
		r.TimeZone, r.Phones = "UTC", []route.Phone{{Name: "Bo", Number: named}}
		r.Schedule = []route.Shift{
			{Days: "Mon-Sun", From: from, To: to, Phones: []string{string(relaytest.Destination)}},
			{Days: "Mon-Sun", From: to, To: from, Phones: []string{"Bo"}},
		}
		if change != nil {
			change(r)
		}
	})
}

// A text goes to whoever is on duty when it is sent; who was on duty before can still answer.
func TestTextsGoToWhoIsOnDuty(t *testing.T) {
	s := newSender(t)
	s.inShifts(nil)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.checkSent(toPhone + firstTag + " " + string(relaytest.Customer) + ": Is the gate open?")
	s.clock.Advance(2 * time.Hour)
	s.hears(2, relaytest.Customer, "Hello?")
	s.checkSent(toNamed + firstTag + " " + string(relaytest.Customer) + ": Hello?")
	s.clock.Advance(time.Minute)
	s.hears(3, relaytest.Destination, "Yes, come in")
	s.checkSent(toCustomer + "Yes, come in")
}

// A text that is on its way when the shift changes goes on to whoever is on duty then. What was tried counts, and nobody else is tried.
func TestShiftChangesUnderAText(t *testing.T) {
	s := newSender(t)
	s.inShifts(func(r *route.Route) { r.DeliveryTimeout = route.Duration(2 * time.Minute) })
	s.clock.Advance(59 * time.Minute)
	s.hears(1, relaytest.Customer, "Is the gate open?")
	if sent := s.sent(); len(sent) != 1 || sent[0][:len(toPhone)] != toPhone {
		t.Fatalf("messages %q", sent)
	}
	s.clock.Advance(3 * time.Minute)
	s.settle()
	s.checkSent(toNamed + firstTag + " " + string(relaytest.Customer) + ": Is the gate open?")
	s.clock.Advance(time.Hour)
	s.settle()
	s.checkSent()
	if r := s.record(1); len(r.Attempts) != 2 || r.Attempts[0].To != relaytest.Destination || r.Attempts[1].To != named {
		t.Errorf("attempts %+v", r.Attempts)
	}
}

// While nobody is on duty, texts go where the route says.
func TestTextsWhileNobodyIsOnDuty(t *testing.T) {
	for closed, want := range map[route.Closed][]sms.PhoneNumber{
		"": {relaytest.Destination}, route.ClosedRelay: {relaytest.Destination}, route.ClosedNight: {named},
	} {
		s := newSender(t)
		s.reroute(func(r *route.Route) {
			r.TimeZone, r.Closed, r.NightPhones = "UTC", closed, []string{string(named)}
			today := s.clock.Now().UTC()
			r.Overrides = []route.Override{{Date: today.Format(time.DateOnly), LastDate: today.AddDate(0, 0, 1).Format(time.DateOnly)}}
		})
		s.hears(1, relaytest.Customer, "Is the gate open?")
		var to []sms.PhoneNumber
		for _, p := range s.twilio.Posts() {
			to = append(to, p.To)
		}
		if r := s.record(1); r.State != ledger.Sent || !slices.Equal(to, want) {
			t.Errorf("closed %q: %s, sent to %v, want %v", closed, r.State, to, want)
		}
	}
}
