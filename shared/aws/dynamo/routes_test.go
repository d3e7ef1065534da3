package dynamo_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestRoutesOnFake runs the routing table's suite against the fake, which holds the fake against the suite, too.
func TestRoutesOnFake(t *testing.T) {
	t.Parallel()
	relaytest.TestRoutes(t, func(*testing.T) route.Table {
		f := newFake(dynamo.RoutesSchema())
		f.pageSize = 7
		return routesOn(f)
	})
}

func TestUnreadableRouteOnFake(t *testing.T) {
	t.Parallel()
	relaytest.TestUnreadableRoute(t, func(*testing.T) (route.Table, relaytest.Spoil) {
		f := newFake(dynamo.RoutesSchema())
		return routesOn(f), func(t *testing.T, r route.Route, attribute string) {
			t.Helper()
			attributes := map[string]string{"Active": `{"BOOL":true}`, "Threads": fmt.Sprintf(`{"SS":["%s","%s"]}`, r.Threads[0], r.Threads[1])}
			attributes[attribute] = `{"N":"7"}`
			f.store(t, fmt.Sprintf(`{"TwilioNumber":{"S":%q},"DestinationCarrier":{"S":%q},"Active":%s,"Threads":%s}`,
				string(r.TwilioNumber), string(r.DestinationCarrier), attributes["Active"], attributes["Threads"]))
		}
	})
}

func routesOn(f *fakeDynamo) *dynamo.Routes { return dynamo.NewRoutes(f.config(), "qdn-sms-routing") }

