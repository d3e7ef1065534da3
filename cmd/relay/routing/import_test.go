package routing_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// inFile is a route of a file with another destination than the stored one.
func inFile(at time.Time) route.Route {
	return route.Route{
		TwilioNumber: number, DestinationCarrier: other, FallbackCarriers: []sms.PhoneNumber{fallback}, Active: true,
		LastUpdated: at,
	}
}

func TestImport(t *testing.T) {
	changed := stored(func(r *route.Route) {
		r.DestinationCarrier, r.Version, r.UpdatedBy, r.LastUpdated = other, 4, "anna", noon
	})
	same := func(at time.Time) route.Route {
		r := inFile(at)
		r.DestinationCarrier = phone
		return r
	}
	tests := []struct {
		name        string
		table, file []route.Route
		how         routing.Import
		action      routing.Action
		want        route.Route
	}{
		{"new", nil, []route.Route{inFile(morning)}, routing.Import{}, routing.Added, stored(func(r *route.Route) {
			r.DestinationCarrier, r.Version, r.UpdatedBy, r.LastUpdated = other, 1, "anna", noon
		})},
		{"the same", []route.Route{stored()}, []route.Route{same(time.Time{})}, routing.Import{}, routing.Unchanged, stored()},
		{"later", []route.Route{stored()}, []route.Route{inFile(morning.Add(time.Second))}, routing.Import{}, routing.Changed, changed},
		{
			"as a table whose phone has yet to be verified",
			[]route.Route{stored(func(r *route.Route) { r.Verifications = []route.Verification{{Phone: fallback}} })},
			[]route.Route{same(morning)},
			routing.Import{},
			routing.Unchanged,
			stored(func(r *route.Route) { r.Verifications = []route.Verification{{Phone: fallback}} }),
		},
		{"an edited export", []route.Route{stored()}, []route.Route{inFile(morning)}, routing.Import{}, routing.Changed, changed},
		{"older", []route.Route{stored()}, []route.Route{inFile(morning.Add(-time.Second))}, routing.Import{}, routing.Kept, stored()},
		{"of no time", []route.Route{stored()}, []route.Route{inFile(time.Time{})}, routing.Import{}, routing.Kept, stored()},
		{"older, by force", []route.Route{stored()}, []route.Route{inFile(time.Time{})}, routing.Import{Force: true}, routing.Changed, changed},
		{
			"of a time to come",
			[]route.Route{stored()},
			[]route.Route{inFile(noon.Add(time.Hour))},
			routing.Import{},
			routing.Changed,
			stored(func(r *route.Route) {
				r.DestinationCarrier, r.Version, r.UpdatedBy, r.LastUpdated = other, 4, "anna", noon.Add(time.Hour)
			}),
		},
		{"in the table only", []route.Route{stored()}, nil, routing.Import{}, "", stored()},
		{"pruned", []route.Route{stored()}, nil, routing.Import{Prune: true}, routing.Removed, stored(func(r *route.Route) {
			r.Active, r.Removed, r.OffSince, r.Version, r.UpdatedBy, r.LastUpdated = false, noon, offAtNoon, 4, "anna", noon
		})},
		{"removed already", []route.Route{stored(removed)}, nil, routing.Import{Prune: true}, "", stored(removed)},
		{
			"removed since",
			[]route.Route{stored(removed)},
			[]route.Route{same(morning.Add(-time.Second))},
			routing.Import{},
			routing.Kept,
			stored(removed),
		},
		{
			"removed before",
			[]route.Route{stored(removed)},
			[]route.Route{same(morning.Add(time.Second))},
			routing.Import{},
			routing.Changed,
			stored(func(r *route.Route) { r.Version, r.UpdatedBy, r.LastUpdated = 4, "anna", noon }),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(tt.table...)
			tt.how.Author = anna()
			steps, err := tt.how.Plan(tt.table, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]route.Route{}, tt.table...), list(t, table)); diff != "" {
				t.Errorf("planning wrote (-want +got):\n%s", diff)
			}
			if done, err := routing.Apply(t.Context(), table, steps); err != nil || actionOf(done) != tt.action {
				t.Errorf("%q, error %v; want %q", actionOf(done), err, tt.action)
			}
			if diff := cmp.Diff([]route.Route{tt.want}, list(t, table)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

func actionOf(steps []routing.Step) routing.Action {
	if len(steps) == 0 {
		return ""
	}
	return steps[0].Action
}

// TestImportMakesNoLoop with a route of the table, a removed one too; a loop that the table has may be pruned.
func TestImportMakesNoLoop(t *testing.T) {
	hop := stored(removed, func(r *route.Route) { r.TwilioNumber, r.DestinationCarrier = other, phone })
	if _, err := (routing.Import{Author: anna()}).Plan([]route.Route{hop}, []route.Route{inFile(morning)}); !errors.Is(err, route.ErrLoop) {
		t.Errorf("error %v, want ErrLoop", err)
	}
	with := inFile(morning)
	with.Threads = []sms.PhoneNumber{thread}
	threaded := stored(func(r *route.Route) { r.TwilioNumber, r.Threads = second, []sms.PhoneNumber{thread} })
	if _, err := (routing.Import{Author: anna()}).Plan([]route.Route{threaded}, []route.Route{with}); !errors.Is(err, route.ErrLoop) {
		t.Errorf("a thread of another: error %v, want ErrLoop", err)
	}
	looped := stored(func(r *route.Route) { r.DestinationCarrier = other })
	steps, err := routing.Import{Author: anna(), Prune: true}.Plan([]route.Route{looped, hop}, nil)
	if err != nil || actionOf(steps) != routing.Removed {
		t.Errorf("%q, error %v; want it removed", actionOf(steps), err)
	}
}

// TestImportAgainstOthers leaves what someone changed between the plan and the put, and does the rest.
func TestImportAgainstOthers(t *testing.T) {
	table := relaytest.NewMemoryRoutes(stored())
	interfere(table, stored())
	plus := inFile(noon)
	plus.TwilioNumber = second
	steps, err := routing.Import{Author: anna()}.Plan([]route.Route{stored()}, []route.Route{inFile(noon), plus})
	if err != nil {
		t.Fatal(err)
	}
	done, err := routing.Apply(t.Context(), table, steps)
	if err != nil || len(done) != 2 || done[0].Action != routing.Conflict || done[1].Action != routing.Added || done[1].After.Version != 1 {
		t.Errorf("steps %v, error %v", done, err)
	}
	if got := list(t, table); len(got) != 2 || got[0].DestinationCarrier != phone || got[1].DestinationCarrier != other {
		t.Errorf("table %v", got)
	}
}

// TestImportStopsAtAnError and says what was done before it.
func TestImportStopsAtAnError(t *testing.T) {
	table, broken, puts := relaytest.NewMemoryRoutes(), errors.New("broken"), 0
	table.Fault = func(op string) error {
		if op == "before Put" {
			puts++
		}
		if puts == 2 {
			return broken
		}
		return nil
	}
	var file []route.Route
	for _, n := range []sms.PhoneNumber{number, second, "+18585550102"} {
		r := inFile(noon)
		r.TwilioNumber = n
		file = append(file, r)
	}
	steps, err := routing.Import{Author: anna()}.Plan(nil, file)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := routing.Apply(t.Context(), table, steps); !errors.Is(err, broken) || len(done) != 1 || puts != 2 {
		t.Errorf("%d steps done, %d puts, error %v", len(done), puts, err)
	}
}

// TestExportImportsUnchanged: what is written of any table is read back as it is, and planned to change nothing.
func TestExportImportsUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := anyTable(t)
		var file bytes.Buffer
		if err := route.WriteMaintenance(&file, table); err != nil {
			t.Fatal(err)
		}
		read, err := route.ParseMaintenance(&file, route.Reading{})
		if err != nil {
			t.Fatal(err)
		}
		var want []route.Route
		for _, r := range routing.Visible(table) {
			r.OptedOut, r.Version, r.UpdatedBy = nil, 0, ""
			want = append(want, r)
		}
		if diff := cmp.Diff(want, read, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("read back (-want +got):\n%s", diff)
		}
		steps, err := routing.Import{Prune: true, Author: anna()}.Plan(table, read)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if s.Action != routing.Unchanged {
				t.Fatalf("%s %s: %v", s.Action, s.Before.TwilioNumber, s.Differences)
			}
		}
		if len(steps) != len(want) {
			t.Fatalf("%d steps of %d routes", len(steps), len(want))
		}
	})
}

