package route_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// routeAt is a route of the given number, as a file or a table has it.
func routeAt(number, destination sms.PhoneNumber, updated time.Time, version int64, by string) route.Route {
	return route.Route{
		TwilioNumber: number, DestinationCarrier: destination, Active: true, LastUpdated: updated,
		Version: version, UpdatedBy: by,
	}
}

func TestSeed(t *testing.T) {
	const number, stored, seeded = sms.PhoneNumber("+18585550100"), sms.PhoneNumber("+18585550122"), sms.PhoneNumber("+18585550133")
	now := time.Date(2026, 11, 24, 12, 0, 0, 999e6, time.FixedZone("", 3600))
	inTable := routeAt(number, stored, noon, 7, "anna")
	removed := inTable
	removed.Active, removed.Removed = false, noon
	put, kept := route.Seeded{Put: []sms.PhoneNumber{number}}, route.Seeded{Kept: []sms.PhoneNumber{number}}
	tests := []struct {
		name  string
		table []route.Route
		file  route.Route
		want  route.Route
		did   route.Seeded
	}{
		{"new", nil, routeAt(number, seeded, noon, 0, ""), routeAt(number, seeded, noon, 1, "seed"), put},
		{
			"new, of no date", nil, routeAt(number, seeded, time.Time{}, 0, ""),
			routeAt(number, seeded, time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC), 1, "seed"), put,
		},
		{
			"later than the table's",
			[]route.Route{inTable},
			routeAt(number, seeded, noon.Add(time.Second), 0, ""),
			routeAt(number, seeded, noon.Add(time.Second), 8, "seed"), put,
		},
		{"as old as the table's", []route.Route{inTable}, routeAt(number, seeded, noon, 0, ""), inTable, kept},
		{"older than the table's", []route.Route{inTable}, routeAt(number, seeded, noon.Add(-time.Second), 0, ""), inTable, kept},
		{"of no date where the table has one", []route.Route{inTable}, routeAt(number, seeded, time.Time{}, 0, ""), inTable, kept},
		{"removed since", []route.Route{removed}, routeAt(number, seeded, noon, 0, ""), removed, kept},
		{
			"removed before",
			[]route.Route{removed},
			routeAt(number, seeded, noon.Add(time.Second), 0, ""),
			routeAt(number, seeded, noon.Add(time.Second), 8, "seed"), put,
		},
		{
			"the table's was written by hand",
			[]route.Route{routeAt(number, stored, time.Time{}, 0, "")},
			routeAt(number, seeded, noon, 0, ""),
			routeAt(number, seeded, noon, 1, "seed"), put,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(tt.table...)
			did, err := route.Seed(t.Context(), table, []route.Route{tt.file}, now)
			if err != nil {
				t.Fatalf("Seed: %v", err)
			}
			if diff := cmp.Diff(tt.did, did); diff != "" {
				t.Errorf("Seeded (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]route.Route{tt.want}, list(t, table)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

func list(t *testing.T, table route.Table) []route.Route {
	t.Helper()
	all, err := table.List(t.Context())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return all
}

// TestSeedKeepsWhoHasOptedOut, as far as they are still on the route: the file cannot know it.
func TestSeedKeepsWhoHasOptedOut(t *testing.T) {
	const stays, goes, comes = sms.PhoneNumber("+18585550122"), sms.PhoneNumber("+18585550133"), sms.PhoneNumber("+18585550144")
	inTable := routeAt("+18585550100", stays, noon, 7, "anna")
	inTable.FallbackCarriers, inTable.OptedOut = []sms.PhoneNumber{goes}, []sms.PhoneNumber{goes, stays}
	file := routeAt("+18585550100", comes, noon.Add(time.Hour), 0, "")
	file.FallbackCarriers, file.OnUncertain = []sms.PhoneNumber{stays}, route.Resend
	table := relaytest.NewMemoryRoutes(inTable)
	if _, err := route.Seed(t.Context(), table, []route.Route{file}, noon); err != nil {
		t.Fatalf("Seed: %v", err)
	}
	want := file
	want.Version, want.UpdatedBy, want.OptedOut = 8, "seed", []sms.PhoneNumber{stays}
	if diff := cmp.Diff([]route.Route{want}, list(t, table)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestSeedSwitchesOff: what was accepted until a file switched the route off is sent on, whatever time the file gives.
func TestSeedSwitchesOff(t *testing.T) {
	inTable := routeAt("+18585550100", "+18585550122", noon, 7, "anna")
	inTable.Active = true
	file := routeAt("+18585550100", "+18585550122", noon.Add(time.Hour), 0, "")
	file.Active = false
	table := relaytest.NewMemoryRoutes(inTable)
	if _, err := route.Seed(t.Context(), table, []route.Route{file}, noon.Add(3*time.Hour)); err != nil {
		t.Fatalf("Seed: %v", err)
	}
	if got := list(t, table)[0]; got.Active || !got.OffSince.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("route %+v", got)
	}
}

func TestSeedTwice(t *testing.T) {
	file := []route.Route{routeAt("+18585550100", "+18585550122", noon, 0, ""), routeAt("+18585550101", "+18585550122", time.Time{}, 0, "")}
	table := relaytest.NewMemoryRoutes()
	for i, want := range []route.Seeded{
		{Put: []sms.PhoneNumber{"+18585550100", "+18585550101"}},
		{Kept: []sms.PhoneNumber{"+18585550100", "+18585550101"}},
	} {
		got, err := route.Seed(t.Context(), table, file, noon.Add(time.Duration(i)*time.Hour))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Seed number %d: %v (-want +got):\n%s", i+1, err, diff)
		}
	}
}

// TestSeedYieldsToAnOperator who writes between the look at the table and the put.
func TestSeedYieldsToAnOperator(t *testing.T) {
	operators := routeAt("+18585550100", "+18585550144", noon, 0, "anna")
	table := relaytest.NewMemoryRoutes()
	table.Fault = func(op string) error {
		if op != "before Put" {
			return nil
		}
		table.Fault = nil
		_, err := table.Put(t.Context(), operators)
		return err
	}
	got, err := route.Seed(t.Context(), table, []route.Route{routeAt("+18585550100", "+18585550122", noon.Add(time.Hour), 0, "")}, noon)
	if diff := cmp.Diff(route.Seeded{Kept: []sms.PhoneNumber{"+18585550100"}}, got); err != nil || diff != "" {
		t.Errorf("Seed: %v (-want +got):\n%s", err, diff)
	}
	operators.Version = 1
	if diff := cmp.Diff([]route.Route{operators}, list(t, table)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestSeedStopsAtAnError(t *testing.T) {
	file := []route.Route{routeAt("+18585550100", "+18585550122", noon, 0, ""), routeAt("+18585550101", "+18585550122", noon, 0, "")}
	broken := errors.New("broken")
	for failing, put := range map[string][]sms.PhoneNumber{"before List": nil, "second Put": {"+18585550100"}} {
		t.Run(failing, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes()
			puts := 0
			table.Fault = func(op string) error {
				if op == "before Put" {
					puts++
				}
				if op == failing || puts == 2 {
					return broken
				}
				return nil
			}
			got, err := route.Seed(t.Context(), table, file, noon)
			if diff := cmp.Diff(route.Seeded{Put: put}, got); !errors.Is(err, broken) || diff != "" {
				t.Errorf("Seed: %v, want the table's error (-want +got):\n%s", err, diff)
			}
			if err != nil && strings.Contains(err.Error(), "8585550101") {
				t.Errorf("the error shows a number: %v", err)
			}
		})
	}
}

// TestSeedMakesNoLoop: a hop that another route of the table is for would get nothing, since its texts are dropped as a
// loop.
func TestSeedMakesNoLoop(t *testing.T) {
	const a, b, phone = sms.PhoneNumber("+18585550100"), sms.PhoneNumber("+18585550101"), sms.PhoneNumber("+18585550122")
	const later = time.Hour
	tests := []struct {
		name  string
		table []route.Route
		file  route.Route
		want  string // empty: no loop
	}{
		{
			"to a number in the table",
			[]route.Route{routeAt(b, phone, noon, 1, "anna")},
			routeAt(a, b, noon, 0, ""),
			"***0101 cannot be a phone of ***0100: it has a route of its own, and texts would go round in a loop",
		},
		{
			"of a number that the table has for a hop",
			[]route.Route{routeAt(b, a, noon, 1, "anna")},
			routeAt(a, phone, noon, 0, ""),
			"***0100 cannot be a phone of ***0101: it has a route of its own, and texts would go round in a loop",
		},
		{
			"to a number that leads back",
			[]route.Route{routeAt(a, phone, noon, 1, "anna"), routeAt(b, phone, noon, 1, "anna")},
			routeAt(a, b, noon.Add(later), 0, ""),
			"***0101 cannot be a phone of ***0100: it has a route of its own, and texts would go round in a loop",
		},
		{
			"a thread with a route in the table",
			[]route.Route{routeAt(b, phone, noon, 1, "anna")},
			threaded(a, b),
			"***0101 cannot be a thread of ***0100: it has a route of its own",
		},
		{
			"older than the table's, and so not put",
			[]route.Route{routeAt(a, phone, noon, 1, "anna"), routeAt(b, phone, noon, 1, "anna")},
			routeAt(a, b, noon.Add(-later), 0, ""), "",
		},
		{
			"a loop that the table has without it",
			[]route.Route{routeAt(a, phone, noon, 1, "anna"), routeAt(b, a, noon, 1, "anna")},
			routeAt(a, phone, noon.Add(later), 0, ""), "",
		},
		{
			"the end of a loop",
			[]route.Route{routeAt(a, b, noon, 1, "anna"), routeAt(b, phone, noon, 1, "anna")},
			routeAt(a, phone, noon.Add(later), 0, ""), "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(tt.table...)
			_, err := route.Seed(t.Context(), table, []route.Route{tt.file}, noon)
			if tt.want == "" {
				if err != nil {
					t.Errorf("Seed: %v", err)
				}
				return
			}
			if !errors.Is(err, route.ErrLoop) || err.Error() != tt.want {
				t.Errorf("Seed: error %v, want %q", err, tt.want)
			}
			if diff := cmp.Diff(tt.table, list(t, table)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSeedBesideAnUnreadableRoute: one item that cannot be read keeps the file's other routes from nothing.
func TestSeedBesideAnUnreadableRoute(t *testing.T) {
	const broken, other = sms.PhoneNumber("+18585550100"), sms.PhoneNumber("+18585550101")
	inTable := routeAt(broken, "+18585550122", noon, 7, "anna")
	wanted := []route.Route{routeAt(broken, "+18585550133", noon.Add(time.Hour), 0, ""), routeAt(other, "+18585550134", noon, 0, "")}
	for name, tt := range map[string]struct {
		file   []route.Route
		failed bool
	}{"that the file has": {wanted, true}, "that it has not": {wanted[1:], false}} {
		t.Run(name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(inTable)
			table.Spoil(t, inTable, "Active")
			did, err := route.Seed(t.Context(), table, tt.file, noon)
			_, isUnreadable := errors.AsType[*route.UnreadableError](err)
			if isUnreadable != tt.failed || err != nil && !isUnreadable || len(did.Put) != 1 || did.Put[0] != other {
				t.Errorf("Seed: %+v, error %v", did, err)
			}
		})
	}
}