// TestRouteWrittenByHand reads items as people type them into a console.
func TestRouteWrittenByHand(t *testing.T) {
	t.Parallel()
	const unreadable = "fatal: item ***0100 is unreadable: "
	const number, carrier = `"TwilioNumber":{"S":"+18585550100"}`, `"DestinationCarrier":{"S":"+18585550122"}`
	want := route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination, Active: true}
	with := want
	with.FallbackCarriers = []sms.PhoneNumber{relaytest.Fallback}
	settled := want
	settled.OnUncertain, settled.DeliveryTimeout, settled.MaxAge = route.Resend, route.Duration(90*time.Second), route.Duration(2*time.Hour)
	settled.AnswerWindow, settled.HoldTime = route.Duration(36*time.Hour), route.Duration(15*time.Minute)
	settled.PaceNumber, settled.OptedOut = "3/1s", []sms.PhoneNumber{relaytest.Destination}
	settled.Threads = []sms.PhoneNumber{"+18585550111", "+18585550110"}
	settled.Phones, settled.Owner = []route.Phone{{Name: "Ann", Number: "+18585550122", Also: []sms.PhoneNumber{"+18585550156"}}}, "Ann"
	settled.TimeZone, settled.Closed, settled.NightPhones = "UTC", route.ClosedNight, []string{"Ann"}
	settled.Schedule = []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann"}}}
	settled.Overrides = []route.Override{{Date: "2026-12-24"}}
	says := func(attributes string) string {
		return `{` + number + `,` + carrier + `,"Active":{"BOOL":true},` + attributes + `}`
	}
	tests := []struct {
		name string
		item string
		want route.Route
		text string
	}{
		{name: "every setting", item: says(`"OnUncertain":{"S":"resend"},"DeliveryTimeout":{"S":"90s"},"MaxAge":{"S":"120m"},` +
			`"PaceNumber":{"S":"3/1s"},"AnswerWindow":{"S":"36h"},"HoldTime":{"S":"900s"},"OptedOut":{"SS":["+18585550122"]},` +
			`"Threads":{"L":[{"S":"+18585550111"},{"S":"+18585550110"}]},"Owner":{"S":"Ann"},"TimeZone":{"S":"UTC"},` +
			`"Schedule":{"L":[{"M":{"Days":{"S":"Mon-Fri"},"From":{"S":"07:00"},"To":{"S":"18:00"},"Phones":{"SS":["Ann"]}}}]},` +
			`"Overrides":{"L":[{"M":{"Date":{"S":"2026-12-24"}}}]},"Closed":{"S":"night"},"NightPhones":{"L":[{"S":"Ann"}]},` +
			`"Phones":{"L":[{"M":{"Name":{"S":"Ann"},"Number":{"S":"+18585550122"},"Also":{"SS":["+18585550156"]}}}]}`), want: settled},
		{name: "settings of nothing", item: says(`"OnUncertain":{"NULL":true},"DeliveryTimeout":{"NULL":true},"MaxAge":{"S":"0s"},` +
			`"PaceNumber":{"S":""},"AnswerWindow":{"NULL":true},"HoldTime":{"S":"0s"},"OptedOut":{"NULL":true},` +
			`"Threads":{"NULL":true},"Phones":{"NULL":true},"Owner":{"NULL":true}`), want: want},
		{
			name: "a zone that there is not", item: says(`"TimeZone":{"S":"Mars/Base"}`),
			text: unreadable + "TimeZone is not a time zone such as America/Los_Angeles",
		},
		{
			name: "a zone as a number", item: says(`"TimeZone":{"N":"-8"}`),
			text: unreadable + "attribute TimeZone should be a time zone such as America/Los_Angeles, as a string",
		},
		{
			name: "closed as a flag", item: says(`"Closed":{"BOOL":true}`),
			text: unreadable + "attribute Closed should be relay or night, as a string",
		},
		{
			name: "a schedule of days that there are not",
			item: says(`"TimeZone":{"S":"UTC"},"Schedule":{"L":[{"M":{"Days":{"S":"daily"},"From":{"S":"07:00"},"To":{"S":"18:00"},` +
				`"Phones":{"L":[{"S":"+18585550122"}]}}}]}`),
			text: unreadable + "Schedule[0].Days is not a list of days such as Mon-Fri or Sat,Sun",
		},
		{
			name: "a night phone of another form", item: says(`"NightPhones":{"L":[{"S":"+1858"}]}`), text: unreadable + "a phone is not E.164",
		},
		{
			name: "phones as text", item: says(`"Phones":{"S":"Ann"}`),
			text: unreadable + "attribute Phones should be []route.Phone",
		},
		{
			name: "a phone of another form", item: says(`"Phones":{"L":[{"M":{"Name":{"S":"Ann"},"Number":{"S":"858-555-0122"}}}]}`),
			text: unreadable + "a phone is not E.164",
		},
		{
			name: "a name that is a tag", item: says(`"Phones":{"L":[{"M":{"Name":{"S":"/off"},"Number":{"S":"+18585550122"}}}]}`),
			text: unreadable + "Phones[0].Name begins with /, as a command does",
		},
		{
			name: "an owner whom nobody knows", item: says(`"Owner":{"S":"Dee"}`),
			text: unreadable + "Owner is neither a number nor the name of one of Phones",
		},
		{
			name: "an owner as a number", item: says(`"Owner":{"N":"18585550122"}`),
			text: unreadable + "attribute Owner should be a phone's name or number, as a string",
		},
		{
			name: "uncertain as a flag", item: says(`"OnUncertain":{"BOOL":true}`),
			text: unreadable + "attribute OnUncertain should be park or resend, as a string",
		},
		{
			name: "uncertain of another kind", item: says(`"OnUncertain":{"S":"retry"}`),
			text: unreadable + "OnUncertain is neither park nor resend",
		},
		{
			name: "timeout as a number", item: says(`"DeliveryTimeout":{"N":"90"}`),
			text: unreadable + "attribute DeliveryTimeout should be a duration such as 90s, as a string",
		},
		{
			name: "timeout of no unit", item: says(`"DeliveryTimeout":{"S":"90"}`),
			text: unreadable + "attribute DeliveryTimeout should be a duration such as 90s, as a string",
		},
		{name: "timeout too long", item: says(`"DeliveryTimeout":{"S":"24h"}`), text: unreadable + "DeliveryTimeout is not from 10s to 12h"},
		{
			name: "age as text", item: says(`"MaxAge":{"S":"old"}`),
			text: unreadable + "attribute MaxAge should be a duration such as 4h, as a string",
		},
		{name: "age too short", item: says(`"MaxAge":{"S":"1s"}`), text: unreadable + "MaxAge is not from 1m to 72h"},
		{
			name: "window as a number", item: says(`"AnswerWindow":{"N":"24"}`),
			text: unreadable + "attribute AnswerWindow should be a duration such as 24h, as a string",
		},
		{
			name: "hold of no unit", item: says(`"HoldTime":{"S":"60"}`),
			text: unreadable + "attribute HoldTime should be a duration such as 1h, as a string",
		},
		{name: "hold too long", item: says(`"HoldTime":{"S":"24h"}`), text: unreadable + "HoldTime is not from 5m to 12h"},
		{
			name: "pace as a number", item: says(`"PaceNumber":{"N":"3"}`),
			text: unreadable + "attribute PaceNumber should be a pace such as 3/1s or off, as a string",
		},
		{
			name: "pace of no form", item: says(`"PaceNumber":{"S":"fast"}`),
			text: unreadable + "PaceNumber: pace is neither a number and a time such as 10/30s nor off",
		},
		{
			name: "who opted out as text", item: says(`"OptedOut":{"S":"+18585550122"}`),
			text: unreadable + "attribute OptedOut should be []sms.PhoneNumber",
		},
		{
			name: "threads as text", item: says(`"Threads":{"S":"+18585550110"}`),
			text: unreadable + "attribute Threads should be []sms.PhoneNumber",
		},
		{
			name: "thread as a number", item: says(`"Threads":{"L":[{"N":"18585550110"}]}`),
			text: unreadable + "attribute Threads should be sms.PhoneNumber",
		},
		{
			name: "thread in a spelling of its own", item: says(`"Threads":{"L":[{"S":"+18585550111"},{"S":"858-555-0110"}]}`),
			text: unreadable + "a thread is not E.164",
		},
		{
			name: "thread that is the number", item: says(`"Threads":{"L":[{"S":"+18585550100"}]}`),
			text: unreadable + "a thread is the Twilio number itself",
		},
		{
			name: "too many threads", item: says(`"Threads":{"SS":["+18585550110","+18585550111","+18585550112","+18585550113",` +
				`"+18585550114","+18585550115","+18585550116","+18585550117","+18585550118"]}`),
			text: unreadable + "Threads has 9 numbers, at most 8",
		},
		{
			name: "removed as a flag", item: says(`"Removed":{"BOOL":true}`),
			text: unreadable + "attribute Removed should be a time such as 2026-11-24T08:00:00Z, as a string",
		},
		{
			name: "removed at no time", item: says(`"Removed":{"S":"yes"}`),
			text: unreadable + "attribute Removed should be a time such as 2026-11-24T08:00:00Z, as a string",
		},
		{name: "the least there is", item: `{` + number + `,` + carrier + `,"Active":{"BOOL":true}}`, want: want},
		{name: "a date alone", item: `{` + number + `,` + carrier + `,"Active":{"BOOL":true},"LastUpdated":{"S":"yesterday"}}`, want: want},
		{
			name: "a set of fallbacks", item: `{` + number + `,` + carrier + `,"Active":{"BOOL":true},"FallbackCarriers":{"SS":["+18585550133"]}}`,
			want: with,
		},
		{name: "with notes", item: `{` + number + `,` + carrier + `,"Active":{"BOOL":true},"Notes":{"S":"ask Ann"}}`, want: want},
		{name: "null fallbacks", item: `{` + number + `,` + carrier + `,"Active":{"BOOL":true},"FallbackCarriers":{"NULL":true}}`, want: want},
		{
			name: "active as text", item: `{` + number + `,` + carrier + `,"Active":{"S":"yes"}}`,
			text: "fatal: item ***0100 is unreadable: attribute Active should be bool",
		},
		{
			name: "active left out", item: `{` + number + `,` + carrier + `}`,
			text: "fatal: item ***0100 is unreadable: attribute Active is missing",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.RoutesSchema())
			f.store(t, tt.item)
			found, err := routesOn(f).Lookup(t.Context(), relaytest.TwilioNumber)
			listed, errList := routesOn(f).List(t.Context())
			if tt.text != "" {
				if err == nil || err.Error() != tt.text || errList == nil || errList.Error() != tt.text {
					t.Errorf("errors %v and %v, want %s", err, errList, tt.text)
				}
				return
			}
			if err != nil || errList != nil {
				t.Fatal(errors.Join(err, errList))
			}
			if diff := cmp.Diff(tt.want, found[relaytest.TwilioNumber]); diff != "" {
				t.Errorf("Lookup (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]route.Route{tt.want}, listed); diff != "" {
				t.Errorf("List (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSeedLeavesHandWrittenRoute puts version 0, which means that there is none, over an item without a version.
func TestSeedLeavesHandWrittenRoute(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.RoutesSchema())
	f.store(t, `{"TwilioNumber":{"S":"+18585550100"},"DestinationCarrier":{"S":"+18585550144"},"Active":{"BOOL":true}}`)
	if _, err := routesOn(f).Put(t.Context(), relaytest.Route()); !errors.Is(err, route.ErrConflict) {
		t.Errorf("error %v, want ErrConflict", err)
	}
}

// TestPutUnversioned goes over what has no version, and over nothing else.
func TestPutUnversioned(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.RoutesSchema())
	if _, err := routesOn(f).PutUnversioned(t.Context(), relaytest.Route()); !errors.Is(err, route.ErrConflict) {
		t.Errorf("where there is none: error %v, want ErrConflict", err)
	}
	f.store(t, `{"TwilioNumber":{"S":"+18585550100"},"DestinationCarrier":{"S":"+18585550144"},"Active":{"BOOL":true}}`)
	want := relaytest.Route()
	want.Version = 1
	if stored, err := routesOn(f).PutUnversioned(t.Context(), relaytest.Route()); err != nil || cmp.Diff(want, stored) != "" {
		t.Errorf("over a hand-written item: error %v (-want +got):\n%s", err, cmp.Diff(want, stored))
	}
	if listed, err := routesOn(f).List(t.Context()); err != nil || cmp.Diff([]route.Route{want}, listed) != "" {
		t.Errorf("List: error %v (-want +got):\n%s", err, cmp.Diff([]route.Route{want}, listed))
	}
	if _, err := routesOn(f).PutUnversioned(t.Context(), relaytest.Route()); !errors.Is(err, route.ErrConflict) {
		t.Errorf("over version 1: error %v, want ErrConflict", err)
	}
}

func TestLookupRefusesTooMany(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.RoutesSchema())
	_, err := routesOn(f).Lookup(t.Context(), make([]sms.PhoneNumber, 101)...)
	checkFault(t, "Lookup", err, fault.Permanent)
	if f.calls["BatchGetItem"] != 0 {
		t.Error("DynamoDB was asked")
	}
}

func TestLookupOfNothing(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.RoutesSchema())
	found, err := routesOn(f).Lookup(t.Context())
	if err != nil || len(found) != 0 || f.calls["BatchGetItem"] != 0 {
		t.Errorf("found %v, error %v, %d calls; want none", found, err, f.calls["BatchGetItem"])
	}
}

// TestLostAnswerOfPut loses the answer of a put that went through.
func TestLostAnswerOfPut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.RoutesSchema())
		f.fault = onPut(1, true, reply{err: lost()})
		stored, err := routesOn(f).Put(t.Context(), relaytest.Route())
		if err != nil || stored.Version != 1 {
			t.Errorf("version %d, error %v; want 1", stored.Version, err)
		}
	})
}

func TestRouteFaultKinds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.RoutesSchema())
		f.fault = func(string, int, func() reply) reply {
			return refuse(http.StatusInternalServerError, "InternalServerError")
		}
		_, put := routesOn(f).Put(t.Context(), relaytest.Route())
		_, found := routesOn(f).Lookup(t.Context(), relaytest.TwilioNumber)
		_, listed := routesOn(f).List(t.Context())
		checkFault(t, "Put", put, fault.Unknown)
		checkFault(t, "Lookup", found, fault.Transient)
		checkFault(t, "List", listed, fault.Transient)
	})
}
