package delivery

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ForeseenRoute is what would become of a new text of a customer at a moment.
type ForeseenRoute struct {
	Plan plan.Plan
	// Way is the text's route, zero if there is none. Duty is who is on duty for it then.
	Way  route.Route
	Duty route.Duty
	// Claimer is the phone that has the conversation, and gets the text before the others; empty if none has.
	Claimer sms.PhoneNumber
}

// Route says where the sender would send a new text at that moment, of which r has the numbers and the words. Who has the conversation, and
// who has opted out, counts as it is kept now.
func (f Foreseeing) Route(ctx context.Context, r ledger.Record, now time.Time) (ForeseenRoute, error) {
	r, routes, err := routesOf(ctx, f.Routes, r)
	if err != nil {
		return ForeseenRoute{}, err
	}
	var seen ForeseenRoute
	seen.Way, _ = route.Find(routes, r.TwilioNumber)
	seen.Duty = seen.Way.DutyAt(now)
	if seen.Way.KeepsClaims() {
		c, err := f.Conversations.Get(ctx, r.TwilioNumber, r.Customer)
		if err != nil {
			return ForeseenRoute{}, err
		}
		seen.Claimer = c.Claimer(plan.ClaimingOf(seen.Way, now), now)
	}
	q := plan.Question{Text: r, Routes: routes, First: seen.Claimer, Now: now}
	if seen.Plan = plan.Of(q); seen.Plan.Drop == "" && seen.Plan.Keyword.Type != "" {
		// The sender records the word, and decides again.
		q.Text.Keyword = seen.Plan.Keyword.Word
		seen.Plan = plan.Of(q)
	}
	return seen, nil
}
