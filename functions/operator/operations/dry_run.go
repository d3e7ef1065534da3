package operations

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Outcome is what would happen to a text.
type Outcome string

// The outcomes.
const (
	// Send: it would be queued, and sent to Destination first.
	Send Outcome = "send"
	// Drop: it would be refused, because the sender would drop it for the Reason.
	Drop Outcome = "drop"
	// Repeat: its idempotency key was used for it before, and nothing would be queued.
	Repeat Outcome = "repeat"
)

// DryRun is what would happen to a manual text now. Nothing was queued. The pace limits may make it wait, and it does not
// foresee what only sending shows, such as that a phone refuses it.
type DryRun struct {
	// DryRun is true.
	DryRun  bool    `json:"dry_run"`
	Outcome Outcome `json:"outcome"`
	// Reason says why it would be dropped, Detail in words.
	Reason ledger.Reason `json:"reason,omitempty"`
	Detail string        `json:"detail,omitempty"`
	// ID and StatusURL are those that the text would have, or has; only with an idempotency key.
	ID        string `json:"id,omitempty"`
	StatusURL string `json:"status_url,omitempty"`
	// Destination is the phone that would be tried first.
	Destination sms.PhoneNumber `json:"destination,omitempty"`
	// Hops are all phones that could be tried, in order.
	Hops []Hop `json:"hops"`
	// Route is the Twilio number's route, absent if it has none.
	Route *Route `json:"route,omitempty"`
	// Text is what the phone would show, Segments in how many SMS segments it would be billed.
	Text     string `json:"text"`
	Segments int    `json:"segments"`
	// ExpiresAt is when it would be too old to be sent; only of one that would be sent.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Hop is a phone that a text may go to.
type Hop struct {
	Number sms.PhoneNumber `json:"number"`
	// OptedOut: it texted STOP to the Twilio number. It is passed over, unless it is all there is: Twilio would refuse it.
	OptedOut bool `json:"opted_out"`
}

// Phone is a named phone of a route as operators see it.
type Phone struct {
	Name   string            `json:"name"`
	Number sms.PhoneNumber   `json:"number"`
	Also   []sms.PhoneNumber `json:"also,omitempty"`
}

// Route is the route of a Twilio number as operators see it.
type Route struct {
	TwilioNumber    sms.PhoneNumber   `json:"twilio_number"`
	Active          bool              `json:"active"`
	Ring            string            `json:"ring,omitempty"`
	OnUncertain     string            `json:"on_uncertain"`
	DeliveryTimeout string            `json:"delivery_timeout,omitempty"`
	MaxAge          string            `json:"max_age"`
	PaceNumber      string            `json:"pace_number,omitempty"`
	AnswerWindow    string            `json:"answer_window"`
	HoldTime        string            `json:"hold_time"`
	AnswerTimeout   string            `json:"answer_timeout,omitempty"`
	ClaimTime       string            `json:"claim_time,omitempty"`
	Threads         []sms.PhoneNumber `json:"threads,omitempty"`
	Phones          []Phone           `json:"phones,omitempty"`
	Owner           string            `json:"owner,omitempty"`
	Version         int64             `json:"version"`
	LastUpdated     time.Time         `json:"last_updated"`
	UpdatedBy       string            `json:"updated_by,omitempty"`
}

// foresee returns what would happen to the text. It makes the same decision as the sender.
func (h *Handler) foresee(ctx context.Context, wanted RelayRequest, id string) (told DryRun, refusal answer) {
	now := h.config.Now().UTC()
	r := ledger.Record{
		MessageSid: id, Manual: true, TwilioNumber: wanted.TwilioNumber, Customer: wanted.From, Destination: wanted.To,
		Body: wanted.Body, ReceivedAt: ledger.Stamp(now), UpdatedAt: ledger.Stamp(now),
	}
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(r)...)
	if err != nil {
		return told, refuse(http.StatusServiceUnavailable, "the routes cannot be read at the moment").because(err)
	}
	way, isRouted := route.Find(routes, r.TwilioNumber)
	against, refusal := againstReply(wanted, way, isRouted)
	if refusal.problem {
		return told, refusal
	}
	text := plan.Text(plan.MessageOf(r))
	told = DryRun{
		DryRun: true, Outcome: Send, Hops: hopsOf(r, routes, now), Route: routeOf(routes, r.TwilioNumber), Text: text,
		Segments: sms.Segments(text),
	}
	if wanted.IdempotencyKey != "" {
		told.ID, told.StatusURL = id, statusURL(id)
	}
	c, err := h.askedFor(ctx, wanted)
	if err != nil {
		return DryRun{}, refuse(http.StatusServiceUnavailable, "nobody can say at the moment whether that phone has opted out").because(err)
	}
	p := plan.Of(plan.Question{Text: r, OptedOut: c.OptOut.OptedOut, Routes: routes, Now: now})
	if against != "" {
		p.Drop = against
	}
	if p.Drop != "" {
		told.Outcome, told.Reason, told.Detail = Drop, p.Drop, h.whyDropped(ctx, wanted, p.Drop)
		if p.Drop == ledger.ReasonOptOut {
			told.Detail = whyOptedOut(c, wanted.toField())
		}
	} else {
		told.Destination, told.ExpiresAt = p.To, &p.Expires
	}
	return told, answer{}
}

