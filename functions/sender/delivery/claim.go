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
	// from is the further number of the route that its text is sent from, empty for the text's own.
	from sms.PhoneNumber
}

// setTimer sets the delivery timer: if no receipt comes in time, the hop after the phone to is tried.
func (h *Handler) setTimer(ctx context.Context, j *job, p plan.Plan, to sms.PhoneNumber) verdict {
	if p.DeliveryTimeout <= 0 || !p.MayGoOn(j.text, to) || h.config.PublicBaseURL == "" {
		return verdict{}
	}
	// Set before the claim: a crash leaves at worst a timer that finds nothing to do.
	set := h.config.Now()
	if err := h.remind(ctx, j.text.MessageSid, j.text.Upcoming(), set.Add(p.DeliveryTimeout)); err != nil {
		return h.notNow(ctx, j, "timer not set", err)
	}
	// A timer as old as this might come before its claim is written.
	if h.config.Now().Sub(set) > claimAge {
		return decideAgain()
	}
	return verdict{}
}

// claim opens the text's next attempt. It stops if that could not be written, or the text has gone on meanwhile.
func (h *Handler) claim(ctx context.Context, j *job, at hop) (ledger.Attempt, verdict) {
	claimID := h.config.NewClaimID()
	wanted, err := j.text.Claim(claimID, at.place, at.phone, h.config.SendTimeout+leaseMargin, h.config.Now())
	if err == nil {
		wanted = wanted.Headed(at.from, j.head.text)
	}
	v := h.write(ctx, j, "claim", wanted, err)
	attempt, _ := j.text.Current()
	return attempt, v
}
