package route_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestValidateSettings: Validate says the same, and no error quotes the value, which may be a number or a secret by
// mistake.
func TestValidateSettings(t *testing.T) {
	const (
		neither = "OnUncertain is neither park nor resend"
		timeout = "DeliveryTimeout is not from 10s to 12h"
		age     = "MaxAge is not from 1m to 72h"
		window  = "AnswerWindow is not from 1h to 168h"
		hold    = "HoldTime is not from 5m to 12h"
		form    = "PaceNumber: pace is neither a number and a time such as 10/30s nor off"
	)
	seconds := func(n int) route.Duration { return route.Duration(time.Duration(n) * time.Second) }
	tests := []struct {
		name string
		set  func(*route.Route)
		want string // empty: valid
	}{
		{"nothing said", func(*route.Route) {}, ""},
		{"parked", func(r *route.Route) { r.OnUncertain = route.Park }, ""},
		{"resent", func(r *route.Route) { r.OnUncertain = route.Resend }, ""},
		{"neither", func(r *route.Route) { r.OnUncertain = "+18585550199" }, neither},
		{"shouted", func(r *route.Route) { r.OnUncertain = "PARK" }, neither},
		{"shortest timeout", func(r *route.Route) { r.DeliveryTimeout = seconds(10) }, ""},
		{"too short a timeout", func(r *route.Route) { r.DeliveryTimeout = seconds(10) - 1 }, timeout},
		{"longest timeout", func(r *route.Route) { r.DeliveryTimeout = seconds(12 * 3600) }, ""},
		{"too long a timeout", func(r *route.Route) { r.DeliveryTimeout = seconds(12*3600) + 1 }, timeout},
		{"negative timeout", func(r *route.Route) { r.DeliveryTimeout = seconds(-60) }, timeout},
		{"shortest age", func(r *route.Route) { r.MaxAge = seconds(60) }, ""},
		{"too short an age", func(r *route.Route) { r.MaxAge = seconds(60) - 1 }, age},
		{"longest age", func(r *route.Route) { r.MaxAge = seconds(72 * 3600) }, ""},
		{"too long an age", func(r *route.Route) { r.MaxAge = seconds(72*3600) + 1 }, age},
		{"shortest window", func(r *route.Route) { r.AnswerWindow = seconds(3600) }, ""},
		{"too short a window", func(r *route.Route) { r.AnswerWindow = seconds(3600) - 1 }, window},
		{"longest window", func(r *route.Route) { r.AnswerWindow = seconds(7 * 24 * 3600) }, ""},
		{"too long a window", func(r *route.Route) { r.AnswerWindow = seconds(7*24*3600) + 1 }, window},
		{"shortest hold", func(r *route.Route) { r.HoldTime = seconds(300) }, ""},
		{"too short a hold", func(r *route.Route) { r.HoldTime = seconds(300) - 1 }, hold},
		{"longest hold", func(r *route.Route) { r.HoldTime = seconds(12 * 3600) }, ""},
		{"too long a hold", func(r *route.Route) { r.HoldTime = seconds(12*3600) + 1 }, hold},
		{"a pace", func(r *route.Route) { r.PaceNumber = "3/1s" }, ""},
		{"no pace", func(r *route.Route) { r.PaceNumber = "off" }, ""},
		{"a pace of no form", func(r *route.Route) { r.PaceNumber = "fast" }, form},
		{"a pace of nothing", func(r *route.Route) { r.PaceNumber = "0/1s" }, "PaceNumber: number of the pace is not from 1 to 100"},
		{"automatic answers", func(r *route.Route) {
			r.AutoAnswer = route.AutoAnswer{Closed: strings.Repeat("a", 160), NoOne: strings.Repeat("a", 306)}
		}, ""},
		{
			"too long an answer", func(r *route.Route) { r.AutoAnswer.Closed = strings.Repeat("a", 307) },
			"AutoAnswer.Closed needs 3 segments, at most 2",
		},
		{"an answer of blanks", func(r *route.Route) { r.AutoAnswer.NoOne = " \n" }, "AutoAnswer.NoOne has only blanks"},
		{"all of it", func(r *route.Route) {
			r.OnUncertain, r.DeliveryTimeout, r.MaxAge, r.PaceNumber = "drop", 1, 1, "fast"
			r.AnswerWindow, r.HoldTime = 1, 1
		}, neither + "\n" + timeout + "\n" + age + "\n" + window + "\n" + hold + "\n" + form},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := relaytest.Route()
			tt.set(&r)
			for what, err := range map[string]error{"ValidateSettings": r.ValidateSettings(), "Validate": r.Validate()} {
				got := ""
				if err != nil {
					got = err.Error()
				}
				if got != tt.want {
					t.Errorf("%s:\n%s\nwant:\n%s", what, got, tt.want)
				}
			}
		})
	}
}

