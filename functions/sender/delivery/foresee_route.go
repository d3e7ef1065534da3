package delivery

import (
	"context"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
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
	// AutoAnswer is what the relay itself would answer the customer because nobody is on duty; empty if it would not answer.
	AutoAnswer string
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
	c, err := f.Conversations.Get(ctx, r.TwilioNumber, r.Customer)
	if err != nil {
		return ForeseenRoute{}, err
	}
	if seen.Way.KeepsClaims() {
		seen.Claimer = c.Claimer(plan.ClaimingOf(seen.Way, now), now)
	}
	q := plan.Question{Text: r, Routes: routes, First: seen.Claimer, Now: now}
	if seen.Plan = plan.Of(q); seen.Plan.Drop == "" && seen.Plan.Keyword.Type != "" {
		// The sender records the word, and decides again.
		q.Text.Keyword = seen.Plan.Keyword.Word
		seen.Plan = plan.Of(q)
	}
	switch {
	case seen.Plan.Drop != "" || seen.Plan.IsAnswer:
	case c.Blocked.On:
		seen.Plan = plan.Plan{Drop: ledger.ReasonBlocked}
	case isCustomers(q.Text):
		seen.AutoAnswer, err = f.autoAnswer(ctx, q.Text, c, &seen.Way, now)
	}
	return seen, err
}

// autoAnswer returns what the relay itself would answer at that moment, if it may.
func (f Foreseeing) autoAnswer(
	ctx context.Context, r ledger.Record, c conversation.Conversation, way *route.Route, now time.Time,
) (string, error) {
	text := closedTo(r, way, now)
	if text == "" {
		return "", nil
	}
	place, err := way.Place()
	if err != nil {
		return "", err
	}
	number, err := f.Conversations.GetPhone(ctx, conversation.NumberKey(r.TwilioNumber))
	if err != nil {
		return "", err
	}
	_, hasRoom := number.TakeAutoAnswer(now)
	if _, _, ok := c.AutoAnswer(conversation.AutoAnswering{Cause: r.MessageSid, At: r.ReceivedAt, Now: now.In(place)}); !ok || !hasRoom {
		return "", nil
	}
	return text, nil
}
