// Package plan decides by the current routes where a text goes: it is dropped for a reason, or sent to a hop with the route's
// settings. It is pure, so the sender (functions/sender/delivery) does exactly what a dry run (functions/operator/operations)
// told the operator. It looks nothing up, keeps no pace and decides nothing about failures (shared/retry).
package plan

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Plan is what should happen to a text now: it is dropped for a reason, or sent to a hop.
type Plan struct {
	// Drop is the reason against it, if there is one.
	Drop ledger.Reason
	// Mark, if set, says that the sender of the text, a hop of the route, has opted out or in again.
	Mark *bool
	// IsAnswer is set if a phone of the route wrote the text: it has to be decided whom it is for. The plan has nothing else then.
	IsAnswer bool
	// Keyword, if set, is a keyword that the customer texted. The caller records it, sets the text's own Keyword to the result,
	// and asks again, unless the keyword does not count.
	Keyword sms.Keyword
	// Open are the phones that may be tried, in order.
	Open []sms.PhoneNumber
	// To is the next of them, Hop its place among those on duty; empty if none is left. Marked: it is marked as opted out.
	To     sms.PhoneNumber
	Hop    int
	Marked bool
	// Ring are the phones that get the text at the same time; empty if it goes in turn.
	Ring []sms.PhoneNumber
	// Holds is until when the text is held because no phone may get it; zero if it is not. There is no To then. HeldFor says why: nobody is
	// on duty, or each phone that would get it has yet to be verified.
	Holds   time.Time
	HeldFor ledger.Reason
	// Threads are the further numbers from which the phone may get the text.
	Threads []sms.PhoneNumber
	// DeliveryTimeout is how long to wait for a receipt before the next hop is tried; 0 means for ever.
	DeliveryTimeout time.Duration
	// Changes is when other phones come on duty, before the text is too old; zero if none do, or if no receipt is waited for.
	Changes time.Time
	// Expires is when the text is too old to be sent, Validity how long that is from now.
	Expires  time.Time
	Validity time.Duration
	// Pace limits the Twilio number's segments.
	Pace pace.Limit
}

// Question is all that decides.
type Question struct {
	// Text is the text as the ledger has it, or would have it.
	Text ledger.Record
	// OptOutType is the inbound message's.
	OptOutType string
	// OptedOut: the Destination of an operator's text has opted out of texts from the Twilio number.
	OptedOut bool
	// Routes are those that exist among [Numbers] of the text.
	Routes map[sms.PhoneNumber]route.Route
	// First is the phone that has the text's conversation, empty if none has: it is tried before the others.
	First sms.PhoneNumber
	// PaceNumber limits the segments of a Twilio number whose route does not say otherwise.
	PaceNumber pace.Limit
	// MaxAttempts is how many attempts there may be at a phone; 0 leaves that open.
	MaxAttempts int
	Now         time.Time
}

// Numbers returns the numbers whose routes decide about a text, each in all spellings under which its route may be.
func Numbers(r ledger.Record) []sms.PhoneNumber {
	numbers := r.TwilioNumber.AppendSpellings(make([]sms.PhoneNumber, 0, 3))
	for _, other := range []sms.PhoneNumber{r.Customer, r.Destination} {
		if r.IsRung() && other == r.Destination {
			// It is a phone of the route, as if the text went in turn.
			continue
		}
		if other != "" && !sms.Same(other, r.TwilioNumber) {
			numbers = other.AppendSpellings(numbers)
		}
	}
	return numbers
}

// Of decides. If the text is dropped for any reason except its age, the plan has no settings.
func Of(q Question) Plan {
	p := against(q)
	if p.Drop != "" || p.IsAnswer {
		return p
	}
	return along(p, q, Way(q.Text, q.Routes))
}

// Way returns the route that the text takes.
func Way(r ledger.Record, routes map[sms.PhoneNumber]route.Route) route.Route {
	way, _ := route.Find(routes, r.TwilioNumber)
	if r.Manual && way.Closed == route.ClosedHold {
		// An operator's text is not held.
		way.Closed = route.ClosedRelay
	}
	if r.Destination != "" {
		// The text goes to one phone: the route's settings hold, its hops and their marks do not.
		way.DestinationCarrier, way.FallbackCarriers, way.OptedOut = r.Destination, nil, nil
		way.Schedule, way.Overrides, way.NightPhones, way.Off, way.Verifications = nil, nil, nil, nil, nil
	}
	return way
}

