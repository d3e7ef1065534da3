package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// onDuty is the page of a number's duty.
type onDuty struct {
	operations.Duty

	// Numbers are links to the pages of the numbers, if there are several.
	Numbers []place
	Picture picture
	// Earlier and Later are the pages of the weeks before and after; empty without one.
	Earlier, Later string
	// Customer and At are what was asked about a text, and Where is the answer.
	Customer, At string
	Where        []string
	Did, Refused string
	// Draft is the form that was refused, and Kind which one it is.
	Draft url.Values
	Kind  string
}

// IsOwner reports whether a person may change phones and hours.
func (f frame) IsOwner() bool { return f.Person.Role.Includes(signin.Owner) }

// dutyPath is the page of a number's duty, with one more parameter unless its value is empty.
func dutyPath(number sms.PhoneNumber, name, value string) string {
	return pathDuty + "?" + queryOf(map[string]string{"number": string(number), name: value}).Encode()
}

// duty shows who is on duty, and where a text would go that a customer sent.
func (c *Console) duty(v *visit) error {
	return c.showDuty(v, http.StatusOK, v.R.URL.Query(), onDuty{Did: done(v.R.URL.Query().Get("did")).words()})
}

func (c *Console) showDuty(v *visit, status int, asked url.Values, d onDuty) error {
	ctx := v.R.Context()
	routes, _, err := route.Readable(c.Relay.Routes.List(ctx))
	if err != nil {
		return err
	}
	var numbers []sms.PhoneNumber
	for _, r := range routing.Visible(routes) {
		numbers = append(numbers, r.TwilioNumber)
	}
	slices.Sort(numbers)
	if len(numbers) == 0 {
		return v.Show(status, noDutyPage(v.frame("Who is on duty?")))
	}
	number := sms.PhoneNumber(cmp.Or(asked.Get("number"), string(numbers[0])))
	for _, n := range numbers {
		if len(numbers) > 1 {
			d.Numbers = append(d.Numbers, place{string(n), dutyPath(n, "", ""), n == number})
		}
	}
	if d.Duty, err = c.API.Rota.Show(ctx, number, weekFrom(asked)); err != nil {
		return asRefusal(err)
	}
	d.Customer, d.At = asked.Get("customer"), asked.Get("at")
	if d.Customer != "" {
		if status, err = c.foresee(v, &d, status); err != nil {
			return err
		}
	}
	d.Picture = pictureOf(d.Week, c.Now())
	d.turn(number, c.Now())
	return v.Show(status, dutyPage(v.frame("Who is on duty?"), d))
}

// weekFrom is the day from which on the week is shown; empty is now.
func weekFrom(asked url.Values) string {
	from := asked.Get("from")
	if _, err := time.Parse(time.DateOnly, from); err != nil {
		return ""
	}
	return from
}

// turn makes the links to other weeks.
func (d *onDuty) turn(number sms.PhoneNumber, now time.Time) {
	start := d.Picture.Start
	d.Later = dutyPath(number, "from", start.AddDate(0, 0, 7).Format(time.DateOnly))
	if before := start.AddDate(0, 0, -7); d.Picture.NowAt < 0 && before.After(now) {
		d.Earlier = dutyPath(number, "from", before.Format(time.DateOnly))
	} else if start.After(now) {
		d.Earlier = dutyPath(number, "", "")
	}
}

// foresee asks where the text would go.
func (c *Console) foresee(v *visit, d *onDuty, status int) (int, error) {
	var where operations.Where
	asked := queryOf(map[string]string{"number": string(d.TwilioNumber), "customer": d.Customer, "at": d.At})
	err := v.api().get(operations.PathWhere, asked, &where)
	if refused, ok := errors.AsType[webfiles.RefusalError](err); ok && refused.Status < http.StatusInternalServerError {
		d.Refused = refused.Words
		return refused.Status, nil
	}
	d.Where = rota.Sentences(where)
	return status, err
}

// queryOf is a query of these parameters, without those that are empty.
func queryOf(parameters map[string]string) url.Values {
	values := url.Values{}
	for name, text := range parameters {
		if text = strings.TrimSpace(text); text != "" {
			values.Set(name, text)
		}
	}
	return values
}

// moment writes a moment by the clocks of the route.
func (d onDuty) moment(at time.Time) string { return at.Format("Mon 2 Jan 15:04") }

// until says until when something is so; empty if it does not end.
func until(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return "until " + at.Format("Mon 2 Jan 15:04")
}

// whoOf names a phone.
func whoOf(p operations.DutyPhone) string { return cmp.Or(p.Name, string(p.Number)) }

// whosOf names the phones of a span in their order, or says that nobody gets the texts.
func whosOf(s operations.DutySpan) string {
	var names []string
	for _, p := range s.Phones {
		names = append(names, whoOf(p))
	}
	who := strings.Join(names, ", ")
	switch {
	case s.Held:
		return "Nobody: texts are held"
	case who == "":
		return "Nobody"
	case !s.Open:
		return "Nobody: texts go to " + who
	default:
		return who
	}
}

// value is what a field of a form has: what was refused, or else how it is now.
func (d onDuty) value(kind, name, now string) string {
	if d.Kind == kind {
		return d.Draft.Get(name)
	}
	return now
}

// values are what fields of the same name have, and one more that is empty.
func (d onDuty) values(kind, name string, now []string) []string {
	if d.Kind == kind {
		now = slices.DeleteFunc(slices.Clone(d.Draft[name]), func(s string) bool { return s == "" })
	}
	return append(slices.Clone(now), "")
}

// orderNow names the phones in their order.
func (d onDuty) orderNow() (names []string) {
	for _, p := range d.Order {
		names = append(names, whoOf(p))
	}
	return names
}

// hasPhone reports whether one of the phones to choose from is called so.
func (d onDuty) hasPhone(who string) bool {
	return slices.ContainsFunc(d.Phones, func(p operations.DutyPhone) bool { return whoOf(p) == who || string(p.Number) == who })
}

// closedChoice is one way to deal with texts while nobody is on duty.
type closedChoice struct{ Value, Label string }

// closedChoices are the ways; what the route says, if anything, for the default stays as it is.
func (d onDuty) closedChoices() []closedChoice {
	byDefault := ""
	if d.Closed == string(route.ClosedRelay) {
		byDefault = d.Closed
	}
	return []closedChoice{
		{byDefault, "go to the phones of the route"},
		{string(route.ClosedNight), "go to the night phones"},
		{string(route.ClosedHold), "are held until somebody is on duty"},
	}
}

// fieldWords says what a field of a route is.
func fieldWords(field string) string {
	switch field {
	case "DestinationCarrier":
		return "First phone"
	case "FallbackCarriers":
		return "Further phones"
	case "Overrides":
		return "For a time"
	case "Off":
		return "Off duty"
	case "Schedule":
		return "Hours"
	case "Closed":
		return "While nobody is on duty"
	case "NightPhones":
		return "Night phones"
	case "TimeZone":
		return "Clocks"
	default:
		return field
	}
}

func orNone(text string) string { return cmp.Or(text, "nothing") }
