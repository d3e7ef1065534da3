package delivery

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// plan reads the routes and opt-outs of the text and decides where it goes. A drop is final, so it is never decided from remembered
// routes: a route that was added, switched on or changed a moment ago counts.
func (h *Handler) plan(ctx context.Context, j *job) (plan.Plan, error) {
	began := h.config.Now()
	p, err := h.planOnce(ctx, j)
	if err != nil || p.Drop == "" && p.To != "" {
		return p, err
	}
	h.config.Routes.ForgetBefore(began, plan.Numbers(j.text)...)
	return h.planOnce(ctx, j)
}

// planOnce looks all numbers up in one call.
func (h *Handler) planOnce(ctx context.Context, j *job) (plan.Plan, error) {
	text, routes, err := routesOf(ctx, h.config.Routes, j.text)
	if err != nil {
		return plan.Plan{}, err
	}
	j.text = text
	j.way, _ = route.Find(routes, text.TwilioNumber)
	optedOut, err := h.isOptedOut(ctx, j.text)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Of(plan.Question{
		Text: j.text, OptOutType: j.optOutType, OptedOut: optedOut, Routes: routes, PaceNumber: h.config.PaceNumber,
		First: j.first, MaxAttempts: h.config.Policy.MaxAttempts, Now: h.config.Now(),
	}), nil
}

// Book looks up the routes of numbers, and the route of a thread.
type Book interface {
	route.Lookup
	// WithThread returns the route that has the number among its Threads.
	WithThread(ctx context.Context, number sms.PhoneNumber) (r route.Route, ok bool, err error)
}

// routesOf returns the routes that decide about a text. A new one that came in at a thread of a route, a further number of it, is
// returned as a text of that route.
func routesOf(ctx context.Context, book Book, r ledger.Record) (ledger.Record, map[sms.PhoneNumber]route.Route, error) {
	routes, err := book.Lookup(ctx, plan.Numbers(r)...)
	if err != nil || r.Version > 0 || r.Manual || r.TwilioNumber == "" {
		return r, routes, err
	}
	if way, ok := route.Find(routes, r.TwilioNumber); ok && !way.IsRemoved() {
		return r, routes, nil
	}
	way, found, err := book.WithThread(ctx, r.TwilioNumber)
	if err != nil || !found {
		return r, routes, err
	}
	r.TwilioNumber, r.Thread = way.TwilioNumber, r.TwilioNumber
	routes, err = book.Lookup(ctx, plan.Numbers(r)...)
	return r, routes, err
}
