package operations

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMoment is the longest moment that people write, in characters.
const maxMoment = 64

// dutyServer returns the methods of a path about who is on duty and what serves it, nil for what is none.
func (h *Handler) dutyServer(path string) (methods string, serve func(context.Context, events.APIGatewayV2HTTPRequest) answer) {
	switch {
	case h.config.Rota == nil:
		return "", nil
	case path == PathDuty:
		return "GET, POST, DELETE", h.duty
	case path == PathOff:
		return "POST, DELETE", h.off
	case path == PathHours:
		return http.MethodPut, h.hours
	default:
		return http.MethodGet, h.where
	}
}

// duty says who is on duty, puts somebody on duty for a time, or ends that.
func (h *Handler) duty(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	switch request.RequestContext.HTTP.Method {
	case http.MethodGet:
		return h.showDuty(ctx, request)
	case http.MethodDelete:
		return h.removeOverride(ctx, request)
	default:
		return h.override(ctx, request)
	}
}

func (h *Handler) showDuty(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, wrong, refusal := parametersOf(request, "number", "from")
	if refusal.problem {
		return refusal
	}
	number := canonicalNumber("number", sms.Typed(query.Get("number")), &wrong)
	if checkMoment("from", query.Get("from"), &wrong); !wrong.none() {
		return wrong.refuse()
	}
	shown, err := h.config.Rota.Show(ctx, number, query.Get("from"))
	if err != nil {
		return noRota(err)
	}
	return answer{status: http.StatusOK, body: shown}
}

// where says where a text would go.
func (h *Handler) where(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, wrong, refusal := parametersOf(request, "number", "customer", "at")
	if refusal.problem {
		return refusal
	}
	q := WhereQuestion{
		TwilioNumber: canonicalNumber("number", sms.Typed(query.Get("number")), &wrong),
		Customer:     canonicalNumber("customer", sms.Typed(query.Get("customer")), &wrong), At: query.Get("at"),
	}
	if checkMoment("at", q.At, &wrong); !wrong.none() {
		return wrong.refuse()
	}
	shown, err := h.config.Rota.Where(ctx, q)
	if err != nil {
		return noRota(err)
	}
	return answer{status: http.StatusOK, body: shown}
}

func (h *Handler) override(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var o OverrideRequest
	places := map[string]any{"phones": &o.Phones, "closed": &o.Closed, "from": &o.From, "until": &o.Until}
	_, wrong, refusal := o.read(request, places)
	if refusal.problem {
		return refusal
	}
	checkMoment("from", o.From, &wrong)
	if checkMoment("until", o.Until, &wrong); o.Until == "" {
		wrong.malform("until", "until: is missing")
	}
	checkPhones("phones", o.Phones, &wrong)
	switch {
	case len(o.Phones) == 0 && !o.Closed:
		wrong.contradict("phones", "phones: name who is on duty, or say closed")
	case len(o.Phones) > 0 && o.Closed:
		wrong.contradict("closed", "closed: nobody is on duty then: leave phones out")
	}
	return h.change(ctx, request, DutyOrder{RouteChange: o.RouteChange, Override: &o}, wrong)
}

func (h *Handler) removeOverride(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, wrong, refusal := parametersOf(request, "number", "override", "version", "dry_run")
	if refusal.problem {
		return refusal
	}
	o := DutyOrder{RouteChange: changeOf(query, &wrong)}
	var err error
	if o.Remove, err = strconv.Atoi(query.Get("override")); err != nil || o.Remove < 1 {
		wrong.malform("override", "override: want the number of an override, from 1")
	}
	return h.change(ctx, request, o, wrong)
}

// off takes a phone off duty for a time, or puts it on again.
func (h *Handler) off(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var o OffRequest
	var wrong findings
	var refusal answer
	if request.RequestContext.HTTP.Method == http.MethodDelete {
		var query url.Values
		if query, wrong, refusal = parametersOf(request, "number", "phone", "version", "dry_run"); refusal.problem {
			return refusal
		}
		o.RouteChange, o.Phone = changeOf(query, &wrong), string(sms.Typed(query.Get("phone")))
	} else {
		if _, wrong, refusal = o.read(request, map[string]any{"phone": &o.Phone, "until": &o.Until}); refusal.problem {
			return refusal
		}
		if checkMoment("until", o.Until, &wrong); o.Until == "" {
			wrong.malform("until", "until: is missing")
		}
	}
	checkPhones("phone", []string{o.Phone}, &wrong)
	return h.change(ctx, request, DutyOrder{RouteChange: o.RouteChange, Off: &o}, wrong)
}

