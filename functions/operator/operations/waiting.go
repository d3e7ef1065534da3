package operations

import (
	"context"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
)

// conversationOf says where the conversation of a text is; it is zero if nothing is kept of that.
func (h *Handler) conversationOf(ctx context.Context, r ledger.Record) (conversations.Standing, error) {
	customer := r.Customer
	if r.Manual {
		customer = r.Destination
	}
	if r.Notice || customer == "" {
		return conversations.Standing{}, nil
	}
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(r)...)
	way, _ := route.Find(routes, r.TwilioNumber)
	if err != nil || !way.KeepsClaims() && !r.IsClosed() {
		return conversations.Standing{}, err
	}
	c, err := h.config.Conversations.Get(ctx, r.TwilioNumber, customer)
	if err != nil {
		return conversations.Standing{}, err
	}
	return conversations.StandingOf(c, way, h.config.Now()), nil
}
