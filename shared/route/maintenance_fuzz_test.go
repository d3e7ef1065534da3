package route_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func FuzzParseMaintenance(f *testing.F) {
	f.Add(maintenance)
	f.Add(`{"routes":[` + good + `]}`)
	f.Add(`{"routes":[` + strings.TrimSuffix(good, "}") +
		`,"OnUncertain":"park","DeliveryTimeout":"12h","MaxAge":"1m0.5s","PaceNumber":"off","AnswerWindow":"1h","HoldTime":"12h",` +
		`"Threads":["+18585550110"],"Phones":[{"Name":"Ann","Number":"+18585550122"},` +
		`{"Name":"Bo Lee","Number":"+18585550155","Also":["+18585550156"]}],"Owner":"Ann",` +
		`"TimeZone":"UTC","Closed":"relay",` +
		`"Schedule":[{"Days":"Sat,Sun","From":"22:00","To":"06:00","Phones":["Ann"]}],` +
		`"Overrides":[{"Date":"2026-12-24"}],"NightPhones":["Ann"]}]}`)
	f.Add(`{"routes":[null,{"FallbackCarriers":[""]}]}`)
	f.Fuzz(func(t *testing.T, file string) {
		routes, err := route.ParseMaintenance(strings.NewReader(file), route.Reading{})
		if err != nil {
			return
		}
		if !json.Valid([]byte(file)) {
			t.Errorf("accepted a file that is no JSON")
		}
		routed := map[sms.PhoneNumber]bool{}
		for _, r := range routes {
			if err := r.Validate(); err != nil || routed[r.TwilioNumber] {
				t.Errorf("accepted a route of %s: %v", r.TwilioNumber, err)
			}
			routed[r.TwilioNumber] = true
		}
		for _, r := range routes {
			for _, hop := range r.Hops() {
				if routed[hop] {
					t.Errorf("accepted hop %s, which is routed itself", hop)
				}
			}
			for _, thread := range r.Threads {
				if other, ok := route.WithThread(routes, thread); !ok || routed[thread] || other.TwilioNumber != r.TwilioNumber {
					t.Errorf("accepted thread %s, which belongs to another route", thread)
				}
			}
		}
		sameAgain(t, routes)
	})
}

// sameAgain writes the routes as a file and reads them back.
func sameAgain(t *testing.T, routes []route.Route) {
	t.Helper()
	type seed struct {
		TwilioNumber, DestinationCarrier sms.PhoneNumber
		FallbackCarriers                 []sms.PhoneNumber
		Active                           bool
		LastUpdated                      time.Time
		OnUncertain                      route.OnUncertain
		DeliveryTimeout, MaxAge          route.Duration
		PaceNumber                       string
		AnswerWindow, HoldTime           route.Duration
		Threads                          []sms.PhoneNumber
		Phones                           []route.Phone
		Owner, TimeZone                  string
		Schedule                         []route.Shift
		Overrides                        []route.Override
		Closed                           route.Closed
		NightPhones                      []string
	}
	file := struct {
		Routes []seed `json:"routes"`
	}{Routes: []seed{}}
	for _, r := range routes {
		file.Routes = append(file.Routes, seed{
			r.TwilioNumber, r.DestinationCarrier, r.FallbackCarriers, r.Active, r.LastUpdated,
			r.OnUncertain, r.DeliveryTimeout, r.MaxAge, r.PaceNumber, r.AnswerWindow, r.HoldTime, r.Threads, r.Phones, r.Owner,
			r.TimeZone, r.Schedule, r.Overrides, r.Closed, r.NightPhones,
		})
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatalf("write %+v: %v", routes, err)
	}
	again, err := route.ParseMaintenance(strings.NewReader(string(text)), route.Reading{})
	if diff := cmp.Diff(routes, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("read again: %v (-first +second):\n%s", err, diff)
	}
}