// HeldUntil returns until when a customer's text is held by its number's route, and why; see Holds of [Plan].
func HeldUntil(r ledger.Record, way route.Route, now time.Time) (time.Time, ledger.Reason) {
	p := along(Plan{}, Question{Text: r, Routes: map[sms.PhoneNumber]route.Route{r.TwilioNumber: way}, Now: now}, way)
	return p.Holds, p.HeldFor
}

// Next reports whether the text could go on to another phone than from: one that is on duty, or, if it is held, one that will be.
func (p Plan) Next(r ledger.Record, from sms.PhoneNumber) bool {
	return !p.Holds.IsZero() || slices.ContainsFunc(p.Open, func(hop sms.PhoneNumber) bool { return !sms.Same(hop, from) && r.HopOpen(hop) })
}

// MayGoOn reports whether the text could go on to another phone than from, now or once another one is on duty.
func (p Plan) MayGoOn(r ledger.Record, from sms.PhoneNumber) bool {
	return p.Next(r, from) || !p.Changes.IsZero()
}

// autoAnswerAge is how old an automatic answer to a customer may be when it is sent: what it says is soon not true any more.
const autoAnswerAge = 15 * time.Minute

// along picks the hop and copies the route's settings.
func along(p Plan, q Question, way route.Route) Plan {
	since := q.Text.DueSince()
	if since.After(q.Now) {
		// The clock that wrote it was ahead: the text is not older than now, and not to be delivered later than if it came now.
		since = q.Now
	}
	way, p.Holds, since = held(q, way, since)
	if p.HeldFor = ledger.ReasonClosed; p.Holds.IsZero() {
		p.Holds, p.HeldFor = way.WaitsUntil(since, q.Now), ledger.ReasonUnverified
	}
	if p.Holds.IsZero() {
		p.HeldFor = ""
	}
	since = way.AgesFrom(since, q.Now)
	p.Expires = since.Add(way.TextAge())
	if q.Text.IsAutoAnswer() {
		p.Expires = since.Add(min(way.TextAge(), autoAnswerAge))
	}
	p.Validity = p.Expires.Sub(q.Now)
	if p.Validity <= 0 {
		p.Drop = ledger.ReasonExpired
	}
	hops := way.Hops()
	if q.Text.Destination == "" {
		hops = way.PhonesAt(q.Now)
	}
	// Whoever came into the route after his text goes on as the stranger that he was, and does not get the text himself.
	p.Open = slices.DeleteFunc(firstOf(way.OpenOf(hops), q.First), func(hop sms.PhoneNumber) bool {
		return q.Text.Destination == "" && !q.Text.Manual && sms.Same(hop, q.Text.Customer)
	})
	for _, hop := range p.Open {
		if q.Text.HopOpen(hop) && (q.MaxAttempts == 0 || q.Text.AttemptsSpentOn(hop) < q.MaxAttempts) {
			p.To, p.Hop, p.Marked = hop, slices.Index(hops, hop), way.IsOptedOut(hop)
			break
		}
	}
	p.Ring = ringOf(q, way, p.Open)
	p.Threads, p.DeliveryTimeout = way.Threads, time.Duration(way.DeliveryTimeout)
	if p.DeliveryTimeout > 0 {
		if at := way.DutyAt(q.Now).Until; at.Before(p.Expires) {
			p.Changes = at
		}
	}
	p.Pace = q.PaceNumber
	if way.PaceNumber != "" {
		if limit, err := pace.Parse(way.PaceNumber); err == nil {
			// A route that cannot be parsed is refused when it is read; this is no place to find out.
			p.Pace = limit
		}
	}
	return p
}

// held returns until when the text is held because nobody is on duty, zero if it is not, and from when on it ages that otherwise would
// from since: a customer's text that comes while the number is closed ages once it opens. What is not held then, an operator's text or what
// was held for long enough, goes as with [route.ClosedRelay].
func held(q Question, way route.Route, since time.Time) (taken route.Route, until, ages time.Time) {
	r := q.Text
	ours, _ := route.Find(q.Routes, r.TwilioNumber)
	if ours.Closed != route.ClosedHold {
		return way, until, since
	}
	isCustomers := !r.Manual && (r.Destination == "" || r.IsRung() || r.SecondPart)
	switch opens := ours.HeldUntil(r.CameAt(), since); {
	case !isCustomers:
	case opens.After(q.Now):
		since = q.Now
	case opens.After(since):
		since = opens
	}
	if until = way.HeldUntil(r.CameAt(), q.Now); until.IsZero() && way.HoldsAt(q.Now) {
		way.Closed = route.ClosedRelay
	}
	return way, until, since
}

