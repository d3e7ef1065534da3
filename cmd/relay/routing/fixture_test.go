package routing_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	number   = sms.PhoneNumber("+18585550100")
	second   = sms.PhoneNumber("+18585550101")
	phone    = sms.PhoneNumber("+16195550123")
	fallback = sms.PhoneNumber("+16195550124")
	other    = sms.PhoneNumber("+16195550125")
	thread   = sms.PhoneNumber("+18585550110")
)

var (
	morning = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// anna works at noon.
func anna() routing.Author {
	return routing.Author{Name: "anna", Now: func() time.Time { return noon.Add(999 * time.Millisecond).In(time.FixedZone("", 3600)) }}
}

// stored is a route that has been in a table since the morning.
func stored(change ...func(*route.Route)) route.Route {
	r := route.Route{
		TwilioNumber: number, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{fallback}, Active: true,
		LastUpdated: morning, Version: 3, UpdatedBy: "bob",
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

// offAtNoon is when anna switches a route off.
var offAtNoon = noon.Add(999 * time.Millisecond)

func removed(r *route.Route) { r.Active, r.Removed = false, morning }

// list returns all routes of a table.
func list(t *testing.T, table *relaytest.MemoryRoutes) []route.Route {
	t.Helper()
	all, err := table.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}
