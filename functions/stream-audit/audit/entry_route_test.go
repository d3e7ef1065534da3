package audit_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// offUntil is until when a phone of settled is off.
var offUntil = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

// settled is a stored route that says everything that a route can say.
func settled() route.Route {
	r := relaytest.Route()
	r.OnUncertain, r.DeliveryTimeout, r.MaxAge = route.Resend, route.Duration(90*time.Second), route.Duration(2*time.Hour)
	r.AnswerWindow, r.HoldTime = route.Duration(36*time.Hour), route.Duration(15*time.Minute)
	r.Threads = []sms.PhoneNumber{"+18585550111", "+18585550110"}
	r.Phones, r.Owner = []route.Phone{{Name: "Ann", Number: "+18585550122", Also: []sms.PhoneNumber{"+18585550156"}}}, "Ann"
	r.TimeZone, r.Closed, r.NightPhones = "America/Los_Angeles", route.ClosedNight, []string{"+18585550157"}
	r.Schedule = []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann", "+18585550157"}}}
	r.Overrides = []route.Override{
		{Date: "2026-12-24"},
		{Date: "2026-12-25", From: "08:00", To: "12:00", Phones: []string{"Ann"}},
		{Date: "2026-12-26", LastDate: "2026-12-27", To: "24:00"},
	}
	r.PaceNumber, r.OptedOut, r.Version, r.UpdatedBy = "3/1s", []sms.PhoneNumber{relaytest.Fallback}, 1, "anna"
	r.VerifyPhones, r.Verifications = new(true), []route.Verification{{Phone: relaytest.Fallback, Hash: "secret"}}
	r.Off = []route.Off{{Phone: relaytest.Destination, Until: offUntil}}
	return r
}

