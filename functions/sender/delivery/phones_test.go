package delivery_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// home is a further number of the person who has the phone on duty, named a phone that gets no texts.
const (
	home  sms.PhoneNumber = "+18585550156"
	named sms.PhoneNumber = "+18585550155"
)

// What a person writes from a further number counts as written by the phone, which is told what becomes of it.
func TestFurtherNumbersAreThePhones(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		r.Phones = []route.Phone{{Name: "Ann", Number: relaytest.Destination, Also: []sms.PhoneNumber{home}}}
	})
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.sent()
	s.clock.Advance(time.Minute)
	s.hears(2, home, "Yes")
	s.checkSent(toCustomer + "Yes")
	if r := s.record(2); r.State != ledger.Sent || r.Answer.Phone != relaytest.Destination {
		t.Errorf("record of the answer: %+v", r)
	}
	s.clock.Advance(time.Minute)
	s.hears(3, other, "Second here")
	s.sent()
	s.clock.Advance(time.Minute)
	s.hears(4, home, "At three")
	if sent := s.sent(); len(sent) != 1 || sent[0][:len(toPhone)] != toPhone {
		t.Errorf("messages %q, want a question to the phone", sent)
	}
	s.clock.Advance(time.Minute)
	s.hears(5, relaytest.Destination, secondTag)
	if r := s.record(4); r.Customer != other || r.State != ledger.Sent {
		t.Errorf("what was held is %s for %s, want it sent to the second customer", r.State, r.Customer)
	}
}

// A named phone answers, though no texts go there; its STOP counts, and is kept.
func TestNamedPhonesAnswer(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) { r.Phones, r.Owner = []route.Phone{{Name: "Bo", Number: named}}, string(home) })
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.sent()
	for n, phone := range []sms.PhoneNumber{named, home} {
		s.clock.Advance(time.Minute)
		s.hears(2+n, phone, "Yes")
		if r := s.record(2 + n); r.Answer.Phone != phone || r.Destination != "" {
			t.Errorf("a text of %s: %+v, want one that is for nobody", phone, r)
		}
	}
	s.sent()
	s.hears(4, named, "STOP")
	routes, err := s.routes.Lookup(t.Context(), relaytest.TwilioNumber)
	if err != nil || !routes[relaytest.TwilioNumber].IsOptedOut(named) {
		t.Errorf("the named phone is not marked: %v", err)
	}
}
