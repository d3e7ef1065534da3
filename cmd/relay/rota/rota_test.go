package rota_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	business = sms.PhoneNumber("+18585550100")
	ann      = sms.PhoneNumber("+16195550123")
	bo       = sms.PhoneNumber("+16195550124")
)

// noon is a Monday in Los Angeles.
var noon = time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC)

func newBook(t *testing.T) rota.Book {
	t.Helper()
	way := route.Route{
		TwilioNumber: business, DestinationCarrier: ann, FallbackCarriers: []sms.PhoneNumber{bo}, Active: true, Version: 1,
		Phones: []route.Phone{{Name: "Ann", Number: ann}, {Name: "Bo", Number: bo}}, TimeZone: "America/Los_Angeles",
		Schedule: []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann"}}}, LastUpdated: noon,
		VerifyPhones: new(false),
	}
	return rota.Book{
		Routes: relaytest.NewMemoryRoutes(way), Records: &relaytest.MemoryLedger{}, Conversations: &relaytest.MemoryConversations{},
		Now: func() time.Time { return noon },
	}
}

func whos(phones []operations.DutyPhone) string {
	var names []string
	for _, p := range phones {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// TestShow: the week has who is on duty, from when to when by the route's clocks, and what relay route check says.
func TestShow(t *testing.T) {
	d, err := newBook(t).Show(t.Context(), business, "")
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Spans[0]; !s.Now || !s.Open || whos(s.Phones) != "Ann" || s.To.Format(rota.MomentForm) != "Mon 2026-11-30 18:00" {
		t.Errorf("now is %+v", s)
	}
	if s := d.Spans[1]; s.Open || whos(s.Phones) != "Ann Bo" {
		t.Errorf("the night is %+v", s)
	}
	if d.Version != 1 || d.TimeZone != "America/Los_Angeles" || whos(d.Order) != "Ann Bo" || len(d.Schedule) != 1 {
		t.Errorf("the route is %+v", d)
	}
	if !slices.ContainsFunc(d.Findings, func(f operations.Finding) bool { return strings.Contains(f.What, "nobody is on duty Mon 18:00") }) {
		t.Errorf("the findings are %+v", d.Findings)
	}
	if d, err = newBook(t).Show(t.Context(), business, "Sat 08:00"); err != nil || d.Spans[0].Open {
		t.Errorf("Saturday is %+v, %v", d.Spans, err)
	}
}

func order(o operations.DutyOrder) operations.DutyOrder {
	o.TwilioNumber = business
	return o
}

// TestChanges: each order changes what it is about, in the name of whoever orders it, and a dry run changes nothing.
func TestChanges(t *testing.T) {
	for name, one := range map[string]struct {
		order  operations.DutyOrder
		fields []string
		after  func(d operations.Duty) bool
	}{
		"override": {
			operations.DutyOrder{Override: &operations.OverrideRequest{Phones: []string{"bo"}, Until: "2h"}},
			[]string{"Overrides"},
			func(d operations.Duty) bool { return whos(d.Spans[0].Phones) == "Bo" && len(d.Overrides) == 1 },
		},
		"closed": {
			operations.DutyOrder{Override: &operations.OverrideRequest{Closed: true, Until: "18:00"}},
			[]string{"Overrides"},
			func(d operations.Duty) bool { return !d.Spans[0].Open },
		},
		"off": {
			operations.DutyOrder{Off: &operations.OffRequest{Phone: string(bo), Until: "2h"}},
			[]string{"Off"},
			func(d operations.Duty) bool { return len(d.Off) == 1 && d.Off[0].Name == "Bo" },
		},
		"order": {
			operations.DutyOrder{Hours: &operations.HoursRequest{Order: &[]string{"Bo", "Ann"}}},
			[]string{"DestinationCarrier", "FallbackCarriers"},
			func(d operations.Duty) bool { return whos(d.Order) == "Bo Ann" },
		},
		"hours": {
			operations.DutyOrder{Hours: &operations.HoursRequest{
				Schedule: &[]operations.Shift{{Days: "Mon-Sun", From: "00:00", To: "24:00", Phones: []string{"Bo"}}}, Closed: new("hold"),
			}},
			[]string{"Schedule", "Closed"},
			func(d operations.Duty) bool { return whos(d.Spans[0].Phones) == "Bo" && d.Closed == "hold" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			book := newBook(t)
			for _, isDryRun := range []bool{true, false} {
				o := order(one.order)
				o.Version, o.DryRun = new(int64(1)), isDryRun
				done, err := book.Do(t.Context(), "kim", o)
				if err != nil || done.Action != "changed" || done.DryRun != isDryRun || !one.after(done.Duty) {
					t.Fatalf("done is %+v, %v", done, err)
				}
				var fields []string
				for _, d := range done.Differences {
					fields = append(fields, d.Field)
				}
				if diff := cmp.Diff(one.fields, fields); diff != "" {
					t.Error(diff)
				}
				stored, err := book.Show(t.Context(), business, "")
				if wantVersion := map[bool]int64{true: 1, false: 2}[isDryRun]; err != nil || stored.Version != wantVersion {
					t.Errorf("stored is %+v, %v", stored, err)
				}
				if !isDryRun && (stored.UpdatedBy != "kim" || !one.after(stored)) {
					t.Errorf("stored is %+v", stored)
				}
			}
		})
	}
}

// TestTakenBack: an override is taken out by its number, and a phone that is off is on again.
func TestTakenBack(t *testing.T) {
	book := newBook(t)
	for _, o := range []operations.DutyOrder{
		{Override: &operations.OverrideRequest{Phones: []string{"Bo"}, Until: "2h"}},
		{Remove: 1},
		{Off: &operations.OffRequest{Phone: "Bo", Until: "2h"}},
		{Off: &operations.OffRequest{Phone: "Bo"}},
	} {
		if done, err := book.Do(t.Context(), "kim", order(o)); err != nil || done.Action != "changed" {
			t.Fatalf("%+v: %+v, %v", o, done, err)
		}
	}
	d, err := book.Show(t.Context(), business, "")
	if err != nil || len(d.Overrides)+len(d.Off) != 0 {
		t.Errorf("the duty is %+v, %v", d, err)
	}
	done, err := book.Do(t.Context(), "kim", order(operations.DutyOrder{Off: &operations.OffRequest{Phone: "Bo"}}))
	if err != nil || done.Action != "unchanged" {
		t.Errorf("on again: %+v, %v", done, err)
	}
}

func override(o operations.OverrideRequest) operations.DutyOrder {
	return operations.DutyOrder{Override: &o}
}

// TestRefusals: what speaks against an order is said with its field or its status, and trouble of the table stays trouble.
func TestRefusals(t *testing.T) {
	alone := func(b rota.Book) {
		if _, err := b.Do(t.Context(), "kim", order(operations.DutyOrder{Off: &operations.OffRequest{Phone: "Bo", Until: "48h"}})); err != nil {
			t.Fatal(err)
		}
	}
	for name, one := range map[string]struct {
		order  operations.DutyOrder
		before func(b rota.Book)
		status int
		field  string
		says   string
	}{
		"name":     {override(operations.OverrideRequest{Phones: []string{"Dee"}, Until: "2h"}), nil, 422, "phones", `"Dee" is no phone`},
		"until":    {override(operations.OverrideRequest{Closed: true, Until: "soon"}), nil, 422, "until", "is not a time"},
		"backward": {override(operations.OverrideRequest{Closed: true, From: "2h", Until: "2026-11-30 12:30"}), nil, 422, "until", "not after"},
		"long":     {operations.DutyOrder{Off: &operations.OffRequest{Phone: "Bo", Until: "200h"}}, nil, 422, "until", "7 days"},
		"alone":    {operations.DutyOrder{Off: &operations.OffRequest{Phone: "Ann", Until: "2h"}}, alone, 409, "", "nobody else is on duty"},
		"missing":  {operations.DutyOrder{Remove: 4}, nil, 404, "", "has no override 4"},
		"nobody":   {operations.DutyOrder{Hours: &operations.HoursRequest{Order: &[]string{}}}, nil, 422, "order", "at least one"},
		"days": {operations.DutyOrder{Hours: &operations.HoursRequest{
			Schedule: &[]operations.Shift{{Days: "Montag", From: "07:00", To: "18:00", Phones: []string{"Bo"}}},
		}}, nil, 422, "", "is not a list of days"},
		"loop": {operations.DutyOrder{Hours: &operations.HoursRequest{Order: &[]string{string(business)}}}, nil, 422, "", "loop"},
		"version": {
			operations.DutyOrder{RouteChange: operations.RouteChange{Version: new(int64(7))}, Remove: 1}, nil, 409, "", "has version 1, not 7",
		},
	} {
		t.Run(name, func(t *testing.T) {
			book := newBook(t)
			if one.before != nil {
				one.before(book)
			}
			_, err := book.Do(t.Context(), "kim", order(one.order))
			refused, ok := errors.AsType[operations.OrderError](err)
			if !ok || refused.Status != one.status || refused.Field != one.field || !strings.Contains(refused.Detail, one.says) {
				t.Errorf("refused is %+v of %v", refused, err)
			}
		})
	}
	book := newBook(t)
	if _, err := book.Show(t.Context(), "+18585550199", ""); !isStatus(err, http.StatusNotFound) {
		t.Errorf("no route: %v", err)
	}
	if _, err := book.Show(t.Context(), business, "soon"); !isStatus(err, http.StatusUnprocessableEntity) {
		t.Errorf("no moment: %v", err)
	}
	book.Routes = away{book.Routes}
	if _, err := book.Do(t.Context(), "kim", order(operations.DutyOrder{Remove: 1})); err == nil || isStatus(err, 422) {
		t.Errorf("the table is away: %v", err)
	}
}

func isStatus(err error, status int) bool {
	refused, ok := errors.AsType[operations.OrderError](err)
	return ok && refused.Status == status
}

// away is a table that cannot be read.
type away struct{ route.Table }

func (away) List(context.Context) ([]route.Route, error) {
	return nil, &fault.Error{Kind: fault.Transient}
}

// TestWhere: the sender's own code says where a text would go, and words say it.
func TestWhere(t *testing.T) {
	w, err := newBook(t).Where(t.Context(), operations.WhereQuestion{
		TwilioNumber: business, Customer: "+13125550147", Body: "Hi", At: "Sat 22:30",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Sat 2026-12-05 22:30 (America/Los_Angeles): +18585550100 is closed: nobody is on duty, until Mon 2026-12-07 07:00.",
		"The text would go to Ann +16195550123.", "If that fails, to Bo +16195550124.", "It is too old to be sent after Sun 2026-12-06 02:30.",
	}
	if diff := cmp.Diff(want, rota.Sentences(w)); diff != "" {
		t.Error(diff)
	}
	w, err = newBook(t).Where(t.Context(), operations.WhereQuestion{TwilioNumber: "+18585550199", Customer: "+13125550147"})
	if said := rota.Sentences(w); err != nil || !strings.Contains(said[0], "no_route") {
		t.Errorf("without a route: %q, %v", said, err)
	}
}
