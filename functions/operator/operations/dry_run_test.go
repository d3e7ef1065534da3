package operations_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// dryRun asks what would become of a text.
func (s stage) dryRun(t *testing.T, fields string) operations.DryRun {
	t.Helper()
	a := s.ask(t, relay(`{"dry_run":true,"twilio_number":"+18585550100","body":"Gate 4 is open."`+fields+`}`))
	if a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	var told operations.DryRun
	decode(t, a.body, &told)
	s.wantNothingDone(t)
	return told
}

// onDuty is a route with everything in it.
func onDuty() route.Route {
	return route.Route{
		TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, FallbackCarriers: []sms.PhoneNumber{relaytest.Fallback},
		Active: true, OnUncertain: route.Resend, DeliveryTimeout: 90e9, MaxAge: 3600e9, PaceNumber: "3/1s", HoldTime: 900e9,
		Threads: []sms.PhoneNumber{"+18585550110"},
		Phones:  []route.Phone{{Name: "Ann", Number: relaytest.Destination, Also: []sms.PhoneNumber{"+18585550156"}}}, Owner: "Ann",
		OptedOut: []sms.PhoneNumber{relaytest.Destination}, LastUpdated: noon, Version: 3, UpdatedBy: "alex",
	}
}

// TestDryRun holds the whole answer.
func TestDryRun(t *testing.T) {
	s := newStage()
	s.routes = relaytest.NewMemoryRoutes(onDuty())
	s.Routes = s.routes
	a := s.ask(t, relay(`{"dry_run":true,"twilio_number":"+18585550100","body":"Gate 4 is open.","from":"+18585550111",`+
		`"idempotency_key":"order-4711"}`))
	compare(t, "answer", `{"dry_run":true,"outcome":"send","id":"RL32f949f076ba86fa13fd049f2d7f606e",`+
		`"status_url":"/sms/status?message_sid=RL32f949f076ba86fa13fd049f2d7f606e","destination":"+18585550133",`+
		`"hops":[{"number":"+18585550122","opted_out":true},{"number":"+18585550133","opted_out":false}],`+
		`"route":{"twilio_number":"+18585550100","active":true,"on_uncertain":"resend","delivery_timeout":"1m30s","max_age":"1h",`+
		`"pace_number":"3/1s","answer_window":"24h","hold_time":"15m","claim_time":"4h","threads":["+18585550110"],`+
		`"phones":[{"name":"Ann","number":"+18585550122","also":["+18585550156"]}],"owner":"Ann","version":3,`+
		`"last_updated":"2026-11-24T12:00:00Z","updated_by":"alex"},`+
		`"text":"From +18585550111: Gate 4 is open.","segments":1,"expires_at":"2026-11-24T13:00:00Z"}`, a.body)
	s.wantNothingDone(t)
	if strings.Contains(s.logged.String(), "Gate 4") || !strings.Contains(s.logged.String(), `"dry_run":true`) {
		t.Errorf("logged: %s", s.logged)
	}
}

// TestDryRunForesees each end that a manual text may have by its route.
func TestDryRunForesees(t *testing.T) {
	inactive, bare := onDuty(), route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, Active: true}
	inactive.Active = false
	other := route.Route{TwilioNumber: "+18585550144", DestinationCarrier: "+18585550145", Active: true}
	out := bare
	out.OptedOut = []sms.PhoneNumber{relaytest.Destination}
	for _, tt := range []struct {
		name, fields string
		routes       []route.Route
		outcome      operations.Outcome
		reason       ledger.Reason
		destination  sms.PhoneNumber
		hops         int
	}{
		{"by the route", ``, []route.Route{bare}, operations.Send, "", relaytest.Destination, 1},
		{"past a hop that opted out", ``, []route.Route{onDuty()}, operations.Send, "", relaytest.Fallback, 2},
		{"to the only hop though it opted out", ``, []route.Route{out}, operations.Send, "", relaytest.Destination, 1},
		{"no route", ``, nil, operations.Drop, ledger.ReasonNoRoute, "", 0},
		{"an inactive route", ``, []route.Route{inactive}, operations.Drop, ledger.ReasonInactive, "", 2},
		{"a destination of its own", `,"to":"+18585550199"`, []route.Route{inactive}, operations.Send, "", "+18585550199", 1},
		{"a destination of its own without a route", `,"to":"+18585550199"`, nil, operations.Send, "", "+18585550199", 1},
		{"a destination that is routed itself", `,"to":"+18585550144"`, []route.Route{bare, other}, operations.Drop, ledger.ReasonLoop, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.Routes = relaytest.NewMemoryRoutes(tt.routes...)
			told := s.dryRun(t, tt.fields)
			if !told.DryRun || told.Outcome != tt.outcome || told.Reason != tt.reason || told.Destination != tt.destination ||
				len(told.Hops) != tt.hops {
				t.Errorf("told %+v", told)
			}
			if (told.ExpiresAt != nil) != (tt.outcome == operations.Send) || told.ID != "" || told.Segments != 1 {
				t.Errorf("told %+v", told)
			}
		})
	}
}

// TestDryRunCounts what the phone would show, as Twilio bills it: with whom it is from, and cut.
func TestDryRunCounts(t *testing.T) {
	for _, tt := range []struct {
		name, fields, body string
		segments, length   int
	}{
		{"one segment", "", strings.Repeat("x", 160), 1, 160},
		{"a character more", "", strings.Repeat("x", 161), 2, 161},
		{"whom it is from takes its place", `,"from":"+18585550111"`, strings.Repeat("x", 160), 2, 179},
		{"another script", "", strings.Repeat("ж", 71), 2, 71},
		{"cut", `,"from":"+18585550111"`, strings.Repeat("x", 1600), 24, 1600},
		{"cut before an emoji of several", `,"from":"+18585550111"`, strings.Repeat("x", 1578) + "👨‍👩‍👧‍👦", 24, 1598},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newStage().ask(t, relay(fmt.Sprintf(`{"dry_run":true,"twilio_number":"+18585550100","body":%q%s}`, tt.body, tt.fields)))
			var told operations.DryRun
			decode(t, a.body, &told)
			if told.Segments != tt.segments || sms.Length(told.Text) != tt.length {
				t.Errorf("%d segments of %d characters, want %d of %d", told.Segments, sms.Length(told.Text), tt.segments, tt.length)
			}
		})
	}
}

func TestDryRunWithoutTheRoutes(t *testing.T) {
	s := newStage()
	s.routes.Fault = func(string) error {
		return &fault.Error{Kind: fault.Transient, Err: errors.New("routes-internal-4711")}
	}
	a := s.ask(t, with("dry_run", "true"))
	a.wantProblem(t, http.StatusServiceUnavailable, "routes")
	if strings.Contains(a.body, "4711") || !strings.Contains(s.logged.String(), "routes-internal-4711") {
		t.Errorf("answered %s, logged %s", a.body, s.logged)
	}
	// A text that is meant needs no routes: the sender looks them up.
	if a := s.ask(t, with("dry_run", "false")); a.status != http.StatusAccepted {
		t.Errorf("status %d", a.status)
	}
}
