package operations_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// rota keeps what it is asked, and nothing else.
type rota struct {
	operations.DutyOrder
	operations.WhereQuestion

	number   sms.PhoneNumber
	from, by string
	err      error
}

func (r *rota) duty() operations.Duty {
	return operations.Duty{
		Week: operations.Week{
			TwilioNumber: business, TimeZone: "UTC", Spans: []operations.DutySpan{{From: noon, Phones: []operations.DutyPhone{{Number: business}}}},
			Overrides: []operations.DutyOverride{}, Off: []operations.DutyOff{},
		},
		Version: 3, LastUpdated: noon, Order: []operations.DutyPhone{}, Phones: []operations.DutyPhone{}, Schedule: []operations.Shift{},
		Findings: []operations.Finding{{Severity: "warning", What: "it is inactive", Hint: "switch it on"}},
	}
}

func (r *rota) Show(_ context.Context, number sms.PhoneNumber, from string) (operations.Duty, error) {
	r.number, r.from = number, from
	return r.duty(), r.err
}

func (r *rota) Do(_ context.Context, by string, o operations.DutyOrder) (operations.DutyChange, error) {
	r.DutyOrder, r.by = o, by
	return operations.DutyChange{
		Action: "changed", Differences: []operations.Difference{{Field: "Off"}}, Duty: r.duty(), DryRun: o.DryRun,
	}, r.err
}

func (r *rota) Where(_ context.Context, q operations.WhereQuestion) (operations.Where, error) {
	r.WhereQuestion = q
	return operations.Where{At: noon, Phones: []operations.WherePhone{}, ExpiresAt: noon.Add(time.Hour)}, r.err
}

const business = sms.PhoneNumber("+18585550100")

// dutyAsked are requests that are as they should be, by what they ask.
func dutyAsked() map[string]events.APIGatewayV2HTTPRequest {
	return map[string]events.APIGatewayV2HTTPRequest{
		"show": request(http.MethodGet, operations.PathDuty, "number=%2B18585550100&from=Sat+08:00", ""),
		"override": request(http.MethodPost, operations.PathDuty, "",
			`{"twilio_number":"+18585550100","phones":["Bo","+16195550124"],"until":"18:00","version":3,"dry_run":true}`),
		"close": request(http.MethodPost, operations.PathDuty, "",
			`{"twilio_number":"+18585550100","closed":true,"from":"Sat 08:00","until":"2h"}`),
		"remove": request(http.MethodDelete, operations.PathDuty, "number=+18585550100&override=2&version=3&dry_run=true", ""),
		"off":    request(http.MethodPost, operations.PathOff, "", `{"twilio_number":"+18585550100","phone":"Bo","until":"2h"}`),
		"on":     request(http.MethodDelete, operations.PathOff, "number=%2B18585550100&phone=%2B16195550124", ""),
		"hours": request(http.MethodPut, operations.PathHours, "",
			`{"twilio_number":"+18585550100","order":["Bo"],"time_zone":"UTC","closed":"",`+
				`"schedule":[{"days":"Mon-Fri","from":"07:00","to":"18:00","phones":["Bo"]}],"night_phones":[],"version":0}`),
		"where": request(http.MethodGet, operations.PathWhere, "number=%2B18585550100&customer=%2B13125550147&at=Sat+22:30", ""),
	}
}

// TestDuty: each request is one order in the name of whoever asks, with all that it says; without a rota there is no such path.
func TestDuty(t *testing.T) {
	s, kept := newStage(), &rota{}
	for name, r := range dutyAsked() {
		if a := s.ask(t, r); a.status != http.StatusNotFound {
			t.Errorf("%s without a rota: status %d", name, a.status)
		}
	}
	s.Rota = kept
	asked := func(name string) operations.DutyOrder {
		t.Helper()
		*kept = rota{}
		if a := s.ask(t, dutyAsked()[name]); a.status != http.StatusOK {
			t.Errorf("%s: status %d %s", name, a.status, a.body)
		}
		if isChange := name != "show" && name != "where"; isChange && (kept.by != caller || kept.DutyOrder.TwilioNumber != business) {
			t.Errorf("%s: the order is %+v of %q", name, kept.DutyOrder, kept.by)
		}
		return kept.DutyOrder
	}
	if asked("show"); kept.number != business || kept.from != "Sat 08:00" {
		t.Errorf("shown is %s from %q", kept.number, kept.from)
	}
	if o := asked("override"); !o.DryRun || o.Version == nil || *o.Version != 3 || o.Override == nil || len(o.Override.Phones) != 2 ||
		o.Override.Until != "18:00" {
		t.Errorf("the override is %+v", o)
	}
	if o := asked("close"); o.DryRun || o.Version != nil || !o.Override.Closed || o.Override.From != "Sat 08:00" {
		t.Errorf("the override is %+v", o.Override)
	}
	if o := asked("remove"); !o.DryRun || *o.Version != 3 || o.Remove != 2 {
		t.Errorf("the removal is %+v", o)
	}
	if o := asked("off"); o.Off.Phone != "Bo" || o.Off.Until != "2h" {
		t.Errorf("off is %+v", o.Off)
	}
	if o := asked("on"); o.Off.Phone != "+16195550124" || o.Off.Until != "" {
		t.Errorf("on is %+v", o.Off)
	}
	if o := asked("hours"); *o.Version != 0 || len(*o.Hours.Schedule) != 1 || (*o.Hours.Order)[0] != "Bo" || *o.Hours.Closed != "" ||
		len(*o.Hours.NightPhones) != 0 || *o.Hours.TimeZone != "UTC" {
		t.Errorf("the hours are %+v", o.Hours)
	}
	if asked("where"); kept.Customer != "+13125550147" || kept.At != "Sat 22:30" {
		t.Errorf("the question is %+v", kept.WhereQuestion)
	}
}

