package operations

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// defaultTexts is how many texts one customer is shown with.
const defaultTexts = 10

// kept is what is kept of customers.
func (h *Handler) kept() conversations.Relay {
	return conversations.Relay{Routes: h.config.Routes, Ledger: h.config.Records, Conversations: h.config.Conversations, Now: h.config.Now}
}

// conversations lists the customers of a number, or shows one with the last texts: at [PathWords] with what they say.
func (h *Handler) conversations(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	isWords := request.RawPath == PathWords
	names := []string{"number", "customer", "limit", "cursor", "open", "only"}
	if isWords {
		names = names[:3]
	}
	checkNames(query, names, &wrong)
	number := readContactNumber(query, "number", &wrong)
	if query.Has("customer") || isWords {
		customer, limit := readOneCustomer(query, &wrong, "cursor", "open", "only"), readLimit(query, defaultTexts, &wrong)
		if !wrong.none() {
			return wrong.refuse()
		}
		reader := ""
		if isWords {
			if reader = h.operator(request); reader == "" {
				return unknownOperator()
			}
		}
		return h.customer(ctx, number, customer, conversations.Wanted{Texts: limit, Reader: reader})
	}
	limit, isOpen, only := readLimit(query, defaultLimit, &wrong), false, conversations.Only(query.Get("only"))
	if text := query.Get("open"); text != "" {
		if isOpen, err = strconv.ParseBool(text); err != nil || text != strconv.FormatBool(isOpen) {
			wrong.malform("open", "open: want true or false")
		}
	}
	switch {
	case query.Has("only") && (only == "" || !only.IsKnown()):
		wrong.malform("only", "only: want unanswered, free or held")
	case only != "" && !isOpen:
		wrong.contradict("only", "only: is a choice among those who wait: add open=true")
	}
	if !wrong.none() {
		return wrong.refuse()
	}
	if isOpen {
		return h.waiting(ctx, number, only, query.Get("cursor"), limit)
	}
	return h.customers(ctx, number, sms.PhoneNumber(query.Get("cursor")), limit)
}

// customer shows one customer.
func (h *Handler) customer(ctx context.Context, number, customer sms.PhoneNumber, w conversations.Wanted) answer {
	c, err := h.config.Conversations.Get(ctx, number, customer)
	if err != nil {
		return noConversations(err)
	}
	all, err := h.kept().Detail(ctx, c, w)
	switch {
	case err != nil:
		return noConversations(err)
	case c.Version == 0 && len(all.Phones)+len(all.Texts) == 0:
		return unknownCustomer(number, customer)
	}
	return answer{status: http.StatusOK, body: all}
}

func unknownCustomer(number, customer sms.PhoneNumber) answer {
	return refuse(http.StatusNotFound, "nothing is kept of "+string(customer)+" at "+string(number))
}

// waiting lists who waits for an answer, in the order of [conversations.Urgency].
func (h *Handler) waiting(ctx context.Context, number sms.PhoneNumber, only conversations.Only, after string, limit int) answer {
	all, err := h.kept().Waiting(ctx, number)
	if err != nil {
		return noConversations(err)
	}
	var list conversations.List
	list.Conversations, list.NextCursor = conversations.PageOf(all, only.Takes, after, limit)
	return answer{status: http.StatusOK, body: list}
}

// customers lists all customers of a number, in the order of their numbers.
func (h *Handler) customers(ctx context.Context, number, after sms.PhoneNumber, limit int) answer {
	around, err := h.kept().Look(ctx, number)
	if err != nil {
		return noConversations(err)
	}
	list := conversations.List{Conversations: []conversations.Shown{}}
	err = conversation.Each(ctx, h.config.Conversations, number, after, func(c conversation.Conversation) bool {
		if len(list.Conversations) == limit {
			list.NextCursor = string(list.Conversations[limit-1].Customer)
			return false
		}
		list.Conversations = append(list.Conversations, around.Show(c))
		return true
	})
	if err != nil {
		return noConversations(err)
	}
	return answer{status: http.StatusOK, body: list}
}