// hours changes the route's phones and hours.
func (h *Handler) hours(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var o HoursRequest
	var order, nightPhones []string
	var schedule []Shift
	var timeZone, closed string
	named, wrong, refusal := o.read(request, map[string]any{
		"order": &order, "schedule": &schedule, "time_zone": &timeZone, "closed": &closed, "night_phones": &nightPhones,
	})
	if refusal.problem {
		return refusal
	}
	set(named, "order", &o.Order, order)
	set(named, "schedule", &o.Schedule, schedule)
	set(named, "time_zone", &o.TimeZone, timeZone)
	set(named, "closed", &o.Closed, closed)
	set(named, "night_phones", &o.NightPhones, nightPhones)
	checkPhones("order", order, &wrong)
	checkPhones("night_phones", nightPhones, &wrong)
	for _, s := range schedule {
		checkPhones("schedule", s.Phones, &wrong)
	}
	if utf8.RuneCountInString(timeZone) > maxMoment {
		wrong.malform("time_zone", "time_zone: want at most %d characters", maxMoment)
	}
	if o.Order == nil && o.Schedule == nil && o.TimeZone == nil && o.Closed == nil && o.NightPhones == nil {
		wrong.contradict("order", "say what is to change: order, schedule, time_zone, closed or night_phones")
	}
	return h.change(ctx, request, DutyOrder{RouteChange: o.RouteChange, Hours: &o}, wrong)
}

// set sets a field that an order names.
func set[T any](named map[string]bool, name string, field **T, value T) {
	if named[name] {
		*field = &value
	}
}

// change does what is ordered, unless something is wrong with the order.
func (h *Handler) change(ctx context.Context, request events.APIGatewayV2HTTPRequest, o DutyOrder, wrong findings) answer {
	if !wrong.none() {
		return wrong.refuse()
	}
	by := h.operator(request)
	if by == "" {
		return unknownOperator()
	}
	changed, err := h.config.Rota.Do(ctx, by, o)
	a := answer{status: http.StatusOK, body: changed}
	if err != nil {
		a = noRota(err)
	}
	a.attrs = []slog.Attr{slog.Any("twilio_number", o.TwilioNumber), slog.Bool("dry_run", o.DryRun)}
	return a
}

func noRota(err error) answer {
	if a, ok := refuseOrder(err); ok {
		return a
	}
	return refuse(http.StatusServiceUnavailable, "the routes cannot be read or written at the moment").because(err)
}

// read reads an order with its further fields.
func (c *RouteChange) read(request events.APIGatewayV2HTTPRequest, further map[string]any) (
	named map[string]bool, wrong findings, refusal answer,
) {
	var version int64
	fields := []string{"twilio_number", "version", "dry_run"}
	places := map[string]any{"twilio_number": &c.TwilioNumber, "version": &version, "dry_run": &c.DryRun}
	for name, place := range further {
		fields, places[name] = append(fields, name), place
	}
	slices.Sort(fields)
	named, refusal, refused := readBody(request, fields, places, &wrong)
	if refused {
		return nil, wrong, refusal
	}
	c.TwilioNumber = canonicalNumber("twilio_number", c.TwilioNumber, &wrong)
	if named["version"] {
		c.Version = &version
		if version < 0 {
			wrong.malform("version", "version: want 0 or more")
		}
	}
	return named, wrong, answer{}
}

// changeOf reads the parameters that all orders have.
func changeOf(query url.Values, wrong *findings) RouteChange {
	c := RouteChange{TwilioNumber: canonicalNumber("number", sms.Typed(query.Get("number")), wrong), DryRun: query.Get("dry_run") == "true"}
	if query.Has("version") {
		version, err := strconv.ParseInt(query.Get("version"), 10, 64)
		if c.Version = &version; err != nil || version < 0 {
			wrong.malform("version", "version: want a number, 0 or more")
		}
	}
	if dry := query.Get("dry_run"); query.Has("dry_run") && dry != "true" && dry != "false" {
		wrong.malform("dry_run", "dry_run: want true or false")
	}
	return c
}

// parametersOf reads a query with these parameters.
func parametersOf(request events.APIGatewayV2HTTPRequest, names ...string) (query url.Values, wrong findings, refusal answer) {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return nil, wrong, refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	checkNames(query, names, &wrong)
	return query, wrong, answer{}
}

func checkMoment(name, text string, wrong *findings) {
	if utf8.RuneCountInString(text) > maxMoment {
		wrong.malform(name, "%s: want at most %d characters, such as 18:00, Sat 22:30, 2026-12-24 18:00 or 2h", name, maxMoment)
	}
}

// checkPhones checks the names or numbers of phones.
func checkPhones(name string, phones []string, wrong *findings) {
	for _, phone := range phones {
		if phone == "" || utf8.RuneCountInString(phone) > maxFrom {
			wrong.malform(name, "%s: want names or numbers of phones, of 1 to %d characters", name, maxFrom)
		}
	}
}
