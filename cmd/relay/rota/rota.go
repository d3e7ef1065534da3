// Package rota is what relay duty, relay explain route, the console and the HTTP API say of who is on duty, and do about it: the week of a
// number, where a text would go, and changes of overrides, hours and phones. Who may do what is decided elsewhere, and who is on duty by
// shared/route, as for the sender.
package rota

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Book has the routes of a relay. It is an [operations.Rota].
type Book struct {
	Routes route.Table
	// Records and Conversations are what the sender goes by besides.
	Records       delivery.Records
	Conversations conversation.Store
	Now           func() time.Time
}

// Show says who is on duty in the seven days from a moment on.
func (b Book) Show(ctx context.Context, number sms.PhoneNumber, from string) (operations.Duty, error) {
	all, _, err := route.Readable(b.Routes.List(ctx))
	if err != nil {
		return operations.Duty{}, err
	}
	way, err := routeOf(all, number)
	if err != nil {
		return operations.Duty{}, err
	}
	at, err := b.momentOf(way, "from", from)
	if err != nil {
		return operations.Duty{}, err
	}
	return dutyOf(way, all, at), nil
}

// routeOf returns the route of the number. The error is an [operations.OrderError] if it has none.
func routeOf(all []route.Route, number sms.PhoneNumber) (route.Route, error) {
	way, found := routing.Get(all, number)
	if !found || way.IsRemoved() {
		return way, noRoute(number)
	}
	return way, nil
}

func noRoute(number sms.PhoneNumber) error {
	return operations.OrderError{Status: http.StatusNotFound, Detail: string(number) + " has no route"}
}

// momentOf reads a moment by the clocks of a route. The error is an [operations.OrderError] that names the field.
func (b Book) momentOf(way route.Route, field, text string) (time.Time, error) {
	place, err := way.Place()
	if err != nil {
		return time.Time{}, fmt.Errorf("the time zone of %s: %w", string(way.TwilioNumber), err)
	}
	at, err := cli.ReadAhead(text, b.Now().In(place))
	if err != nil {
		return time.Time{}, wrong(field, err)
	}
	return at.In(place), nil
}

func wrong(field string, err error) error {
	return operations.OrderError{Status: http.StatusUnprocessableEntity, Field: field, Detail: err.Error()}
}

// dutyOf returns who is on duty for a route, which is one of all.
func dutyOf(way route.Route, all []route.Route, at time.Time) operations.Duty {
	d := operations.Duty{
		Week: WeekOf(way, at), Active: way.Active, Version: way.Version, LastUpdated: way.LastUpdated, UpdatedBy: way.UpdatedBy,
		Order: phonesOf(way, way.Hops()), Phones: phonesOf(way, way.AllPhones()), Schedule: operations.ShiftsOf(way.Schedule),
		Closed: string(way.Closed), NightPhones: way.NightPhones, Findings: []operations.Finding{},
	}
	for _, f := range routing.Check(all) {
		if f.Number == way.TwilioNumber {
			d.Findings = append(d.Findings, operations.Finding{Severity: string(f.Severity), What: f.What, Hint: f.Hint})
		}
	}
	return d
}

func phonesOf(way route.Route, numbers []sms.PhoneNumber) []operations.DutyPhone {
	phones := []operations.DutyPhone{}
	for _, number := range numbers {
		phones = append(phones, operations.DutyPhone{Name: way.NameOf(number), Number: number})
	}
	return phones
}

// maxSpans bounds what is listed of a week.
const maxSpans = 500

// WeekOf returns the seven days from at on.
func WeekOf(way route.Route, at time.Time) operations.Week {
	week := operations.Week{
		TwilioNumber: way.TwilioNumber, TimeZone: at.Location().String(), Scheduled: way.IsScheduled(),
		Spans: []operations.DutySpan{}, Overrides: []operations.DutyOverride{}, Off: []operations.DutyOff{},
	}
	for from, end := at, at.AddDate(0, 0, 7); from.Before(end) && len(week.Spans) < maxSpans; {
		d := way.DutyAt(from)
		span := operations.DutySpan{
			From: from, Open: d.IsOpen, Held: way.HoldsAt(from), Now: len(week.Spans) == 0, Phones: phonesOf(way, d.Phones),
		}
		if !d.Until.IsZero() {
			span.To = d.Until.In(at.Location())
		}
		week.Spans = append(week.Spans, span)
		if from = span.To; from.IsZero() {
			break
		}
	}
	for i, o := range way.Overrides {
		from, to := way.SpanOf(o)
		week.Overrides = append(week.Overrides, operations.DutyOverride{
			Index: i + 1, From: from.In(at.Location()), To: to.In(at.Location()), Phones: append([]string{}, o.Phones...),
		})
	}
	for _, o := range way.StillOff(way.Off, at) {
		week.Off = append(week.Off, OffOf(way, o, at.Location()))
	}
	return week
}

// OffOf returns a phone that is off as people are shown it, by the clocks of a place.
func OffOf(way route.Route, o route.Off, place *time.Location) operations.DutyOff {
	shown := operations.DutyOff{Name: way.NameOf(o.Phone), Number: o.Phone}
	if !o.Until.IsZero() {
		shown.Until = o.Until.In(place)
	}
	return shown
}