func TestTextAge(t *testing.T) {
	r := relaytest.Route()
	if got := r.TextAge(); got != 4*time.Hour {
		t.Errorf("TextAge of a route that does not say is %v, want 4h", got)
	}
	r.MaxAge = route.Duration(90 * time.Second)
	if got := r.TextAge(); got != 90*time.Second {
		t.Errorf("TextAge is %v, want 90s", got)
	}
}

func TestOpen(t *testing.T) {
	const one, two, three = sms.PhoneNumber("+18585550122"), sms.PhoneNumber("+18585550133"), sms.PhoneNumber("+18585550144")
	hops := []sms.PhoneNumber{one, two, three}
	tests := []struct {
		name     string
		optedOut []sms.PhoneNumber
		want     []sms.PhoneNumber
	}{
		{"nobody", nil, hops},
		{"the destination", []sms.PhoneNumber{one}, []sms.PhoneNumber{two, three}},
		{"a fallback", []sms.PhoneNumber{two}, []sms.PhoneNumber{one, three}},
		{"all but one, the last first", []sms.PhoneNumber{three, one}, []sms.PhoneNumber{two}},
		{"all", []sms.PhoneNumber{three, two, one}, hops},
		{"someone else, and twice", []sms.PhoneNumber{"+18585550199", two, two}, []sms.PhoneNumber{one, three}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := relaytest.Route()
			r.FallbackCarriers, r.OptedOut = []sms.PhoneNumber{two, three}, tt.optedOut
			got := r.OpenOf(r.Hops())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Open (-want +got):\n%s", diff)
			}
			got[0] = "changed"
			if diff := cmp.Diff(hops, r.Hops()); diff != "" {
				t.Errorf("Hops after a caller changed what Open gave (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRouteInJSON pins the names, which are those of the table's attributes, and that what is not set is not there.
func TestRouteInJSON(t *testing.T) {
	bare := route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, LastUpdated: noon, Version: 1}
	const core = `{"TwilioNumber":"+18585550100","DestinationCarrier":"+18585550122","Active":false,`
	set := bare
	set.OnUncertain, set.DeliveryTimeout, set.MaxAge = route.Resend, route.Duration(90*time.Second), route.Duration(2*time.Hour)
	set.PaceNumber, set.OptedOut = "3/1s", []sms.PhoneNumber{relaytest.Destination}
	for want, r := range map[string]route.Route{
		core + `"LastUpdated":"2026-11-24T12:00:00Z","Version":1}`: bare,
		core + `"OnUncertain":"resend","DeliveryTimeout":"1m30s","MaxAge":"2h","PaceNumber":"3/1s","OptedOut":["+18585550122"],` +
			`"LastUpdated":"2026-11-24T12:00:00Z","Version":1}`: set,
	} {
		got, err := json.Marshal(r)
		if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
			t.Errorf("route in JSON: %v (-want +got):\n%s", err, diff)
		}
	}
}
