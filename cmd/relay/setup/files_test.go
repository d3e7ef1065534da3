package setup

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestWantedRoutes(t *testing.T) {
	const number, ann, bo, cy = "+18585550100", "+16195550123", "+16195550124", "+16195550126"
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	was := route.Route{
		TwilioNumber: number, DestinationCarrier: ann, FallbackCarriers: []sms.PhoneNumber{bo}, Active: true, Owner: "Ann",
		Phones: []route.Phone{{Name: "Ann", Number: ann}, {Name: "Bo", Number: bo}},
	}
	other := route.Route{TwilioNumber: "+18585550101", DestinationCarrier: cy, Active: true}
	with := func(change func(r *route.Route)) route.Route {
		r := was
		change(&r)
		return r
	}
	tests := []struct {
		name   string
		routes []route.Route
		phones []route.Phone
		want   []route.Route
	}{
		{
			"a first route", nil,
			[]route.Phone{{Name: "Ann", Number: ann}, {Number: bo}},
			[]route.Route{{
				TwilioNumber: number, DestinationCarrier: ann, FallbackCarriers: []sms.PhoneNumber{bo}, Active: true,
				Phones: []route.Phone{{Name: "Ann", Number: ann}},
			}},
		},
		{
			"next to another",
			[]route.Route{other},
			[]route.Phone{{Number: ann}},
			[]route.Route{other, {TwilioNumber: number, DestinationCarrier: ann, Active: true}},
		},
		{"the same phones", []route.Route{was, other}, []route.Phone{{Name: "Ann", Number: ann}, {Name: "Bo", Number: bo}}, nil},
		{"no phones are said", []route.Route{was}, nil, nil},
		{
			"another phone first, and what else there is stays",
			[]route.Route{other, was},
			[]route.Phone{{Name: "Cy", Number: cy}, {Number: ann}},
			[]route.Route{other, with(func(r *route.Route) {
				r.DestinationCarrier, r.FallbackCarriers, r.LastUpdated = cy, []sms.PhoneNumber{ann}, now
				r.Phones = []route.Phone{{Name: "Ann", Number: ann}, {Name: "Bo", Number: bo}, {Name: "Cy", Number: cy}}
			})},
		},
		{
			"a name gets another number",
			[]route.Route{was},
			[]route.Phone{{Name: "ann", Number: cy}, {Name: "Bo", Number: bo}},
			[]route.Route{with(func(r *route.Route) {
				r.DestinationCarrier, r.LastUpdated = cy, now
				r.Phones = []route.Phone{{Name: "ann", Number: cy}, {Name: "Bo", Number: bo}}
			})},
		},
		{
			"one that relays nothing",
			[]route.Route{with(func(r *route.Route) { r.Active = false })},
			nil,
			[]route.Route{with(func(r *route.Route) { r.LastUpdated = now })},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, differences, err := wantedRoutes(test.routes, number, test.phones, now)
			if err != nil || (len(differences) > 0) != (test.want != nil) {
				t.Fatalf("differences %v, %v", differences, err)
			}
			want := test.want
			if want == nil {
				want = test.routes
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if _, differences, err := wantedRoutes(got, number, test.phones, now); len(differences) > 0 || err != nil {
				t.Errorf("the second time: %v, %v", differences, err)
			}
		})
	}
	if _, _, err := wantedRoutes([]route.Route{{TwilioNumber: ann, DestinationCarrier: number, Active: true}}, number,
		[]route.Phone{{Number: ann}}, now); err == nil {
		t.Error("a loop is written")
	}
}

func TestPhonesAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]route.Phone{
		"Ann=+16195550123":    {Name: "Ann", Number: "+16195550123"},
		"Bo Lee +16195550123": {Name: "Bo Lee", Number: "+16195550123"},
		"Ann (619) 555-0123":  {Name: "Ann", Number: "+16195550123"},
		"619-555-0123":        {Number: "+16195550123"},
		"Team 2=6195550123":   {Name: "Team 2", Number: "+16195550123"},
	} {
		j := &job{number: "+18585550100", flags: setupFlags{numbers: cli.NumberFlags{Country: cli.DefaultCountry}}}
		if err := j.addPhone(text); err != nil || j.phones[0].Name != want.Name || j.phones[0].Number != want.Number {
			t.Errorf("%q: %+v, %v", text, j.phones, err)
		}
	}
}

func TestAFileIsMovedToANameThatIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.env")
	for _, want := range []string{path + ".bak", path + ".bak2", path + ".bak3"} {
		got := asideOf(path)
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if err := os.WriteFile(got, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
