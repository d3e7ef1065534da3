package delivery

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// plan is what is to become of a text: sent to a hop, or dropped for a reason.
type plan struct {
	drop ledger.Reason
	hop  int
	to   sms.PhoneNumber
}

// plan looks up what decides about the text and decides. Because a drop is for good, it is not decided on what was
// remembered: a route that was put or switched on a moment ago counts.
func (h *Handler) plan(ctx context.Context, envelope queue.Envelope) (plan, error) {
	p, err := h.planOnce(ctx, envelope)
	if err != nil || (p.drop != ledger.ReasonNoRoute && p.drop != ledger.ReasonInactive) {
		return p, err
	}
	h.Routes.Forget(envelope.Message.To)
	return h.planOnce(ctx, envelope)
}

// planOnce asks about both numbers in one question.
func (h *Handler) planOnce(ctx context.Context, envelope queue.Envelope) (plan, error) {
	m := envelope.Message
	numbers := []sms.PhoneNumber{m.To}
	for _, other := range []sms.PhoneNumber{m.From, envelope.Destination} {
		if other != "" && other != m.To {
			numbers = append(numbers, other)
		}
	}
	routes, err := h.Routes.Lookup(ctx, numbers...)
	if err != nil {
		return plan{}, err
	}
	if envelope.Kind == queue.KindManual {
		return planManual(envelope, routes), nil
	}
	return planInbound(*m, routes), nil
}

// planInbound decides about a customer's text. A text from one of the route's own hops, or from a number that is
// itself routed, would come back for ever.
func planInbound(m sms.Message, routes map[sms.PhoneNumber]route.Route) plan {
	if reason := keyword(m.OptOutType); reason != "" {
		return plan{drop: reason}
	}
	_, fromRouted := routes[m.From]
	r, ok := routes[m.To]
	if m.From == m.To || fromRouted || (ok && r.Has(m.From)) {
		return plan{drop: ledger.ReasonLoop}
	}
	return planRoute(r, ok)
}

// planManual decides about an operator's text. One that names its destination needs no route.
func planManual(envelope queue.Envelope, routes map[sms.PhoneNumber]route.Route) plan {
	to := envelope.Destination
	r, ok := routes[envelope.Message.To]
	if _, routed := routes[to]; routed || to == envelope.Message.To {
		return plan{drop: ledger.ReasonLoop}
	}
	if to != "" {
		return plan{to: to}
	}
	return planRoute(r, ok)
}

// planRoute follows the route, if there is one.
func planRoute(r route.Route, ok bool) plan {
	switch {
	case !ok:
		return plan{drop: ledger.ReasonNoRoute}
	case !r.Active:
		return plan{drop: ledger.ReasonInactive}
	default:
		return plan{to: r.DestinationCarrier}
	}
}

// keyword names the reason for which a text that Twilio's Advanced Opt-Out has acted on goes no further: Twilio has
// answered it already. A text that merely holds such a word is relayed: "Yes" may be what the business waits for.
func keyword(optOutType string) ledger.Reason {
	switch optOutType {
	case "":
		return ""
	case "STOP":
		return ledger.ReasonOptOut
	default:
		return ledger.ReasonKeyword
	}
}
