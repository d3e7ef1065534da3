package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// stranger has no route and is no hop.
const stranger = sms.PhoneNumber("+18585550199")

// A text of a phone of the route is an answer, whether the route is on or off.
func TestOfAPhonesText(t *testing.T) {
	active := relaytest.Route()
	active.FallbackCarriers = []sms.PhoneNumber{"+4407700900123"}
	inactive := active
	inactive.Active = false
	for _, way := range []route.Route{active, inactive} {
		for _, from := range []sms.PhoneNumber{way.DestinationCarrier, "+447700900123"} {
			for _, body := range []string{"Yes", "START", "HELP"} {
				r := relaytest.Record(1, noon)
				r.Customer, r.Body = from, body
				got := plan.Of(plan.Question{Text: r, Routes: map[sms.PhoneNumber]route.Route{way.TwilioNumber: way}, Now: noon})
				if !got.IsAnswer || got.Drop != "" || got.To != "" || got.Mark != nil {
					t.Errorf("%s from %s: %+v; want an answer", body, from, got)
				}
			}
		}
	}
}

// TestOf: every reason against a text, and none.
func TestOf(t *testing.T) {
	inbound := func(edit func(*ledger.Record)) ledger.Record {
		r := relaytest.Record(1, noon)
		edit(&r)
		return r
	}
	manual := func(destination sms.PhoneNumber) ledger.Record {
		return inbound(func(r *ledger.Record) { r.Manual, r.Customer, r.Destination = true, "", destination })
	}
	active, inactive := relaytest.Route(), relaytest.Route()
	inactive.Active = false
	offNow, offBefore := inactive, inactive
	offNow.OffSince, offBefore.OffSince = noon, noon.Add(-time.Millisecond)
	hop, second := active.DestinationCarrier, relaytest.Fallback
	active.FallbackCarriers = []sms.PhoneNumber{second}
	marked := active
	marked.OptedOut = []sms.PhoneNumber{hop}
	mexican := active
	mexican.TwilioNumber = "+523312345678"
	for _, tt := range []struct {
		name   string
		text   ledger.Record
		word   string
		routes []route.Route
		drop   ledger.Reason
		to     sms.PhoneNumber
		hop    int
	}{
		{"a customer's text", inbound(func(*ledger.Record) {}), "", []route.Route{active}, "", hop, 0},
		{"to a number without a route", inbound(func(*ledger.Record) {}), "", nil, ledger.ReasonNoRoute, "", 0},
		{"to an inactive number", inbound(func(*ledger.Record) {}), "", []route.Route{inactive}, ledger.ReasonInactive, "", 0},
		{"accepted before the number was switched off", inbound(func(*ledger.Record) {}), "", []route.Route{offNow}, "", hop, 0},
		{
			"accepted after the number was switched off", inbound(func(*ledger.Record) {}), "",
			[]route.Route{offBefore},
			ledger.ReasonInactive, "", 0,
		},
		{"an operator's, accepted before", manual(""), "", []route.Route{offNow}, "", hop, 0},
		{"an operator's, accepted after", manual(""), "", []route.Route{offBefore}, ledger.ReasonInactive, "", 0},
		{
			"from a hop of the route that opts out", inbound(func(r *ledger.Record) { r.Customer, r.Body = second, "STOP" }), "",
			[]route.Route{active},
			ledger.ReasonOptOut, "", 0,
		},
		{
			"from a marked hop that opts in", inbound(func(r *ledger.Record) { r.Customer, r.Body = hop, "START" }), "",
			[]route.Route{marked},
			ledger.ReasonKeyword, "", 0,
		},
		{
			"an answer", inbound(func(r *ledger.Record) { r.Answer.Phone, r.Destination = hop, r.Customer }), "",
			[]route.Route{marked},
			"", relaytest.Customer, 0,
		},
		{
			"a notice", inbound(func(r *ledger.Record) { r.Notice, r.Customer, r.Destination = true, second, second }), "",
			[]route.Route{inactive},
			"", second, 0,
		},
		{
			"from the number itself", inbound(func(r *ledger.Record) { r.Customer = r.TwilioNumber }), "",
			[]route.Route{active},
			ledger.ReasonLoop, "", 0,
		},
		{
			"from another routed number", inbound(func(r *ledger.Record) { r.Customer = stranger }), "",
			[]route.Route{active, {TwilioNumber: stranger}},
			ledger.ReasonLoop, "", 0,
		},
		{
			"from another routed number, in another spelling", inbound(func(r *ledger.Record) { r.Customer = "+4407700900123" }), "",
			[]route.Route{active, {TwilioNumber: "+447700900123"}},
			ledger.ReasonLoop, "", 0,
		},
		{
			"to a number that Twilio spells otherwise", inbound(func(r *ledger.Record) { r.TwilioNumber = "+5213312345678" }), "",
			[]route.Route{mexican},
			"", hop, 0,
		},
		{
			"an operator's to a routed number, in another spelling", manual("+4407700900123"), "",
			[]route.Route{active, {TwilioNumber: "+447700900123"}},
			ledger.ReasonLoop, "", 0,
		},
		{"STOP that Twilio acted on", inbound(func(*ledger.Record) {}), sms.OptOutStop, []route.Route{active}, ledger.ReasonOptOut, "", 0},
		{"HELP that Twilio acted on", inbound(func(*ledger.Record) {}), "HELP", []route.Route{active}, ledger.ReasonKeyword, "", 0},
		{
			"too old", inbound(func(r *ledger.Record) { r.ReceivedAt = noon.Add(-5 * time.Hour) }), "",
			[]route.Route{active},
			ledger.ReasonExpired, hop, 0,
		},
		{"the first hop opted out", inbound(func(*ledger.Record) {}), "", []route.Route{marked}, "", second, 1},
		{
			"the first hop is done", inbound(func(r *ledger.Record) { r.Attempts = []ledger.Attempt{{Number: 1, To: hop, HopDone: true}} }), "",
			[]route.Route{active},
			"", second, 1,
		},
		{"an operator's by the route", manual(""), "", []route.Route{active}, "", hop, 0},
		{"an operator's without a route", manual(""), "", nil, ledger.ReasonNoRoute, "", 0},
		{"an operator's by an inactive route", manual(""), "", []route.Route{inactive}, ledger.ReasonInactive, "", 0},
		{"an operator's own destination", manual(stranger), "", []route.Route{inactive}, "", stranger, 0},
		{"an operator's own destination without a route", manual(stranger), "", nil, "", stranger, 0},
		{"an operator's to the number itself", manual(relaytest.TwilioNumber), "", nil, ledger.ReasonLoop, "", 0},
		{"an operator's to a routed number", manual(stranger), "", []route.Route{active, {TwilioNumber: stranger}}, ledger.ReasonLoop, "", 0},
		{"an operator's own destination that is marked in the route", manual(hop), "", []route.Route{marked}, "", hop, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			routes := map[sms.PhoneNumber]route.Route{}
			for _, r := range tt.routes {
				routes[r.TwilioNumber] = r
			}
			got := plan.Of(plan.Question{Text: tt.text, OptOutType: tt.word, Routes: routes, Now: noon})
			if got.Drop != tt.drop || got.To != tt.to || got.Hop != tt.hop {
				t.Errorf("plan is drop %q, to %q, hop %d; want drop %q, to %q, hop %d", got.Drop, string(got.To), got.Hop, tt.drop,
					string(tt.to), tt.hop)
			}
		})
	}
}

