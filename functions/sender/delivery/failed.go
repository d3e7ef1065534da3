package delivery

import (
	"context"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// failed carries out what the policy decides about a failed attempt.
func (h *Handler) failed(ctx context.Context, j *job, p plan.Plan, attempt ledger.Attempt, f *fault.Error) verdict {
	h.config.Emit(count(telemetry.MetricTwilioFault, "Kind", f.Kind.String()))
	if f.Kind == fault.Quota {
		h.config.Emit(one(telemetry.MetricQuota))
	}
	decision := h.decide(j.text, attempt.To, f)
	if decision.Answer == retry.Unknown {
		return h.lost(ctx, j, attempt, f)
	}
	withoutMedia := isForItsMedia(j.text, decision, f)
	if withoutMedia {
		decision = retry.Decision{Answer: retry.Retry}
	}
	decision.Delay = h.within(p, decision.Delay)
	onward := h.afterFailure(decision, p.Next(j.text, attempt.To))
	wasHeld := false
	stored, isMine, err := h.changeOwn(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		ended, changed, err := r.End(attempt.Number, f, onward, h.config.Now())
		if changed {
			wasHeld = r.HeldBy(attempt.ClaimID)
		}
		if changed && withoutMedia {
			ended = ended.WithMedia(media.LeaveAll(ended.Media))
		}
		return ended, changed, err
	})
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "failure not recorded", textAttrs(j.text, err)...)
		return again(j.text.LeaseUntil.Sub(h.config.Now()))
	}
	j.text, j.moved = stored, true
	if f.Kind == fault.OptedOut {
		h.markOptedOut(ctx, j.text.TwilioNumber, attempt.To, true)
	}
	if !isMine || !wasHeld {
		// A receipt was quicker, or the lease lapsed before Twilio answered and someone else goes on.
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "failure came late", textAttrs(stored, f)...)
		return decideAgain()
	}
	return h.follow(ctx, j, decision, f)
}

// decide asks the policy about a failure at that phone.
func (h *Handler) decide(r ledger.Record, to sms.PhoneNumber, f *fault.Error) retry.Decision {
	return h.config.Policy.Decide(f, retry.Tried{Spent: r.AttemptsSpentOn(to), All: r.TriesAt(to)}, h.config.Spread())
}

// within shortens a wait so that it ends when the text is too old. The texts behind it in the conversation wait no longer than that.
func (h *Handler) within(p plan.Plan, wait time.Duration) time.Duration {
	return min(wait, max(p.Expires.Sub(h.config.Now()), h.config.Policy.Base))
}

// afterFailure returns where the text goes after a failed attempt. A text without attempts left stays queued until its dead letter
// is sent.
func (h *Handler) afterFailure(decision retry.Decision, hasNext bool) ledger.Onward {
	now := h.config.Now()
	switch decision.Answer {
	case retry.NextHop:
		if hasNext {
			return ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonNextHop, NotBefore: now, HopDone: true}
		}
		return ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused, HopDone: true}
	case retry.Failed:
		return ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused}
	case retry.Retry, retry.Wait, retry.Halt, retry.Sent, retry.Unknown:
	}
	return ledger.Onward{To: ledger.Queued, NotBefore: now.Add(decision.Delay)}
}

// follow says what happens to the message after a recorded failure.
func (h *Handler) follow(ctx context.Context, j *job, decision retry.Decision, f *fault.Error) verdict {
	switch {
	case decision.Exhausted:
		return h.bury(ctx, j, ledger.ReasonAttemptsExhausted)
	case decision.Answer == retry.Halt:
		h.config.Emit(one(telemetry.MetricHalted))
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "sending halted", textAttrs(j.text, f)...)
		return again(decision.Delay)
	case decision.Answer == retry.Retry, decision.Answer == retry.Wait:
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "attempt failed", textAttrs(j.text, f)...)
		return again(decision.Delay)
	case j.text.State == ledger.Queued:
		h.config.Emit(count(telemetry.MetricCascaded, "Reason", string(ledger.ReasonRefused)))
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "hop refused", textAttrs(j.text, f)...)
		return decideAgain()
	}
	h.emitOutcome(j.text)
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text not relayed", textAttrs(j.text, f)...)
	return done()
}

// lost records that nobody knows whether Twilio accepted the message. The first look at Twilio's list comes soon.
func (h *Handler) lost(ctx context.Context, j *job, attempt ledger.Attempt, f *fault.Error) verdict {
	if f.Kind != fault.Unknown {
		// This version does not know the kind. The ledger has only one name for an outcome that has to be looked up.
		f = &fault.Error{Kind: fault.Unknown, Code: f.Code, HTTPStatus: f.HTTPStatus, Err: f.Err}
	}
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Doubt(attempt.Number, f, h.config.Now().Add(h.firstLook()), h.config.Now())
		return r, changed, nil
	})
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "unknown outcome not recorded", textAttrs(j.text, err)...)
		return again(j.text.LeaseUntil.Sub(h.config.Now()))
	}
	j.text, j.moved = stored, true
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "outcome unknown", textAttrs(stored, f)...)
	return decideAgain()
}
