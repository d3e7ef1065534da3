package operations

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// maxContacts is how many customers a page holds at the most.
	maxContacts = 100
	// maxName is the longest name that is read, in characters. A kept one is shorter, see [sms.FoldName].
	maxName = 255
)

// ContactList is one page of customers who have a name, in the order of their numbers.
type ContactList struct {
	Contacts []contact.Shown `json:"contacts"`
	// NextCursor continues the list; absent at its end.
	NextCursor string `json:"next_cursor,omitempty"`
}

// ContactRequest asks for a name of a customer.
type ContactRequest struct {
	// TwilioNumber is the number that the customer texts, Customer the customer, both in E.164. The number has a route.
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	// Name is the name, 1 to 255 characters. What is kept of it has the letters of a short text message.
	Name string `json:"name"`
	// DryRun asks what would be done, and changes nothing.
	DryRun bool `json:"dry_run"`
}

// contactFields are the fields of a ContactRequest.
func contactFields() []string { return []string{"twilio_number", "customer", "name", "dry_run"} }

// contacts lists customers' names, shows one, gives one or takes one away.
func (h *Handler) contacts(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	switch request.RequestContext.HTTP.Method {
	case http.MethodPut:
		return h.setContact(ctx, request)
	case http.MethodDelete:
		return h.removeContact(ctx, request)
	default:
		return h.listContacts(ctx, request)
	}
}

func (h *Handler) listContacts(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"number", "customer", "limit", "cursor"}, &wrong)
	number := readContactNumber(query, "number", &wrong)
	if query.Has("customer") {
		for _, name := range []string{"limit", "cursor"} {
			if query.Has(name) {
				wrong.contradict(name, "%s: customer names one customer: leave the other parameters out", name)
			}
		}
		customer := readContactNumber(query, "customer", &wrong)
		if !wrong.none() {
			return wrong.refuse()
		}
		return h.contact(ctx, number, customer)
	}
	limit := readLimit(query, defaultLimit, &wrong)
	if !wrong.none() {
		return wrong.refuse()
	}
	found, more, err := contact.List(ctx, h.config.Conversations, number, sms.PhoneNumber(query.Get("cursor")), limit)
	if err != nil {
		return noContacts(err)
	}
	list := ContactList{Contacts: make([]contact.Shown, len(found))}
	for i, c := range found {
		list.Contacts[i] = contact.Show(c)
	}
	if more {
		list.NextCursor = string(found[len(found)-1].Customer)
	}
	return answer{status: http.StatusOK, body: list}
}

// readLimit reads how much a list is to have at the most.
func readLimit(query url.Values, usual int, wrong *findings) int {
	text := query.Get("limit")
	if text == "" {
		return usual
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxContacts {
		wrong.malform("limit", "limit: want a number from 1 to %d", maxContacts)
	}
	return limit
}

// readContactNumber reads a parameter that is a phone number.
func readContactNumber(query url.Values, name string, wrong *findings) sms.PhoneNumber {
	number := sms.Typed(query.Get(name))
	if number == "" {
		wrong.malform(name, "%s: is missing", name)
		return ""
	}
	return canonicalNumber(name, number, wrong)
}

// canonicalNumber returns a number in the one form in which it is kept, and adds what is wrong with it.
func canonicalNumber(name string, number sms.PhoneNumber, wrong *findings) sms.PhoneNumber {
	if !number.IsE164() {
		wrong.malform(name, "%s: want E.164, such as +13125550147", name)
		return number
	}
	canonical, ok := number.Canonical()
	if !ok {
		problem, _ := canonical.Problem()
		wrong.contradict(name, "%s: %q %s", name, string(canonical), problem)
	}
	return canonical
}

// contact answers one customer's name.
func (h *Handler) contact(ctx context.Context, number, customer sms.PhoneNumber) answer {
	c, err := h.config.Conversations.Get(ctx, number, customer)
	switch {
	case err != nil:
		return noContacts(err)
	case c.Name == "":
		return refuse(http.StatusNotFound, string(customer)+" "+contact.ErrNoName.Error())
	default:
		return answer{status: http.StatusOK, body: contact.Show(c)}
	}
}

func noContacts(err error) answer {
	return refuse(http.StatusServiceUnavailable, "the names cannot be read or written at the moment").because(err)
}

func (h *Handler) setContact(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var wanted ContactRequest
	var wrong findings
	_, refusal, refused := readBody(request, contactFields(), map[string]any{
		"twilio_number": &wanted.TwilioNumber, "customer": &wanted.Customer, "name": &wanted.Name, "dry_run": &wanted.DryRun,
	}, &wrong)
	if refused {
		return refusal
	}
	number := canonicalNumber("twilio_number", wanted.TwilioNumber, &wrong)
	customer := canonicalNumber("customer", wanted.Customer, &wrong)
	if wanted.Name == "" || utf8.RuneCountInString(wanted.Name) > maxName {
		wrong.malform("name", "name: want 1 to %d characters", maxName)
	}
	name, err := contact.Fold(wanted.Name)
	if err != nil {
		wrong.contradict("name", "name: %v", err)
	}
	if !wrong.none() {
		return wrong.refuse()
	}
	if _, refusal := h.routeOf(ctx, number); refusal.problem {
		return refusal
	}
	return h.changeContact(ctx, request, contact.Wanted{Number: number, Customer: customer, Name: name}, wanted.DryRun)
}

// routeOf returns the route of one of the business's numbers.
func (h *Handler) routeOf(ctx context.Context, number sms.PhoneNumber) (way route.Route, refusal answer) {
	routes, err := h.config.Routes.Lookup(ctx, number.Spellings()...)
	if err != nil {
		return way, refuse(http.StatusServiceUnavailable, "the routes cannot be read at the moment").because(err)
	}
	way, isRouted := route.Find(routes, number)
	if !isRouted {
		return way, refuse(http.StatusConflict, string(number)+" has no route (no_route): it is none of your numbers")
	}
	return way, answer{}
}

func (h *Handler) removeContact(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"number", "customer"}, &wrong)
	wanted := contact.Wanted{
		Number: readContactNumber(query, "number", &wrong), Customer: readContactNumber(query, "customer", &wrong),
	}
	if !wrong.none() {
		return wrong.refuse()
	}
	return h.changeContact(ctx, request, wanted, false)
}

// changeContact changes a name, or answers what would be done.
func (h *Handler) changeContact(ctx context.Context, request events.APIGatewayV2HTTPRequest, wanted contact.Wanted, isPlan bool) answer {
	n := contact.Naming{Store: h.config.Conversations, By: h.operator(request), Now: h.config.Now}
	step, err := n.Plan(ctx, wanted)
	if err != nil {
		return noContacts(err)
	}
	switch err := step.Check(); {
	case errors.Is(err, contact.ErrNoName):
		return refuse(http.StatusNotFound, err.Error())
	case err != nil:
		return refuse(http.StatusUnprocessableEntity, err.Error())
	}
	if !isPlan {
		if step, err = n.Apply(ctx, wanted); err != nil {
			return noContacts(err)
		}
	}
	a := answer{status: http.StatusOK, body: step.Show(isPlan)}
	a.attrs = []slog.Attr{
		slog.Any("twilio_number", wanted.Number), slog.Any("customer", wanted.Customer), slog.String("change", string(step.Change)),
		slog.Bool("dry_run", isPlan),
	}
	return a
}