// TestSettings: the route's settings, or the relay's own where it has none, also where an operator chose the phone.
func TestSettings(t *testing.T) {
	own := pace.Limit{N: 1, Per: time.Second}
	bare := relaytest.Route()
	full := bare
	full.DeliveryTimeout, full.MaxAge, full.PaceNumber = route.Duration(time.Minute), route.Duration(time.Hour), "3/1s"
	text := relaytest.Record(1, noon)
	chosen := text
	chosen.Manual, chosen.Destination = true, stranger
	for name, tt := range map[string]struct {
		text    ledger.Record
		route   route.Route
		timeout time.Duration
		expires time.Time
		pace    pace.Limit
	}{
		"none":                             {text, bare, 0, noon.Add(4 * time.Hour), own},
		"all":                              {text, full, time.Minute, noon.Add(time.Hour), pace.Limit{N: 3, Per: time.Second}},
		"all, with a destination of one's": {chosen, full, time.Minute, noon.Add(time.Hour), pace.Limit{N: 3, Per: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			got := plan.Of(plan.Question{
				Text: tt.text, Routes: map[sms.PhoneNumber]route.Route{tt.route.TwilioNumber: tt.route},
				PaceNumber: own, Now: noon,
			})
			want := plan.Plan{
				Open: got.Open, To: got.To, Hop: 0, DeliveryTimeout: tt.timeout, Expires: tt.expires, Validity: tt.expires.Sub(noon), Pace: tt.pace,
			}
			if diff := cmp.Diff(want, got); diff != "" || got.To == "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUsedUp: a phone whose attempts are used up is passed over, also if another one's turn came in between.
func TestUsedUp(t *testing.T) {
	way := relaytest.Route()
	way.FallbackCarriers = []sms.PhoneNumber{relaytest.Fallback}
	text := relaytest.Record(1, noon)
	text.Attempts = []ledger.Attempt{{Number: 1, To: way.DestinationCarrier, Outcome: ledger.OutcomeAccepted, Status: sms.StatusFailed}}
	routes := map[sms.PhoneNumber]route.Route{way.TwilioNumber: way}
	for most, want := range map[int]sms.PhoneNumber{0: way.DestinationCarrier, 1: relaytest.Fallback, 2: way.DestinationCarrier} {
		if got := plan.Of(plan.Question{Text: text, Routes: routes, MaxAttempts: most, Now: noon}); got.To != want {
			t.Errorf("with %d attempts at most it goes to %s, want %s", most, string(got.To), string(want))
		}
	}
}

// TestNumbers: each number that may decide is asked about once.
func TestNumbers(t *testing.T) {
	r := ledger.Record{TwilioNumber: "+18585550100", Customer: "+18585550111", Destination: "+18585550122"}
	for name, tt := range map[string]struct {
		edit func(*ledger.Record)
		want []sms.PhoneNumber
	}{
		"all three":         {func(*ledger.Record) {}, []sms.PhoneNumber{"+18585550100", "+18585550111", "+18585550122"}},
		"nobody's":          {func(r *ledger.Record) { r.Customer, r.Destination = "", "" }, []sms.PhoneNumber{"+18585550100"}},
		"to itself by hand": {func(r *ledger.Record) { r.Destination = r.TwilioNumber }, []sms.PhoneNumber{"+18585550100", "+18585550111"}},
		"from itself":       {func(r *ledger.Record) { r.Customer = r.TwilioNumber }, []sms.PhoneNumber{"+18585550100", "+18585550122"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := r
			tt.edit(&text)
			if diff := cmp.Diff(tt.want, plan.Numbers(text)); diff != "" {
				t.Errorf("numbers (-want +got):\n%s", diff)
			}
		})
	}
}

// A text to one phone goes there alone, whatever the route says about others.
func TestWayToOnePhone(t *testing.T) {
	way := relaytest.Route()
	way.TimeZone, way.Closed, way.NightPhones = "UTC", route.ClosedNight, []string{string(stranger)}
	way.Schedule = []route.Shift{{Days: "Mon-Sun", From: "07:00", To: "18:00", Phones: []string{string(relaytest.Fallback)}}}
	text := relaytest.Record(1, noon)
	text.Destination = relaytest.Destination
	got := plan.Way(text, map[sms.PhoneNumber]route.Route{way.TwilioNumber: way}).Receivers()
	if diff := cmp.Diff([]sms.PhoneNumber{relaytest.Destination}, got); diff != "" {
		t.Errorf("it may go to (-want +got):\n%s", diff)
	}
}

// A customer's text is held while nobody is on duty, and ages from the opening. An operator's is not held.
func TestHeldPlan(t *testing.T) {
	way := relaytest.Route()
	way.TimeZone, way.Closed = "UTC", route.ClosedHold
	way.Schedule = []route.Shift{{Days: "Mon-Sun", From: "07:00", To: "11:00", Phones: []string{string(relaytest.Fallback)}}}
	opens := time.Date(noon.Year(), noon.Month(), noon.Day()+1, 7, 0, 0, 0, time.UTC)
	text := relaytest.Record(1, noon)
	of := func(text ledger.Record, now time.Time) plan.Plan {
		return plan.Of(plan.Question{Text: text, Routes: map[sms.PhoneNumber]route.Route{way.TwilioNumber: way}, Now: now})
	}
	if p := of(text, noon.Add(10*time.Hour)); p.Drop != "" || p.To != "" || !p.Holds.Equal(opens) || !p.Next(text, relaytest.Fallback) {
		t.Errorf("while it is closed: %+v", p)
	}
	if p := of(text, opens.Add(time.Hour)); p.To != relaytest.Fallback || !p.Holds.IsZero() || !p.Expires.Equal(opens.Add(way.TextAge())) {
		t.Errorf("an hour after the opening: %+v", p)
	}
	if p := of(text, opens.Add(way.TextAge())); p.Drop != ledger.ReasonExpired {
		t.Errorf("too late after the opening: %+v", p)
	}
	early := relaytest.Record(1, noon.Add(-90*time.Minute))
	if p := of(early, noon.Add(-30*time.Minute)); !p.Holds.Equal(opens) {
		t.Errorf("came while it was open: %+v", p)
	}
	rung := text
	rung.Ring.Phones = []sms.PhoneNumber{relaytest.Fallback}
	second := text.NewSecondPart(ledger.Attempt{To: relaytest.Fallback}, 0, "rest", opens)
	for _, part := range []ledger.Record{rung.ToPhone(0, opens), second} {
		if p := of(part, opens.Add(time.Hour)); p.Drop != "" || !p.Expires.Equal(opens.Add(way.TextAge())) {
			t.Errorf("%s an hour after the opening: %+v", part.MessageSid, p)
		}
	}
	text.Manual = true
	if p := of(text, noon); p.To != way.DestinationCarrier || !p.Holds.IsZero() || !p.Expires.Equal(noon.Add(way.TextAge())) {
		t.Errorf("an operator's text: %+v", p)
	}
	way.Overrides = []route.Override{{Date: noon.Format(time.DateOnly), LastDate: noon.AddDate(0, 0, 20).Format(time.DateOnly)}}
	text.Manual = false
	if p := of(text, noon.Add(route.MaxHold)); p.To != way.DestinationCarrier || !p.Holds.IsZero() {
		t.Errorf("after fourteen days: %+v", p)
	}
}
