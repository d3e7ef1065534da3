package delivery

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// hop is a phone and its place in the route.
type hop struct {
	phone sms.PhoneNumber
	place int
}

// setTimer sees to it that the hop after the phone to is tried if no receipt comes. stop is false if the text can go on.
func (h *Handler) setTimer(ctx context.Context, j *job, p plan.Plan, to sms.PhoneNumber) (v verdict, settled, stop bool) {
	if p.DeliveryTimeout <= 0 || !p.Next(j.text, to) || h.PublicBaseURL == "" {
		return verdict{}, false, false
	}
	// Set before the claim: a crash leaves at worst a timer that finds nothing to do.
	set := h.Now()
	if err := h.remind(ctx, j.text.MessageSid, j.text.Upcoming(), set.Add(p.DeliveryTimeout)); err != nil {
		v, settled = h.notNow(ctx, j, "timer not set", err)
		return v, settled, true
	}
	// A timer this old might come before its claim.
	return verdict{}, false, h.Now().Sub(set) > claimAge
}

// claim opens the text's next attempt. ok is false if it could not be written, or the text has gone on meanwhile: then it goes on as
// v and settled say.
func (h *Handler) claim(ctx context.Context, j *job, at hop) (attempt ledger.Attempt, v verdict, settled, ok bool) {
	claimID := h.NewClaimID()
	wanted, err := j.text.Claim(claimID, at.place, at.phone, h.SendTimeout+leaseMargin, h.Now())
	if err != nil {
		v, settled = h.notNow(ctx, j, "claim not decided", err)
		return attempt, v, settled, false
	}
	ok, err = h.put(ctx, j, wanted, func(stored ledger.Record) bool { return stored.HeldBy(claimID) })
	if err != nil {
		v, settled = h.notNow(ctx, j, "claim not written", err)
		return attempt, v, settled, false
	}
	attempt, _ = j.text.Current()
	return attempt, verdict{}, false, ok
}