// anyTable draws a table without loops: its numbers are of one area, its hops of another.
func anyTable(t *rapid.T) []route.Route {
	table := make([]route.Route, rapid.IntRange(0, 6).Draw(t, "routes"))
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return morning.Add(time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "after"))).UTC()
	})
	for i := range table {
		hops := rapid.SliceOfNDistinct(rapid.IntRange(0, 99), 1, 4, rapid.ID).Draw(t, "hops")
		r := route.Route{
			TwilioNumber: sms.PhoneNumber(fmt.Sprintf("+185855501%02d", i)), DestinationCarrier: hop(hops[0]),
			Active:      rapid.Bool().Draw(t, "active"),
			OnUncertain: rapid.SampledFrom([]route.OnUncertain{"", route.Park, route.Resend}).Draw(t, "uncertain"),
			DeliveryTimeout: route.Duration(rapid.SampledFrom([]time.Duration{0, 10 * time.Second, 90*time.Second + 1, 12 * time.Hour}).Draw(t,
				"timeout")),
			MaxAge:       route.Duration(rapid.SampledFrom([]time.Duration{0, time.Minute, 72 * time.Hour}).Draw(t, "age")),
			AnswerWindow: route.Duration(rapid.SampledFrom([]time.Duration{0, time.Hour, 168 * time.Hour}).Draw(t, "window")),
			HoldTime:     route.Duration(rapid.SampledFrom([]time.Duration{0, 5 * time.Minute, 12 * time.Hour}).Draw(t, "hold")),
			PaceNumber:   rapid.SampledFrom([]string{"", "off", "3/1s"}).Draw(t, "pace"),
			Version:      rapid.Int64Range(0, 9).Draw(t, "version"), UpdatedBy: rapid.SampledFrom([]string{"", "seed", "anna"}).Draw(t, "by"),
		}
		for n := range rapid.IntRange(0, 3).Draw(t, "threads") {
			r.Threads = append(r.Threads, sms.PhoneNumber(fmt.Sprintf("+185855501%02d", 10+3*i+n)))
		}
		for _, h := range hops[1:] {
			r.FallbackCarriers = append(r.FallbackCarriers, hop(h))
		}
		if rapid.Bool().Draw(t, "opted out") {
			r.OptedOut = r.Hops()
			r.Phones = []route.Phone{{Name: "Ann", Number: r.DestinationCarrier}}
			r.Owner = "Ann"
		}
		if rapid.Bool().Draw(t, "dated") {
			r.LastUpdated = moment.Draw(t, "updated")
		}
		if !r.Active && rapid.Bool().Draw(t, "removed") {
			r.Removed = moment.Draw(t, "removed at")
		}
		table[i] = r
	}
	return table
}

func hop(n int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+161955501%02d", n)) }
