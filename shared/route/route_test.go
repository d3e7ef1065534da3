package route_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestHops(t *testing.T) {
	r := relaytest.Route()
	r.FallbackCarriers = []sms.PhoneNumber{"+18585550133", "+18585550144"}
	want := []sms.PhoneNumber{"+18585550122", "+18585550133", "+18585550144"}
	got := r.Hops()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Hops (-want +got):\n%s", diff)
	}
	got[1] = "changed"
	if diff := cmp.Diff(want, r.Hops()); diff != "" {
		t.Errorf("Hops after a caller changed what it got (-want +got):\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	notE164 := func(field, number string) string {
		return field + ` "` + number + `" is not E.164: want a plus sign, country code and number, such as +18585550100`
	}
	tests := []struct {
		name  string
		route route.Route
		want  string // empty: valid
	}{
		{"as it should be", relaytest.Route(), ""},
		{"without fallbacks", route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122"}, ""},
		{"no Twilio number", route.Route{DestinationCarrier: "+18585550122"}, notE164("TwilioNumber", "")},
		{
			"destination with spaces",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+1 858 555 0122"},
			`DestinationCarrier "+1 858 555 0122" is not E.164: want a plus sign, country code and number, such as +18585550122`,
		},
		{
			"a zero that is dialled at home",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+4407700900123"},
			`DestinationCarrier "+4407700900123" is written +447700900123 in E.164: write it so`,
		},
		{
			"a digit missing",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+1619555012"},
			`DestinationCarrier "+1619555012" does not have the digits of a number of its country: no such phone can exist`,
		},
		{
			"a country code missing",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+6195550123"},
			`DestinationCarrier "+6195550123" does not have the digits of a number of its country; did you mean +16195550123?`,
		},
		{
			"second fallback without a plus",
			route.Route{
				TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122", FallbackCarriers: []sms.PhoneNumber{"+18585550133", "18585550144"},
			},
			`FallbackCarriers[1] "18585550144" is not E.164: want a plus sign, country code and number, such as +18585550144`,
		},
		{
			"to itself",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+18585550100"},
			"hop +18585550100 is the Twilio number itself: texts would go round in a loop",
		},
		{
			"back to itself at last",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122", FallbackCarriers: []sms.PhoneNumber{"+18585550100"}},
			"hop +18585550100 is the Twilio number itself: texts would go round in a loop",
		},
		{
			"a fallback twice",
			route.Route{
				TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122", FallbackCarriers: []sms.PhoneNumber{"+18585550133", "+18585550133"},
			},
			"hop +18585550133 is listed twice",
		},
		{
			"the destination as fallback",
			route.Route{TwilioNumber: "+18585550100", DestinationCarrier: "+18585550122", FallbackCarriers: []sms.PhoneNumber{"+18585550122"}},
			"hop +18585550122 is listed twice",
		},
		{
			"two problems",
			route.Route{TwilioNumber: "858", DestinationCarrier: "+18585550122", FallbackCarriers: []sms.PhoneNumber{"+18585550122"}},
			notE164("TwilioNumber", "858") + "\nhop +18585550122 is listed twice",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := tt.route.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Validate:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// TestValidateReturnsEverything: repeated hops are no exception.
func TestValidateReturnsEverything(t *testing.T) {
	r := route.Route{
		TwilioNumber: "+18585550100", DestinationCarrier: "+18585550100",
		FallbackCarriers: []sms.PhoneNumber{"+18585550122", "+18585550122", "+18585550133", "+18585550133"},
	}
	err := r.Validate()
	for _, problem := range []string{
		"hop +18585550100 is the Twilio number itself", "hop +18585550122 is listed twice",
		"hop +18585550133 is listed twice",
	} {
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("Validate = %v, want %q among the problems", err, problem)
		}
	}
}

// TestSwitched: a route says since when it is off, no matter who switches it, and forgets it when it is on again.
func TestSwitched(t *testing.T) {
	off := func(since time.Time) route.Route { return route.Route{OffSince: since} }
	for name, tt := range map[string]struct {
		before, after route.Route
		want          time.Time
	}{
		"switched off":        {route.Route{Active: true}, route.Route{}, noon.Add(time.Millisecond)},
		"off and changed":     {off(noon.Add(-time.Hour)), route.Route{}, noon.Add(-time.Hour)},
		"off, and drops all":  {off(time.Time{}), off(noon), time.Time{}},
		"new and off":         {route.Route{}, route.Route{}, time.Time{}},
		"switched on":         {off(noon.Add(-time.Hour)), route.Route{Active: true, OffSince: noon}, time.Time{}},
		"on, and stays so":    {route.Route{Active: true}, route.Route{Active: true}, time.Time{}},
		"on, with a leftover": {route.Route{Active: true, OffSince: noon}, route.Route{}, noon.Add(time.Millisecond)},
	} {
		if got := tt.after.Switched(tt.before, noon.Add(time.Millisecond+time.Microsecond)); !got.OffSince.Equal(tt.want) ||
			got.Active != tt.after.Active {
			t.Errorf("%s: off since %v, want %v", name, got.OffSince, tt.want)
		}
	}
	for received, want := range map[time.Duration]bool{-time.Hour: true, 0: true, time.Millisecond: false} {
		if got := off(noon).Takes(noon.Add(received)); got != want {
			t.Errorf("a text accepted %v after the route was switched off: %v, want %v", received, got, want)
		}
	}
	if off(time.Time{}).Takes(noon) || !(route.Route{Active: true, OffSince: noon}).Takes(noon.Add(time.Hour)) {
		t.Error("a route that says nothing of when drops all, an active one relays all")
	}
}
