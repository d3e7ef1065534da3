package delivery_test

import (
	"context"
	"testing"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// What a phone gives away is the customer's text, whichever record it got that by: the new one is none of the ring's.
func TestGivenTextOfARing(t *testing.T) {
	s := ringing(t)
	s.reroute(func(r *route.Route) { r.Phones = []route.Phone{{Name: "Bo", Number: relaytest.Fallback}} })
	s.hears(1, relaytest.Customer, "Is the gate open?")
	s.hears(2, relaytest.Destination, "/give "+firstTag+" Bo")
	sid := ledger.GivenSid(relaytest.MessageSid(1), relaytest.MessageSid(2))
	given, err := s.ledger.Get(context.Background(), sid)
	if err != nil || given.State != ledger.Sent || !given.IsGiven() || given.IsRung() || given.Destination != relaytest.Fallback {
		t.Errorf("given is %+v, error %v", given, err)
	}
}
