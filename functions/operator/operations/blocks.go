package operations

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// BlockList is one page of customers who are blocked, in the order of their numbers.
type BlockList struct {
	Blocks []contact.ShownBlock `json:"blocks"`
	// NextCursor continues the list; absent at its end.
	NextCursor string `json:"next_cursor,omitempty"`
}

// BlockRequest asks that no text of a customer goes to a phone.
type BlockRequest struct {
	// TwilioNumber is the number that the customer texts, Customer the customer, both in E.164. The number has a route.
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	// DryRun asks what would be done, and changes nothing.
	DryRun bool `json:"dry_run"`
}

// blocks lists who is blocked, says whether one customer is, blocks one, or lets the texts through again.
func (h *Handler) blocks(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	switch request.RequestContext.HTTP.Method {
	case http.MethodPut:
		return h.block(ctx, request)
	case http.MethodDelete:
		return h.unblock(ctx, request)
	default:
		return h.listBlocks(ctx, request)
	}
}

func (h *Handler) listBlocks(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"number", "customer", "limit", "cursor"}, &wrong)
	number, limit := readContactNumber(query, "number", &wrong), readLimit(query, defaultLimit, &wrong)
	if query.Has("customer") {
		customer := readOneCustomer(query, &wrong, "limit", "cursor")
		if !wrong.none() {
			return wrong.refuse()
		}
		c, err := h.config.Conversations.Get(ctx, number, customer)
		if err != nil {
			return noConversations(err)
		}
		return answer{status: http.StatusOK, body: contact.ShowBlock(c)}
	}
	if !wrong.none() {
		return wrong.refuse()
	}
	found, more, err := contact.ListBlocked(ctx, h.config.Conversations, number, sms.PhoneNumber(query.Get("cursor")), limit)
	if err != nil {
		return noConversations(err)
	}
	list := BlockList{Blocks: make([]contact.ShownBlock, len(found))}
	for i, c := range found {
		list.Blocks[i] = contact.ShowBlock(c)
	}
	if more {
		list.NextCursor = string(found[len(found)-1].Customer)
	}
	return answer{status: http.StatusOK, body: list}
}

// readOneCustomer reads the customer that a request is about, which none of the other parameters goes with.
func readOneCustomer(query url.Values, wrong *findings, others ...string) sms.PhoneNumber {
	for _, name := range others {
		if query.Has(name) {
			wrong.contradict(name, "%s: customer names one customer: leave this parameter out", name)
		}
	}
	return readContactNumber(query, "customer", wrong)
}

func (h *Handler) block(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var wanted BlockRequest
	var wrong findings
	_, refusal, refused := readBody(request, []string{"twilio_number", "customer", "dry_run"}, map[string]any{
		"twilio_number": &wanted.TwilioNumber, "customer": &wanted.Customer, "dry_run": &wanted.DryRun,
	}, &wrong)
	if refused {
		return refusal
	}
	wanted.TwilioNumber = canonicalNumber("twilio_number", wanted.TwilioNumber, &wrong)
	wanted.Customer = canonicalNumber("customer", wanted.Customer, &wrong)
	if !wrong.none() {
		return wrong.refuse()
	}
	way, refusal := h.routeOf(ctx, wanted.TwilioNumber)
	if refusal.problem {
		return refusal
	}
	if way.IsPhone(wanted.Customer) {
		wrong.contradict("customer", "customer: %s is a phone of %s, and no customer", string(wanted.Customer), string(wanted.TwilioNumber))
		return wrong.refuse()
	}
	return h.changeBlock(ctx, request, wanted, true)
}

func (h *Handler) unblock(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"number", "customer"}, &wrong)
	wanted := BlockRequest{
		TwilioNumber: readContactNumber(query, "number", &wrong), Customer: readContactNumber(query, "customer", &wrong),
	}
	if !wrong.none() {
		return wrong.refuse()
	}
	return h.changeBlock(ctx, request, wanted, false)
}

// changeBlock blocks a customer or lets the texts through again, or answers what would be done.
func (h *Handler) changeBlock(ctx context.Context, request events.APIGatewayV2HTTPRequest, wanted BlockRequest, isBlocked bool) answer {
	b := contact.Blocking{Store: h.config.Conversations, By: h.operator(request), Now: h.config.Now}
	c, err := h.config.Conversations.Get(ctx, wanted.TwilioNumber, wanted.Customer)
	if err != nil {
		return noConversations(err)
	}
	step := b.StepTo(c, isBlocked)
	if !wanted.DryRun {
		if step, err = b.Apply(ctx, wanted.TwilioNumber, wanted.Customer, isBlocked); err != nil {
			return noConversations(err)
		}
	}
	a := answer{status: http.StatusOK, body: step.ShowBlock(wanted.DryRun)}
	a.attrs = []slog.Attr{
		slog.Any("twilio_number", wanted.TwilioNumber), slog.Any("customer", wanted.Customer), slog.String("change", string(step.Change)),
		slog.Bool("dry_run", wanted.DryRun),
	}
	return a
}

func noConversations(err error) answer {
	return refuse(http.StatusServiceUnavailable, "what is kept of customers cannot be read or written at the moment").because(err)
}
