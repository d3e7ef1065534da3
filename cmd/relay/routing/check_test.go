package routing_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestCheck(t *testing.T) {
	const edit = "relay route export, change its Schedule, and relay route import"
	tests := []struct {
		name   string
		routes []route.Route
		want   []routing.Finding
	}{
		{"nothing", []route.Route{stored()}, nil},
		{"removed", []route.Route{stored(removed)}, nil},
		{"removed but active", []route.Route{stored(removed, func(r *route.Route) { r.Active = true })}, []routing.Finding{
			{
				routing.Problem, number, "it is marked as removed, but it is active: its texts are sent on",
				"relay route rm +18585550100 or relay route on +18585550100",
			},
		}},
		{
			"wrong by itself",
			[]route.Route{stored(func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{number, phone} })},
			[]routing.Finding{
				{
					routing.Problem, number, "hop +18585550100 is the Twilio number itself: texts would go round in a loop",
					"relay route set +18585550100 with the right values",
				},
				{routing.Problem, number, "hop +16195550123 is listed twice", "relay route set +18585550100 with the right values"},
			},
		},
		{"a loop over a removed one", []route.Route{stored(), stored(removed,
			func(r *route.Route) { r.TwilioNumber, r.DestinationCarrier, r.FallbackCarriers = fallback, other, nil })}, []routing.Finding{
			{
				routing.Problem, number,
				"+16195550124 cannot be a phone of +18585550100: it has a route of its own, and texts would go round in a loop",
				"leave it out: relay route set +18585550100 with another --to or --fallback",
			},
		}},
		{"a thread of two", []route.Route{
			stored(func(r *route.Route) { r.Threads = []sms.PhoneNumber{thread} }),
			stored(func(r *route.Route) { r.TwilioNumber, r.Threads = second, []sms.PhoneNumber{thread} }),
		}, []routing.Finding{
			{
				routing.Problem, number, "+18585550110 cannot be a thread of +18585550100: it is a thread of +18585550101",
				"leave it out: relay route set +18585550100 with other --thread, or --no-threads",
			},
			{
				routing.Problem, second, "+18585550110 cannot be a thread of +18585550101: it is a thread of +18585550100",
				"leave it out: relay route set +18585550101 with other --thread, or --no-threads",
			},
		}},
		{"a thread that is a phone, too", []route.Route{stored(func(r *route.Route) { r.Threads = []sms.PhoneNumber{phone} })}, []routing.Finding{
			{
				routing.Problem, number, "thread +16195550123 is a hop, too: texts would go round in a loop",
				"relay route set +18585550100 with the right values",
			},
		}},
		{"one opted out", []route.Route{stored(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{other, fallback} })}, []routing.Finding{
			{routing.Warning, number, "+16195550124 has opted out and is skipped", "text START to +18585550100 from there, or name another phone"},
		}},
		{"all opted out", []route.Route{stored(func(r *route.Route) { r.OptedOut = r.Hops() })}, []routing.Finding{
			{
				routing.Problem, number, "every phone has opted out: nobody gets its texts",
				"text START to +18585550100 from there, or name another phone",
			},
		}},
		{"a schedule with gaps, an overlap and somebody who is not in it", []route.Route{stored(func(r *route.Route) {
			r.TimeZone, r.Phones = "UTC", []route.Phone{{Name: "Cy", Number: other}}
			r.Schedule = []route.Shift{
				{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{string(phone)}},
				{Days: "Fri", From: "17:00", To: "02:00", Phones: []string{string(fallback)}},
			}
		})}, []routing.Finding{
			{
				routing.Warning, number, "nobody is on duty Mon 18:00 to Tue 07:00, Tue 18:00 to Wed 07:00, Wed 18:00 to Thu 07:00, " +
					"and 2 times more a week: texts go to the phones of the route then",
				"say that it is meant: relay route set +18585550100 --closed relay, --closed hold, or --closed night --night-phone PHONE; or " + edit,
			},
			{routing.Warning, number, "Schedule[0] and Schedule[1] overlap on Fri 17:00: the phones of both are on duty then", edit},
			{routing.Warning, number, "Cy " + string(other) + " is never on duty", "put it into the schedule, or relay phone rm; " + edit},
		}},
		{"texts are held for longer than they can be, and nobody tells the customers", []route.Route{stored(func(r *route.Route) {
			r.TimeZone, r.Closed = "UTC", route.ClosedHold
			r.Schedule = []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{string(phone), string(fallback)}}}
			r.Overrides = []route.Override{
				{Date: "2026-12-07", LastDate: "2026-12-18"},
				{Date: "2026-12-28", LastDate: "2027-01-08"},
				{Date: "2027-02-01", LastDate: "2027-02-10"},
			}
		})}, []routing.Finding{
			{
				routing.Warning, number, "texts are held while nobody is on duty, and nobody tells the customers",
				"relay route set +18585550100 --auto-answer-closed TEXT",
			},
			{
				routing.Warning, number, "Overrides[0] closes the number for more than 14 days: texts are held for 14 days, and then go to " +
					"the phones of the route", "put somebody on duty in between: relay duty set +18585550100 --phone PHONE",
			},
			{
				routing.Warning, number, "Overrides[1] closes the number for more than 14 days: texts are held for 14 days, and then go to " +
					"the phones of the route", "put somebody on duty in between: relay duty set +18585550100 --phone PHONE",
			},
		}},
		{"texts are held, and there is no schedule", []route.Route{stored(func(r *route.Route) {
			r.Closed = route.ClosedHold
		})}, []routing.Finding{
			{
				routing.Warning, number, "texts are never held: there is no Schedule, so somebody is always on duty",
				"relay route export, add a Schedule, and relay route import",
			},
		}},
		{"more phones on duty than ring", []route.Route{stored(func(r *route.Route) {
			r.TimeZone, r.Ring = "UTC", route.RingAll
			r.Schedule = []route.Shift{
				{Days: "Mon-Sun", From: "07:00", To: "07:00", Phones: []string{string(phone), string(fallback), string(other)}},
				{Days: "Sun", From: "22:00", To: "10:00", Phones: []string{string(phone), "+16195550151", "+16195550152", "+16195550153"}},
			}
		})}, []routing.Finding{
			{routing.Warning, number, "Schedule[0] and Schedule[1] overlap on Mon 07:00: the phones of both are on duty then", edit},
			{
				routing.Problem, number,
				"6 phones are on duty on Mon 07:00, at most 5 with Ring all: the others get a text only if all of those fail", edit,
			},
		}},
		{"a schedule for every hour, with shifts that meet", []route.Route{stored(func(r *route.Route) {
			r.TimeZone = "UTC"
			r.Schedule = []route.Shift{
				{Days: "Mon-Sun", From: "07:00", To: "18:00", Phones: []string{string(phone)}},
				{Days: "Mon-Sun", From: "18:00", To: "07:00", Phones: []string{string(fallback)}},
			}
		})}, nil},
		{"inactive and alone", []route.Route{stored(func(r *route.Route) { r.Active, r.FallbackCarriers = false, nil })}, []routing.Finding{
			{routing.Warning, number, "it is inactive: its texts are dropped", "relay route on +18585550100"},
			{
				routing.Warning, number, "there is no fallback: if the phone cannot be reached, nobody is",
				"relay route set +18585550100 --fallback PHONE",
			},
		}},
		{"a timeout as long as texts live", []route.Route{stored(func(r *route.Route) {
			r.DeliveryTimeout = route.Duration(route.DefaultMaxAge)
		})}, []routing.Finding{
			{
				routing.Warning, number, "DeliveryTimeout 4h is not shorter than MaxAge 4h: a text would be too old before the fallback is tried",
				"relay route set +18585550100 --delivery-timeout 90s",
			},
		}},
		{"answers held for as long as texts live", []route.Route{stored(func(r *route.Route) {
			r.MaxAge = route.Duration(route.DefaultHoldTime)
		})}, []routing.Finding{
			{
				routing.Warning, number, "HoldTime 1h is not shorter than MaxAge 1h: an answer would be too old when the phone says whom it is for",
				"relay route set +18585550100 --hold-time 5m",
			},
		}},
		{"a delivery timeout of a ring", []route.Route{stored(func(r *route.Route) {
			r.Ring, r.DeliveryTimeout = route.RingAll, route.Duration(time.Minute)
		})}, []routing.Finding{
			{
				routing.Warning, number,
				"DeliveryTimeout does not count for a text that goes to all phones at the same time: nobody else gets it when none is reached",
				"relay route set +18585550100 --answer-timeout 15m",
			},
		}},
		{"a delivery timeout of a ring that is answered in time", []route.Route{stored(func(r *route.Route) {
			r.Ring, r.DeliveryTimeout, r.AnswerTimeout = route.RingAll, route.Duration(time.Minute), route.Duration(15*time.Minute)
		})}, nil},
		{"a timeout just shorter", []route.Route{stored(func(r *route.Route) {
			r.DeliveryTimeout = route.Duration(route.DefaultMaxAge - time.Second)
		})}, nil},
		{"digits missing", []route.Route{stored(func(r *route.Route) { r.DestinationCarrier = "+1619555012" })}, []routing.Finding{
			{
				routing.Problem, number,
				`DestinationCarrier "+1619555012" does not have the digits of a number of its country: no such phone can exist`,
				"relay route set +18585550100 with the right values",
			},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, routing.Check(tt.routes)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	found := routing.Unreadable(errors.Join(errors.New("one"), errors.New("two")))
	if len(found) != 2 || found[0].Severity != routing.Problem || found[0].What != "one" || found[1].What != "two" {
		t.Errorf("found %v", found)
	}
}
