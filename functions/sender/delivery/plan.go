package delivery

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/plan"
)

// plan reads the routes and opt-outs of the text and decides where it goes. A drop is final, so it is never decided from remembered
// routes: a route that was added, switched on or changed a moment ago counts.
func (h *Handler) plan(ctx context.Context, j *job) (plan.Plan, error) {
	p, err := h.planOnce(ctx, j)
	if err != nil || p.Drop == "" && p.To != "" {
		return p, err
	}
	h.config.Routes.Forget(plan.Numbers(j.text)...)
	return h.planOnce(ctx, j)
}

// planOnce looks all numbers up in one call.
func (h *Handler) planOnce(ctx context.Context, j *job) (plan.Plan, error) {
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(j.text)...)
	if err != nil {
		return plan.Plan{}, err
	}
	optedOut, err := h.isOptedOut(ctx, j.text)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Of(plan.Question{
		Text: j.text, OptOutType: j.optOutType, OptedOut: optedOut, Routes: routes, PaceNumber: h.config.PaceNumber,
		MaxAttempts: h.config.Policy.MaxAttempts, Now: h.config.Now(),
	}), nil
}
