package console

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// What was done about duty.
const (
	dutyChanged   done = "duty-changed"
	dutyUnchanged done = "duty-unchanged"
)

const (
	pathDuty         = Path + "/duty"
	pathDutyOverride = pathDuty + "/override"
	pathDutyRemove   = pathDuty + "/override/remove"
	pathDutyOff      = pathDuty + "/off"
	pathDutyOn       = pathDuty + "/on"
	pathDutyOrder    = pathDuty + "/order"
	pathDutyHours    = pathDuty + "/hours"
)

// dutyForm is what a form asks of the API.
type dutyForm func(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error)

// dutyPages are the page of the duty, and its forms.
func (c *Console) dutyPages() map[string]page {
	return map[string]page{
		"GET " + pathDuty:          {signin.Viewer, c.duty},
		"POST " + pathDutyOverride: {signin.Dispatcher, c.changeDuty(overrideForm)},
		"POST " + pathDutyRemove:   {signin.Dispatcher, c.changeDuty(removeForm)},
		"POST " + pathDutyOff:      {signin.Dispatcher, c.changeDuty(offForm)},
		"POST " + pathDutyOn:       {signin.Dispatcher, c.changeDuty(onForm)},
		"POST " + pathDutyOrder:    {signin.Owner, c.changeDuty(orderForm)},
		"POST " + pathDutyHours:    {signin.Owner, c.changeDuty(hoursForm)},
	}
}

func chosen(form url.Values, name string) []string {
	return slices.DeleteFunc(slices.Clone(form[name]), func(s string) bool { return s == "" })
}

func overrideForm(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error) {
	return http.MethodPost, operations.PathDuty, operations.OverrideRequest{
		RouteChange: o, Phones: chosen(form, "phone"), Closed: form.Get("closed") != "", From: form.Get("from"), Until: form.Get("until"),
	}, nil, nil
}

func removeForm(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error) {
	return http.MethodDelete, operations.PathDuty, nil, changeQuery(o, "override", form.Get("override")), nil
}

func offForm(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error) {
	wanted := operations.OffRequest{RouteChange: o, Phone: form.Get("phone"), Until: form.Get("until")}
	return http.MethodPost, operations.PathOff, wanted, nil, nil
}

func onForm(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error) {
	return http.MethodDelete, operations.PathOff, nil, changeQuery(o, "phone", form.Get("phone")), nil
}

func orderForm(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error) {
	order := append([]string{}, chosen(form, "phone")...)
	return http.MethodPut, operations.PathHours, operations.HoursRequest{RouteChange: o, Order: &order}, nil, nil
}

func hoursForm(form url.Values, o operations.RouteChange) (method, path string, body any, query url.Values, err error) {
	schedule, err := rota.ReadLines(form.Get("schedule"))
	if err != nil {
		return "", "", nil, nil, webfiles.Refuse(http.StatusUnprocessableEntity, cli.Sentence(err.Error()))
	}
	night := append([]string{}, chosen(form, "night")...)
	wanted := operations.HoursRequest{RouteChange: o, Schedule: &schedule, Closed: new(form.Get("closed")), NightPhones: &night}
	if zone := strings.TrimSpace(form.Get("zone")); zone != form.Get("zone-was") {
		wanted.TimeZone = &zone
	}
	return http.MethodPut, operations.PathHours, wanted, nil, nil
}

// changeQuery is a change as a query.
func changeQuery(o operations.RouteChange, name, value string) url.Values {
	query := queryOf(map[string]string{"number": string(o.TwilioNumber), name: value, "dry_run": strconv.FormatBool(o.DryRun)})
	if o.Version != nil {
		query.Set("version", strconv.FormatInt(*o.Version, 10))
	}
	return query
}

// ask has the API change the duty, or say what would change.
func (f dutyForm) ask(v *visit, o operations.RouteChange) (done operations.DutyChange, err error) {
	method, path, body, query, err := f(v.R.PostForm, o)
	if err != nil {
		return done, err
	}
	request := events.APIGatewayV2HTTPRequest{RawPath: path, RawQueryString: query.Encode()}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return done, err
		}
		request.Body = string(text)
	}
	_, err = v.api().ask(method, request, &done)
	return done, err
}