// TestWrongDuty: what is wrong with a request is said of each field, and what speaks against an order has its own status.
func TestWrongDuty(t *testing.T) {
	s, kept := newStage(), &rota{}
	s.Rota = kept
	const of = `{"twilio_number":"+18585550100"`
	for _, wrong := range []struct {
		method, path, query, body string
		status                    int
		says                      string
	}{
		{http.MethodGet, operations.PathDuty, "number=8585550100", "", 400, "number: want E.164"},
		{http.MethodGet, operations.PathDuty, "number=%2B18585550100&at=now", "", 400, `unknown parameter "at"`},
		{http.MethodPost, operations.PathDuty, "", of + `,"phones":["Bo"]}`, 400, "until: is missing"},
		{http.MethodPost, operations.PathDuty, "", of + `,"phones":[""],"until":"2h"}`, 400, "1 to 64 characters"},
		{http.MethodPost, operations.PathDuty, "", of + `,"phones":"Bo","until":"2h"}`, 400, "an array of strings"},
		{http.MethodPost, operations.PathDuty, "", of + `,"until":"2h"}`, 422, "name who is on duty"},
		{http.MethodPost, operations.PathDuty, "", of + `,"phones":["Bo"],"closed":true,"until":"2h"}`, 422, "leave phones out"},
		{http.MethodPost, operations.PathDuty, "", of + `,"closed":true,"until":"2h","version":-1}`, 400, "0 or more"},
		{http.MethodPost, operations.PathDuty, "", of + `,"closed":true,"until":"2h","version":"3"}`, 400, "a whole number"},
		{http.MethodDelete, operations.PathDuty, "number=%2B18585550100&override=0", "", 400, "from 1"},
		{http.MethodDelete, operations.PathDuty, "number=%2B18585550100&override=1&dry_run=yes", "", 400, "true or false"},
		{http.MethodPost, operations.PathOff, "", of + `,"phone":"Bo"}`, 400, "until: is missing"},
		{http.MethodDelete, operations.PathOff, "number=%2B18585550100", "", 400, "phone: want"},
		{http.MethodPut, operations.PathHours, "", of + `}`, 422, "say what is to change"},
		{http.MethodPut, operations.PathHours, "", of + `,"schedule":[7]}`, 400, "objects with days"},
		{http.MethodPut, operations.PathHours, "", of + `,"order":null}`, 400, "not a JSON null"},
		{http.MethodGet, operations.PathWhere, "number=%2B18585550100", "", 400, "customer: want E.164"},
	} {
		s.ask(t, request(wrong.method, wrong.path, wrong.query, wrong.body)).wantProblem(t, wrong.status, wrong.says)
	}
	if kept.by != "" {
		t.Errorf("an order was given: %+v", kept.DutyOrder)
	}
	kept.err = operations.OrderError{Status: http.StatusConflict, Detail: "bo changed the route"}
	s.ask(t, dutyAsked()["override"]).wantProblem(t, http.StatusConflict, "bo changed the route")
	kept.err = operations.OrderError{Field: "from", Detail: "is no time"}
	s.ask(t, dutyAsked()["show"]).wantProblem(t, http.StatusUnprocessableEntity, "from: is no time")
	kept.err = errors.New("the disk is away")
	s.ask(t, dutyAsked()["where"]).wantProblem(t, http.StatusServiceUnavailable)
}