// whyDropped says in words why a text would be dropped, for the caller.
func (h *Handler) whyDropped(ctx context.Context, wanted RelayRequest, reason ledger.Reason) string {
	number, to := string(wanted.TwilioNumber), string(wanted.To)
	switch {
	case reason == ledger.ReasonNoRoute && h.isCustomer(ctx, wanted.TwilioNumber):
		return number + " is a customer's number, and has no route (no_route): name the Twilio number that the text is to come from"
	case reason == ledger.ReasonNoRoute:
		return number + " has no route (no_route): name one of your Twilio numbers, or give this one a route"
	case reason == ledger.ReasonInactive:
		return "the route of " + number + " is switched off (inactive): switch it on, or say where to by to"
	case reason == ledger.ReasonLoop:
		return to + " is one of the relay's own numbers (loop): name a phone"
	default:
		return "the text would be dropped: " + string(reason)
	}
}

// isCustomer reports whether the ledger has a text from that number. What cannot be read is not known.
func (h *Handler) isCustomer(ctx context.Context, number sms.PhoneNumber) bool {
	page, err := h.config.Records.List(ctx, ledger.Query{Number: number, Limit: 1})
	return err == nil && slices.ContainsFunc(page.Records, func(r ledger.Record) bool { return sms.Same(r.Customer, number) })
}

// hopsOf returns the phones that the text could go to, whether it would or not.
func hopsOf(r ledger.Record, routes map[sms.PhoneNumber]route.Route, now time.Time) []Hop {
	hops := []Hop{}
	ours, _ := route.Find(routes, r.TwilioNumber)
	for _, number := range plan.Way(r, routes).PhonesAt(now) {
		if number != "" {
			hops = append(hops, Hop{Number: number, OptedOut: ours.IsOptedOut(number)})
		}
	}
	return hops
}

func routeOf(routes map[sms.PhoneNumber]route.Route, number sms.PhoneNumber) *Route {
	r, ok := route.Find(routes, number)
	if !ok {
		return nil
	}
	shown := &Route{
		TwilioNumber: r.TwilioNumber, Active: r.Active, Ring: string(r.Ring), OnUncertain: string(r.OnUncertain),
		MaxAge:       route.Duration(r.TextAge()).String(),
		AnswerWindow: cmp.Or(r.AnswerWindow, route.Duration(conversation.DefaultAnswerWindow)).String(),
		HoldTime:     route.Duration(r.HoldAge()).String(), Threads: r.Threads, Owner: r.Owner,
		PaceNumber: r.PaceNumber, Version: r.Version, LastUpdated: r.LastUpdated, UpdatedBy: r.UpdatedBy,
	}
	if shown.OnUncertain == "" {
		shown.OnUncertain = string(route.Park)
	}
	if r.AnswerTimeout > 0 {
		shown.AnswerTimeout = r.AnswerTimeout.String()
	}
	if r.KeepsClaims() {
		shown.ClaimTime = route.Duration(r.ClaimAge()).String()
	}
	for _, p := range r.Phones {
		shown.Phones = append(shown.Phones, Phone(p))
	}
	if r.DeliveryTimeout > 0 {
		shown.DeliveryTimeout = r.DeliveryTimeout.String()
	}
	return shown
}