// proposal is a change that is not in force yet.
type proposal struct {
	operations.DutyChange

	// Path is the form's, and Fields are what it has.
	Path   string
	Fields url.Values
	// Theirs: somebody changed the route after the person had looked. Seen are the fields as the person saw them then, if that is known.
	Theirs bool
	Seen   map[string]string
	Now    onDuty
	Then   onDuty
	// Found are the findings that the change brings.
	Found []operations.Finding
}

// changeDuty shows what a form would change. Once that was confirmed it changes it, if the route is still as it was shown.
func (c *Console) changeDuty(f dutyForm) func(v *visit) error {
	return func(v *visit) error {
		form := v.R.PostForm
		o := operations.RouteChange{TwilioNumber: sms.PhoneNumber(form.Get("number")), DryRun: form.Get("sure") != "yes"}
		if version, err := strconv.ParseInt(form.Get("version"), 10, 64); err == nil {
			o.Version = &version
		}
		change, err := f.ask(v, o)
		refused, isRefusal := errors.AsType[webfiles.RefusalError](err)
		isTheirs := false
		if isRefusal && refused.Status == http.StatusConflict && o.Version != nil {
			// Is it the version that speaks against the change, or something else?
			change, err = f.ask(v, operations.RouteChange{TwilioNumber: o.TwilioNumber, DryRun: true})
			refused, isRefusal = errors.AsType[webfiles.RefusalError](err)
			isTheirs = err == nil
		}
		switch {
		case isRefusal && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusNotFound:
			return c.showDuty(v, refused.Status, url.Values{"number": form["number"]},
				onDuty{Refused: refused.Words, Draft: form, Kind: v.R.URL.Path})
		case err != nil:
			return err
		case o.DryRun || isTheirs:
			return c.propose(v, change, isTheirs)
		}
		what := dutyChanged
		if change.Action == "unchanged" {
			what = dutyUnchanged
		}
		v.GoTo(dutyPath(o.TwilioNumber, "did", string(what)))
		return nil
	}
}

// propose shows what would change.
func (c *Console) propose(v *visit, change operations.DutyChange, isTheirs bool) error {
	now, err := c.API.Rota.Show(v.R.Context(), change.Duty.TwilioNumber, "")
	if err != nil {
		return asRefusal(err)
	}
	p := proposal{
		DutyChange: change, Path: v.R.URL.Path, Fields: maps.Clone(v.R.PostForm), Theirs: isTheirs, Seen: map[string]string{},
		Now:  onDuty{Duty: now, Picture: pictureOf(now.Week, c.Now())},
		Then: onDuty{Duty: change.Duty, Picture: pictureOf(change.Duty.Week, c.Now())},
	}
	for _, name := range []string{formField, "version", "sure", "seen"} {
		p.Fields.Del(name)
	}
	if seen := v.R.PostForm.Get("seen"); isTheirs && seen != "" {
		if json.Unmarshal([]byte(seen), &p.Seen) != nil {
			p.Seen = nil
		}
	}
	for _, found := range change.Duty.Findings {
		if !slices.Contains(now.Findings, found) {
			p.Found = append(p.Found, found)
		}
	}
	status := http.StatusOK
	if isTheirs {
		status = http.StatusConflict
	}
	return v.Show(status, proposalPage(v.frame("Change who is on duty?"), p))
}

// asSeen are the fields as they are shown, for the form that confirms the change.
func (p proposal) asSeen() string {
	seen := map[string]string{}
	for _, d := range p.Differences {
		seen[d.Field] = d.From
	}
	text, _ := json.Marshal(seen) // texts can always be written.
	return string(text)
}

// asRefusal says in words what the API's functions refuse.
func asRefusal(err error) error {
	if refused, ok := errors.AsType[operations.OrderError](err); ok {
		return webfiles.Refuse(refused.Status, cli.Sentence(refused.Detail))
	}
	return err
}