// shown answers with a customer as he is now.
func (h *Handler) shown(ctx context.Context, status int, c conversation.Conversation) answer {
	around, err := h.kept().Look(ctx, c.TwilioNumber, c)
	if err != nil {
		return noConversations(err)
	}
	return answer{status: status, body: around.Show(c)}
}

// DoneRequest says that nothing more is to be done for a customer who waits.
type DoneRequest struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	// NewestSid is the newest text that the customer waits with, as whoever asks has seen it; without one, it is the newest there is.
	NewestSid string `json:"newest_sid,omitempty"`
}

// done ends the waiting of a customer whom somebody has seen to.
func (h *Handler) done(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var wanted DoneRequest
	named, refusal := readCustomer(request, &wanted.TwilioNumber, &wanted.Customer, map[string]any{"newest_sid": &wanted.NewestSid})
	if refusal.problem {
		return refusal
	}
	by := h.operator(request)
	if by == "" {
		return unknownOperator()
	}
	c, err := h.config.Conversations.Get(ctx, wanted.TwilioNumber, wanted.Customer)
	switch {
	case err != nil:
		return noConversations(err)
	case c.Version == 0:
		return unknownCustomer(wanted.TwilioNumber, wanted.Customer)
	}
	if !named["newest_sid"] {
		wanted.NewestSid = c.Spell.NewestSid
	}
	c, err = h.kept().Finish(ctx, c.TwilioNumber, c.Customer, wanted.NewestSid, by)
	switch {
	case errors.Is(err, conversations.ErrNewerText):
		return refuse(http.StatusConflict, "the customer wrote again meanwhile: look at that text first")
	case err != nil:
		return noConversations(err)
	}
	a := h.shown(ctx, http.StatusOK, c)
	a.attrs = []slog.Attr{slog.Any("twilio_number", wanted.TwilioNumber), slog.Any("customer", wanted.Customer)}
	return a
}

// readCustomer reads a request about one customer, with its further fields.
func readCustomer(request events.APIGatewayV2HTTPRequest, number, customer *sms.PhoneNumber, further map[string]any) (
	named map[string]bool, refusal answer,
) {
	var wrong findings
	fields := []string{"twilio_number", "customer"}
	places := map[string]any{"twilio_number": number, "customer": customer}
	for name, place := range further {
		fields, places[name] = append(fields, name), place
	}
	slices.Sort(fields)
	named, refusal, refused := readBody(request, fields, places, &wrong)
	if refused {
		return nil, refusal
	}
	*number, *customer = canonicalNumber("twilio_number", *number, &wrong), canonicalNumber("customer", *customer, &wrong)
	if !wrong.none() {
		return nil, wrong.refuse()
	}
	return named, answer{}
}

// ResumeRequest asks that texts go on that wait because so many went back and forth.
type ResumeRequest struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	// DryRun asks what would be done, and changes nothing.
	DryRun bool `json:"dry_run"`
}

// resume lets the texts between a customer and the phones go on.
func (h *Handler) resume(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var wanted ResumeRequest
	_, refusal := readCustomer(request, &wanted.TwilioNumber, &wanted.Customer, map[string]any{"dry_run": &wanted.DryRun})
	if refusal.problem {
		return refusal
	}
	by := h.operator(request)
	if by == "" {
		return unknownOperator()
	}
	waiting, shown, err := h.kept().Paused(ctx, wanted.TwilioNumber, wanted.Customer)
	if err == nil && !wanted.DryRun {
		err = h.kept().Resume(ctx, waiting, wanted.Customer, by)
	}
	if err != nil {
		return noConversations(err)
	}
	shown.DryRun = wanted.DryRun
	return answer{status: http.StatusOK, body: shown}
}