// ringOf returns the phones among those open that get the text at the same time, if it is a customer's that nobody was sent yet, and no
// phone that is open has its conversation. One phone alone gets it in turn.
func ringOf(q Question, way route.Route, open []sms.PhoneNumber) []sms.PhoneNumber {
	r := q.Text
	if way.Ring != route.RingAll || r.Destination != "" || r.Manual || r.Made() > 0 || len(r.Ring.Phones) > 0 || !r.RedrivenAt.IsZero() ||
		q.First != "" && slices.ContainsFunc(open, func(p sms.PhoneNumber) bool { return sms.Same(p, q.First) }) {
		return nil
	}
	ring := slices.DeleteFunc(slices.Clone(open), way.IsOptedOut)
	if len(ring) < 2 {
		return nil
	}
	return ring[:min(len(ring), route.MaxRing)]
}

// firstOf returns the phones with that one before the others, if it is among them.
func firstOf(phones []sms.PhoneNumber, first sms.PhoneNumber) []sms.PhoneNumber {
	i := slices.IndexFunc(phones, func(p sms.PhoneNumber) bool { return sms.Same(p, first) })
	if i <= 0 || first == "" {
		return phones
	}
	return append([]sms.PhoneNumber{phones[i]}, slices.Delete(slices.Clone(phones), i, i+1)...)
}

// against finds what speaks against relaying a text.
func against(q Question) Plan {
	r, routes := q.Text, q.Routes
	way, ok := route.Find(routes, r.TwilioNumber)
	var keyword sms.Keyword
	if isCustomer(r, routes) {
		keyword = heard(r, q.OptOutType)
		if p, decided := ofKeyword(q, keyword); decided {
			return p
		}
		if reaction, ok := sms.ReactionOf(r.Body); ok && reaction.Quote == "" && len(r.Media) == 0 {
			// It says nothing about what it is a reaction to.
			return Plan{Drop: ledger.ReasonReaction}
		}
	}
	p := Plan{Keyword: keyword}
	switch {
	case r.Manual, r.Destination != "":
		return againstManual(q)
	case r.IsAnswer():
		return Plan{Drop: ledger.ReasonUnaddressed}
	case ok && way.IsPhone(r.Customer) && r.Version == 0:
		return ofPhone(q, way)
	case sms.Same(r.Customer, r.TwilioNumber), way.HasThread(r.Customer), isRouted(routes, r.Customer):
		return Plan{Drop: ledger.ReasonLoop}
	case !ok:
		p.Drop = ledger.ReasonNoRoute
	case !way.Takes(r.ReceivedAt):
		p.Drop = ledger.ReasonInactive
	}
	return p
}

// ofPhone decides about a text of one of the route's own phones. Its STOP counts, and its START if it has opted out.
func ofPhone(q Question, way route.Route) Plan {
	mark := markOf(q.Text.Body, q.OptOutType)
	switch {
	case mark != nil && *mark:
		return Plan{Drop: ledger.ReasonOptOut, Mark: mark}
	case mark != nil && way.IsOptedOut(q.Text.Customer):
		return Plan{Drop: ledger.ReasonKeyword, Mark: mark}
	}
	return Plan{IsAnswer: true}
}

// againstManual finds what speaks against a text of an operator or of the relay, and against an answer. One that names its destination
// needs no route.
func againstManual(q Question) Plan {
	r, routes := q.Text, q.Routes
	way, ok := route.Find(routes, r.TwilioNumber)
	switch {
	case r.Destination != "" && (sms.Same(r.Destination, r.TwilioNumber) || way.HasThread(r.Destination) || isRouted(routes, r.Destination)):
		return Plan{Drop: ledger.ReasonLoop}
	case r.Destination != "" && q.OptedOut && !way.IsPhone(r.Destination):
		// Twilio would refuse it. A hop's own mark says whether it has opted out.
		return Plan{Drop: ledger.ReasonOptOut}
	case r.Destination != "":
		return Plan{}
	case !ok:
		return Plan{Drop: ledger.ReasonNoRoute}
	case !way.Takes(r.ReceivedAt):
		return Plan{Drop: ledger.ReasonInactive}
	}
	return Plan{}
}

func isRouted(routes map[sms.PhoneNumber]route.Route, number sms.PhoneNumber) bool {
	_, routed := route.Find(routes, number)
	return routed
}

// markOf returns how a hop's own text changes its mark, nil if it does not. Twilio's OptOutType comes first; there is one only
// for numbers of a Messaging Service with Advanced Opt-Out.
func markOf(body, optOutType string) *bool {
	word := optOutType
	if word == "" {
		word = sms.KeywordOf(body).Type
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
