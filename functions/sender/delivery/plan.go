package delivery

import (
	"context"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// plan is what is to become of a text now: dropped for a reason, or sent to a hop.
type plan struct {
	// drop is the reason against it, if there is one.
	drop ledger.Reason
	// mark, if set, says that the sender of the text, a hop of the route, has opted out or in again.
	mark *bool
	// open are the phones that may be tried, in order.
	open []sms.PhoneNumber
	// to is the next of them, hop its place in the route; empty if none is left. marked: it is marked as opted out.
	to     sms.PhoneNumber
	hop    int
	marked bool
	// deliveryTimeout is how long to wait for a receipt before the hop after that one; 0 is for ever.
	deliveryTimeout time.Duration
	// expires is when the text is too old to be sent, validity how long that is from now.
	expires  time.Time
	validity time.Duration
	// pace limits the Twilio number's segments.
	pace pace.Limit
}

// next reports whether the text could go on to another phone than from.
func (p plan) next(r ledger.Record, from sms.PhoneNumber) bool {
	return slices.ContainsFunc(p.open, func(hop sms.PhoneNumber) bool { return hop != from && r.HopOpen(hop) })
}

// plan looks up what decides about the text and decides. Because a drop is for good, it is not decided on what was
// remembered: a route that was put, switched on or changed a moment ago counts.
func (h *Handler) plan(ctx context.Context, j *job) (plan, error) {
	p, err := h.planOnce(ctx, j)
	if err != nil || (p.drop == "" && p.to != "") {
		return p, err
	}
	h.Routes.Forget(numbersOf(j.text)...)
	return h.planOnce(ctx, j)
}

// planOnce asks about all numbers in one question.
func (h *Handler) planOnce(ctx context.Context, j *job) (plan, error) {
	r := j.text
	routes, err := h.Routes.Lookup(ctx, numbersOf(r)...)
	if err != nil {
		return plan{}, err
	}
	p := against(r, routes, j.optOutType)
	if p.drop != "" {
		return p, nil
	}
	way := routes[r.TwilioNumber]
	if r.Manual && r.Destination != "" {
		// An operator's own choice of a phone: the route's settings hold, its hops and their marks do not.
		way.DestinationCarrier, way.FallbackCarriers, way.OptedOut = r.Destination, nil, nil
	}
	p = h.along(p, r, way)
	return p, nil
}

// numbersOf returns the numbers whose routes decide about a text.
func numbersOf(r ledger.Record) []sms.PhoneNumber {
	numbers := []sms.PhoneNumber{r.TwilioNumber}
	for _, other := range []sms.PhoneNumber{r.Customer, r.Destination} {
		if other != "" && other != r.TwilioNumber {
			numbers = append(numbers, other)
		}
	}
	return numbers
}

// along picks the hop and takes the route's settings over.
func (h *Handler) along(p plan, r ledger.Record, way route.Route) plan {
	now := h.Now()
	p.expires = r.DueSince().Add(way.TextAge())
	p.validity = p.expires.Sub(now)
	if p.validity <= 0 {
		p.drop = ledger.ReasonExpired
	}
	p.open = way.Open()
	for _, hop := range p.open {
		if r.HopOpen(hop) {
			p.to, p.hop, p.marked = hop, slices.Index(way.Hops(), hop), way.IsOptedOut(hop)
			break
		}
	}
	p.deliveryTimeout = time.Duration(way.DeliveryTimeout)
	p.pace = h.PaceNumber
	if way.PaceNumber != "" {
		if limit, err := pace.Parse(way.PaceNumber); err == nil {
			// A route that cannot be parsed is refused when it is read; this is no place to find out.
			p.pace = limit
		}
	}
	return p
}

// against finds what speaks against relaying a text.
func against(r ledger.Record, routes map[sms.PhoneNumber]route.Route, optOutType string) plan {
	way, ok := routes[r.TwilioNumber]
	switch {
	case r.Manual:
		return againstManual(r, routes)
	case keyword(optOutType) != "" && (!ok || !way.Has(r.Customer)):
		return plan{drop: keyword(optOutType)}
	case ok && way.Has(r.Customer):
		// A text from one of the route's own hops would come back for ever. Its STOP and START are heeded.
		return plan{drop: ledger.ReasonLoop, mark: markOf(r.Body, optOutType)}
	case r.Customer == r.TwilioNumber, isRouted(routes, r.Customer):
		return plan{drop: ledger.ReasonLoop}
	case !ok:
		return plan{drop: ledger.ReasonNoRoute}
	case !way.Active:
		return plan{drop: ledger.ReasonInactive}
	}
	return plan{}
}

// againstManual finds what speaks against an operator's text. One that names its destination needs no route.
func againstManual(r ledger.Record, routes map[sms.PhoneNumber]route.Route) plan {
	way, ok := routes[r.TwilioNumber]
	switch {
	case r.Destination != "" && (r.Destination == r.TwilioNumber || isRouted(routes, r.Destination)):
		return plan{drop: ledger.ReasonLoop}
	case r.Destination != "":
		return plan{}
	case !ok:
		return plan{drop: ledger.ReasonNoRoute}
	case !way.Active:
		return plan{drop: ledger.ReasonInactive}
	}
	return plan{}
}

func isRouted(routes map[sms.PhoneNumber]route.Route, number sms.PhoneNumber) bool {
	_, routed := routes[number]
	return routed
}

// markOf returns what a hop's own text says of its mark, nil for nothing. Twilio's word comes first; it has one only for
// numbers of a Messaging Service with Advanced Opt-Out.
func markOf(body, optOutType string) *bool {
	word := optOutType
	if word == "" {
		word = sms.OptOutType(body)
	}
	switch word {
	case sms.OptOutStop:
		return new(true)
	case sms.OptOutStart:
		return new(false)
	default:
		return nil
	}
}

// keyword names the reason for which a text that Twilio's Advanced Opt-Out has acted on goes no further: Twilio has
// answered it already. A text that merely holds such a word is relayed: "Yes" may be what the business waits for.
func keyword(optOutType string) ledger.Reason {
	switch optOutType {
	case "":
		return ""
	case sms.OptOutStop:
		return ledger.ReasonOptOut
	default:
		return ledger.ReasonKeyword
	}
}
