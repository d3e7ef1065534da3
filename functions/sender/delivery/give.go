package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// giving is an operator's order that a phone has a customer, as /mine and /give of phones say it. It may come again, and changes nothing
// then.
type giving struct {
	h     *Handler
	order queue.Give
	act   conversation.Act
	key   customerKey
	to    sms.PhoneNumber
	way   route.Route
}

// give does what an operator says about who has a customer. Who it was that said so is on record already, see [conversation.DeedGive].
func (h *Handler) give(ctx context.Context, e queue.Envelope) verdict {
	g := giving{
		h: h, order: *e.Give, act: conversation.Act{Phone: e.Give.From, MessageSid: e.RelayID, At: e.ReceivedAt},
		key: customerKey{e.Message.To, e.Message.From}, to: e.Destination,
	}
	isGiven, err := g.carryOut(ctx)
	attrs := []slog.Attr{slog.String("message_sid", e.RelayID), slog.Any("customer", g.key.customer), slog.Bool("given", isGiven)}
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "customer not given to a phone", append(attrs, slog.String("error", err.Error()))...)
		return h.later(e.ReceivedAt, err)
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "order who has a customer", attrs...)
	return done()
}

// carryOut gives the customer to the phone, if nobody else was quicker, and tells those whom it concerns.
func (g *giving) carryOut(ctx context.Context) (isGiven bool, err error) {
	routes, err := g.h.config.Routes.Lookup(ctx, g.key.number.Spellings()...)
	g.way, _ = route.Find(routes, g.key.number)
	by := plan.ClaimingOf(g.way, g.h.config.Now())
	if err != nil || !g.way.KeepsClaims() || !by.Rota.Has(g.to) {
		return false, err
	}
	var before conversation.Conversation
	stored, isChanged, err := g.h.changeConversation(ctx, g.key, func(s conversation.Conversation) (conversation.Conversation, bool) {
		before = s
		if s.Claim.MessageSid != g.act.MessageSid && !sms.Same(s.Claimer(by, g.h.config.Now()), g.order.From) {
			isGiven = false
			return s, false
		}
		given, isNew, ok := s.Give(g.act, g.to, by, g.h.config.Now())
		isGiven = ok
		given, isPostponed := given.Postpone(g.act, time.Duration(g.way.AnswerTimeout))
		return given, isNew || ok && isPostponed
	})
	if err != nil || !isGiven {
		return false, err
	}
	if isChanged && g.order.From == "" {
		g.h.measureWait(before, stored)
	}
	if err := g.tell(ctx, stored); err != nil {
		return true, err
	}
	return true, g.h.tellClaim(ctx, stored, g.way, g.order.From)
}

// tell sends the phone the customer's newest text, unless it was sent that one, and says who it is.
func (g *giving) tell(ctx context.Context, stored conversation.Conversation) error {
	phone, err := g.h.config.Conversations.GetPhone(ctx, conversation.PhoneKey{TwilioNumber: g.key.number, Phone: g.to})
	if err != nil {
		return err
	}
	newest := stored.Spell.NewestSid
	wasSent := func(s conversation.Sent) bool { return ledger.ParentOf(s.MessageSid) == newest }
	if stored.IsOpen() && !slices.ContainsFunc(phone.Sent, wasSent) {
		r, err := g.h.config.Ledger.Get(ctx, newest)
		if err == nil {
			err = g.h.sendAgain(ctx, r, ledger.GivenSid(ledger.ParentOf(newest), g.act.MessageSid), g.to, 1)
		}
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	who := conversation.ShortName(stored.Name, stored.Customer)
	told := conversation.Command{Verb: conversation.VerbGive, Tag: stored.Tag}.Told("the office gave you " + who + ".")
	if g.order.Mine {
		told = conversation.Command{Verb: conversation.VerbMine, Tag: stored.Tag}.Told("you have " + who + ".")
	}
	return g.h.notify(ctx, phone.PhoneKey, g.act.MessageSid+".given", told)
}
