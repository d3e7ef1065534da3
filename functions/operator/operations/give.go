package operations

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// GiveRequest asks that a phone has a customer from now on, as /mine and /give of phones do.
type GiveRequest struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	// Phone is the phone of the route, by its name or its number. It is on duty.
	Phone string `json:"phone"`
	// From is the phone that has the customer, as whoever asks has seen it; left out if none has. If another one has by now, nothing is done.
	From sms.PhoneNumber `json:"from,omitempty"`
	// Mine: the phone is that of whoever asks, and is told so.
	Mine bool `json:"mine"`
	// DryRun asks whether it could be done, and does nothing.
	DryRun bool `json:"dry_run,omitempty"`
	// IdempotencyKey makes a repeat of the request harmless.
	IdempotencyKey string `json:"idempotency_key,omitempty"`
}

// How long, and how often, it is looked whether the sender has carried out an order.
const (
	giveLooks = 30
	givePause = 100 * time.Millisecond
)

// give puts the order on the queue, and waits a moment until the sender has carried it out: that one decides, because a phone may be
// quicker.
func (h *Handler) give(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var wanted GiveRequest
	named, refusal := readCustomer(request, &wanted.TwilioNumber, &wanted.Customer, map[string]any{
		"phone": &wanted.Phone, "from": &wanted.From, "mine": &wanted.Mine, "idempotency_key": &wanted.IdempotencyKey,
		"dry_run": &wanted.DryRun,
	})
	if refusal.problem {
		return refusal
	}
	var wrong findings
	if wanted.check(&wrong, named); !wrong.none() {
		return wrong.refuse()
	}
	by := h.operator(request)
	if by == "" {
		return unknownOperator()
	}
	g := giving{h: h, wanted: wanted, by: by, id: h.config.NewID()}
	if wanted.IdempotencyKey != "" {
		g.id = idOf("give\x00" + wanted.IdempotencyKey)
	}
	a := g.carryOut(ctx)
	a.attrs = []slog.Attr{
		slog.String("message_sid", g.id), slog.Any("twilio_number", wanted.TwilioNumber), slog.Any("customer", wanted.Customer),
		slog.Any("destination", g.to),
	}
	return a
}

func (r *GiveRequest) check(wrong *findings, named map[string]bool) {
	if r.Phone == "" || utf8.RuneCountInString(r.Phone) > maxFrom {
		wrong.malform("phone", "phone: want the name or the number of a phone of the route, 1 to %d characters", maxFrom)
	}
	if named["from"] {
		r.From = canonicalNumber("from", r.From, wrong)
	}
	if named["idempotency_key"] && (r.IdempotencyKey == "" || utf8.RuneCountInString(r.IdempotencyKey) > maxKey) {
		wrong.malform("idempotency_key", "idempotency_key: want 1 to %d characters, or leave it out", maxKey)
	}
}

// giving is an order that is being given.
type giving struct {
	h      *Handler
	wanted GiveRequest
	by, id string
	way    route.Route
	to     sms.PhoneNumber
}

func (g *giving) carryOut(ctx context.Context) (refusal answer) {
	if g.way, refusal = g.h.routeOf(ctx, g.wanted.TwilioNumber); refusal.problem {
		return refusal
	}
	var ok bool
	g.to, ok = g.way.Resolve(g.wanted.Phone)
	if !ok {
		g.to = sms.Typed(g.wanted.Phone)
	}
	if !g.way.IsPhone(g.to) {
		var wrong findings
		wrong.contradict("phone", "phone: %q is no phone of %s", g.wanted.Phone, string(g.wanted.TwilioNumber))
		return wrong.refuse()
	}
	g.to = g.way.PhoneOf(g.to)
	c, err := g.h.config.Conversations.Get(ctx, g.wanted.TwilioNumber, g.wanted.Customer)
	by := plan.ClaimingOf(g.way, g.h.config.Now())
	switch {
	case err != nil:
		return noConversations(err)
	case c.Version == 0:
		return unknownCustomer(g.wanted.TwilioNumber, g.wanted.Customer)
	case c.Claim.MessageSid == g.id:
		return g.h.shown(ctx, http.StatusOK, c)
	case !g.way.KeepsClaims():
		return refuse(http.StatusConflict, string(g.wanted.TwilioNumber)+" does not keep who has a customer: its route has no AnswerTimeout, "+
			"no ClaimTime and no named phones")
	case !by.Rota.Has(g.to):
		return refuse(http.StatusConflict, g.nameOf(g.to)+" is not on duty")
	}
	switch claimer := c.Claimer(by, g.h.config.Now()); {
	case sms.Same(claimer, g.to):
		return g.h.shown(ctx, http.StatusOK, c)
	case !sms.Same(claimer, g.wanted.From):
		return g.tooLate(claimer)
	}
	if g.wanted.DryRun {
		return g.h.shown(ctx, http.StatusOK, c)
	}
	if refusal = g.order(ctx); refusal.problem {
		return refusal
	}
	return g.await(ctx, c, by)
}

func (g *giving) nameOf(phone sms.PhoneNumber) string {
	return cmp.Or(g.way.NameOf(phone), string(phone))
}

// tooLate says who has the customer, other than whoever asked has seen.
func (g *giving) tooLate(claimer sms.PhoneNumber) answer {
	if claimer == "" {
		return refuse(http.StatusConflict, "nobody has the customer any more")
	}
	return refuse(http.StatusConflict, g.nameOf(claimer)+" has the customer")
}

// order puts on record who gives the order, and then the order on the queue.
func (g *giving) order(ctx context.Context) answer {
	now := g.h.config.Now().UTC()
	key := conversation.PhoneKey{TwilioNumber: g.wanted.TwilioNumber, Phone: g.to}
	action := conversation.NewAction(conversation.DeedGive, key, g.wanted.Customer, g.by, now).With(g.id)
	if err := g.h.config.Conversations.PutAction(ctx, action); err != nil {
		return noConversations(err)
	}
	outgoing, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindGive, RelayID: g.id, ReceivedAt: now,
		Message:     &sms.Message{Sid: g.id, From: g.wanted.Customer, To: g.wanted.TwilioNumber},
		Destination: g.to, Give: &queue.Give{From: g.wanted.From, Mine: g.wanted.Mine},
	}.Outgoing()
	if err != nil {
		return refuse(http.StatusInternalServerError, "").because(err)
	}
	if err := g.h.config.Queue.Send(ctx, outgoing); err != nil {
		return refuse(http.StatusServiceUnavailable, "the queue did not take it: send the same request again").because(err)
	}
	return answer{}
}

// await looks for a moment what the sender makes of the order.
func (g *giving) await(ctx context.Context, c conversation.Conversation, by conversation.Claiming) answer {
	for range giveLooks {
		if g.h.config.Wait == nil || ctx.Err() != nil {
			break
		}
		g.h.config.Wait(ctx, givePause)
		now, err := g.h.config.Conversations.Get(ctx, g.wanted.TwilioNumber, g.wanted.Customer)
		if err != nil {
			return noConversations(errors.Join(errors.New("the order is on the queue"), err))
		}
		c = now
		switch claimer := c.Claimer(by, g.h.config.Now()); {
		case sms.Same(claimer, g.to):
			return g.h.shown(ctx, http.StatusOK, c)
		case !sms.Same(claimer, g.wanted.From):
			return g.tooLate(claimer)
		}
	}
	return g.h.shown(ctx, http.StatusAccepted, c)
}