// TestWhoChangedARoute: the relay itself where only who has opted out is another and nobody signed for it.
func TestWhoChangedARoute(t *testing.T) {
	before := settled()
	tests := []struct {
		name   string
		change func(*route.Route)
		want   string
	}{
		{"a hop opts out", func(r *route.Route) { r.OptedOut = r.Hops() }, "relay"},
		{"a hop opts in again", func(r *route.Route) { r.OptedOut = nil }, "relay"},
		{"a phone goes off", func(r *route.Route) { *r = r.PutOff(relaytest.Fallback, offUntil.Add(time.Hour), offUntil) }, "***0133"},
		{"a phone stays off for longer", func(r *route.Route) {
			r.Off = []route.Off{{Phone: relaytest.Destination, Until: offUntil.Add(1)}}
		}, "***0122"},
		{"a phone is on again", func(r *route.Route) { r.Off = nil }, "***0122"},
		{"a phone texts a code", func(r *route.Route) {
			r.Verifications = []route.Verification{{Phone: relaytest.Fallback, VerifiedAt: offUntil}}
		}, "***0133"},
		{"an operator puts a phone off", func(r *route.Route) { r.Off, r.UpdatedBy = nil, "alex" }, "alex"},
		{"an operator, at another time", func(r *route.Route) { r.OptedOut, r.LastUpdated = nil, r.LastUpdated.Add(time.Second) }, "anna"},
		{"another operator, at the same time", func(r *route.Route) { r.OptedOut, r.UpdatedBy = nil, "alex" }, "alex"},
		{"an operator, and nobody opted out", func(r *route.Route) { r.Active = false }, "anna"},
		{"someone past the relay", func(r *route.Route) { r.OptedOut, r.Version = nil, 1 }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after := settled()
			after.Version = 2
			tt.change(&after)
			if got := newStage(nil).entry(t, ofRoute(1, &before, &after)).Actor; got != tt.want {
				t.Errorf("actor %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRouteChangesSayWhoFromWhatToWhat: whatever the change is, its entry has the route before and after, and who made it where the
// change says so.
func TestRouteChangesSayWhoFromWhatToWhat(t *testing.T) {
	seeded := relaytest.Route()
	seeded.Version, seeded.UpdatedBy = 1, "seed"
	reseeded := seeded
	reseeded.Version, reseeded.Active, reseeded.LastUpdated = 2, false, seeded.LastUpdated.Add(time.Hour)
	optedOut := seeded
	optedOut.Version, optedOut.OptedOut = 2, []sms.PhoneNumber{relaytest.Destination}
	byAnna := seeded
	byAnna.Version, byAnna.UpdatedBy, byAnna.DestinationCarrier = 2, "anna", relaytest.Customer
	past := seeded
	past.DestinationCarrier = relaytest.Customer
	as := func(version int64, change func(*auditlog.Route)) *auditlog.Route {
		r := &auditlog.Route{DestinationCarrier: "***0122", FallbackCarriers: []string{"***0133"}, Active: true, Version: version}
		change(r)
		return r
	}
	nothing := func(*auditlog.Route) {}
	moved := func(r *auditlog.Route) { r.DestinationCarrier = "***0111" }
	tests := []struct {
		name          string
		before, after *route.Route
		want          auditlog.Entry
	}{
		{"a seed puts it", nil, &seeded, auditlog.Entry{Change: "created", Version: 1, After: as(1, nothing), Actor: "seed"}},
		{"a seed replaces it", &seeded, &reseeded, auditlog.Entry{
			Change: "changed", Version: 2, Before: as(1, nothing), After: as(2, func(r *auditlog.Route) { r.Active = false }), Actor: "seed",
		}},
		{"a hop texts STOP", &seeded, &optedOut, auditlog.Entry{
			Change: "changed", Version: 2, Before: as(1, nothing), After: as(2, func(r *auditlog.Route) { r.OptedOut = []string{"***0122"} }),
			Actor: "relay",
		}},
		{
			"an operator changes it", &seeded, &byAnna,
			auditlog.Entry{Change: "changed", Version: 2, Before: as(1, nothing), After: as(2, moved), Actor: "anna"},
		},
		{
			"someone writes past the relay", &seeded, &past,
			auditlog.Entry{Change: "changed", Version: 1, Before: as(1, nothing), After: as(1, moved)},
		},
		{"someone removes it", &byAnna, nil, auditlog.Entry{Change: "removed", Version: 2, Before: as(2, moved)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := newStage(nil).entry(t, ofRoute(1, tt.before, tt.after))
			tt.want.ID, tt.want.Time, tt.want.Subject, tt.want.TwilioNumber = got.ID, got.Time, "route", "***0100"
			if diff := cmp.Diff(tt.want, got); diff != "" || got.ID == "" || got.Time.IsZero() {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSettingsWrittenByHand: what the relay cannot use is named as such and not shown, and holds up nothing.
func TestSettingsWrittenByHand(t *testing.T) {
	text, number, flag := events.NewStringAttribute, events.NewNumberAttribute, events.NewBooleanAttribute
	tests := []struct {
		name      string
		attribute string
		value     events.DynamoDBAttributeValue
		want      func(*auditlog.Route)
	}{
		{"uncertain of another kind", "OnUncertain", text("+18585550199"), func(r *auditlog.Route) { r.OnUncertain = "unreadable" }},
		{"uncertain as a flag", "OnUncertain", flag(true), func(r *auditlog.Route) { r.OnUncertain = "unreadable" }},
		{"timeout as a number", "DeliveryTimeout", number("90"), func(r *auditlog.Route) { r.DeliveryTimeout = "unreadable" }},
		{"timeout too short", "DeliveryTimeout", text("1s"), func(r *auditlog.Route) { r.DeliveryTimeout = "unreadable" }},
		{"age as text", "MaxAge", text("+18585550199"), func(r *auditlog.Route) { r.MaxAge = "unreadable" }},
		{"age in other words", "MaxAge", text("120m"), func(r *auditlog.Route) { r.MaxAge = "2h" }},
		{"age of nothing", "MaxAge", events.NewNullAttribute(), func(r *auditlog.Route) { r.MaxAge = "" }},
		{"window as a number", "AnswerWindow", number("36"), func(r *auditlog.Route) { r.AnswerWindow = "unreadable" }},
		{"window in other words", "AnswerWindow", text("90m"), func(r *auditlog.Route) { r.AnswerWindow = "1h30m" }},
		{"hold too short", "HoldTime", text("1s"), func(r *auditlog.Route) { r.HoldTime = "unreadable" }},
		{"pace as text", "PaceNumber", text("+18585550199"), func(r *auditlog.Route) { r.PaceNumber = "unreadable" }},
		{"who opted out as text", "OptedOut", text("+18585550199"), func(r *auditlog.Route) { r.OptedOut = []string{"unreadable"} }},
		{"who is off as text", "Off", text("+18585550199"), func(r *auditlog.Route) { r.Off = []string{"unreadable"} }},
		{"who is verified as text", "Verifications", text("+18585550199"), func(r *auditlog.Route) { r.Unverified = []string{"unreadable"} }},
		{"threads as text", "Threads", text("+18585550199"), func(r *auditlog.Route) { r.Threads = []string{"unreadable"} }},
		{"threads of nothing", "Threads", events.NewNullAttribute(), func(r *auditlog.Route) { r.Threads = nil }},
		{
			"threads as a set", "Threads", events.NewStringSetAttribute([]string{"+18585550112"}),
			func(r *auditlog.Route) { r.Threads = []string{"***0112"} },
		},
		{"phones as text", "Phones", text("+18585550199"), func(r *auditlog.Route) {
			r.Phones, r.Owner = []string{"unreadable"}, "unreadable"
			r.Schedule = []string{"Mon-Fri 07:00-18:00 unreadable, ***0157"}
			r.Overrides[1] = "2026-12-25 08:00 - 12:00 unreadable"
		}},
		{"an owner by number", "Owner", text("+18585550157"), func(r *auditlog.Route) { r.Owner = "***0157" }},
		{"an owner whom nobody knows", "Owner", text("Dee"), func(r *auditlog.Route) { r.Owner = "unreadable" }},
		{"an owner as a number", "Owner", number("18585550157"), func(r *auditlog.Route) { r.Owner = "unreadable" }},
		{"a zone with a number", "TimeZone", text("+18585550199"), func(r *auditlog.Route) { r.TimeZone = "unreadable" }},
		{"closed as a number", "Closed", text("+18585550199"), func(r *auditlog.Route) { r.Closed = "unreadable" }},
		{"a schedule as text", "Schedule", text("+18585550199"), func(r *auditlog.Route) { r.Schedule = []string{"unreadable"} }},
		{"overrides as text", "Overrides", text("+18585550199"), func(r *auditlog.Route) { r.Overrides = []string{"unreadable"} }},
		{"night as text", "NightPhones", text("+18585550199"), func(r *auditlog.Route) { r.NightPhones = []string{"unreadable"} }},
		{"no owner", "Owner", events.NewNullAttribute(), func(r *auditlog.Route) { r.Owner = "" }},
		{"removed", "Removed", text("2026-11-24T09:00:00+01:00"), func(r *auditlog.Route) { r.Removed = "2026-11-24T08:00:00Z" }},
		{"removed as text", "Removed", text("+18585550199"), func(r *auditlog.Route) { r.Removed = "unreadable" }},
		{
			"who opted out as a set", "OptedOut", events.NewStringSetAttribute([]string{"+18585550122"}),
			func(r *auditlog.Route) { r.OptedOut = []string{"***0122"} },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stored := settled()
			record := ofRoute(1, nil, &stored)
			record.Change.NewImage[tt.attribute] = tt.value
			want := auditlog.Route{
				DestinationCarrier: "***0122", FallbackCarriers: []string{"***0133"}, Active: true, OnUncertain: "resend", DeliveryTimeout: "1m30s",
				MaxAge: "2h", PaceNumber: "3/1s", AnswerWindow: "36h", HoldTime: "15m", OptedOut: []string{"***0133"}, Version: 1,
				Off: []string{"***0122 until 2026-11-24T18:00:00Z"}, VerifyPhones: new(true), Unverified: []string{"***0133"},
				Threads: []string{"***0111", "***0110"}, Phones: []string{"***0122", "***0156"}, Owner: "***0122",
				TimeZone: "America/Los_Angeles", Closed: "night", NightPhones: []string{"***0157"},
				Schedule:  []string{"Mon-Fri 07:00-18:00 ***0122, ***0157"},
				Overrides: []string{"2026-12-24 closed", "2026-12-25 08:00 - 12:00 ***0122", "2026-12-26 - 2026-12-27 24:00 closed"},
			}
			tt.want(&want)
			got := newStage(nil).entry(t, record)
			if diff := cmp.Diff(&want, got.After); diff != "" {
				t.Errorf("route in the entry (-want +got):\n%s", diff)
			}
		})
	}
}
