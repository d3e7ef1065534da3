package delivery

import (
	"context"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// firstLook is how long after an unanswered POST Twilio's list is first searched. Most messages are listed by then.
func (h *Handler) firstLook() time.Duration { return min(2*time.Second, h.config.ReconcileInterval) }

// span is how long Twilio's list is searched before a text is given up.
func (h *Handler) span() time.Duration {
	return Span(h.config.ReconcileLooks, h.config.ReconcileInterval, h.config.SendTimeout)
}

// doubt takes over an attempt whose sender died between its claim and Twilio's answer.
func (h *Handler) doubt(ctx context.Context, j *job) verdict {
	attempt, _ := j.text.Current()
	lapsed := &fault.Error{Kind: fault.Unknown, Err: errLapsedLease}
	doubted := false
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, doubted = r.Doubt(attempt.Number, lapsed, h.config.Now(), h.config.Now())
		return r, doubted, nil
	})
	if err != nil {
		return h.notNow(ctx, j, "lapsed lease not recorded", err)
	}
	j.text = stored
	if !doubted {
		return decideAgain()
	}
	j.moved = true
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "lease lapsed", textAttrs(stored, nil)...)
	return decideAgain()
}

// patienceWithList is how long an unreadable list holds back a text, and the conversation behind it. leastTries is how often the
// text must have come back by then: if the relay itself was down, the time alone does not show that the list is unreadable.
const (
	patienceWithList = 2 * time.Hour
	leastTries       = 10
)

// look asks Twilio for the message of an attempt whose outcome is unknown. (A receipt may have settled it before: then
// the record says so, and there is no look.)
func (h *Handler) look(ctx context.Context, j *job) verdict {
	attempt, _ := j.text.Current()
	lookCtx, cancel := context.WithTimeout(ctx, h.config.SendTimeout)
	found, finding, err := h.search().Find(lookCtx, j.text, attempt)
	cancel()
	if err != nil {
		h.config.Emit(count(telemetry.MetricLooked, "Verdict", "unreadable"))
		if h.config.Now().Sub(attempt.EndedAt) < patienceWithList || looks(j.record) < leastTries {
			return h.notNow(ctx, j, "Twilio's list not read", err)
		}
		return h.park(ctx, j, attempt, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnreadableList})
	}
	h.config.Emit(count(telemetry.MetricLooked, "Verdict", finding.String()))
	if finding == reconcile.Present {
		return h.discovered(ctx, j, attempt, found)
	}
	if attempt.Looks < h.config.ReconcileLooks {
		return h.lookAgain(ctx, j, attempt)
	}
	return h.endLooks(ctx, j, attempt, finding)
}

// discovered records that Twilio has the message.
func (h *Handler) discovered(ctx context.Context, j *job, attempt ledger.Attempt, found sms.Listed) verdict {
	receipt := receiptOf(j.text, attempt, found)
	f, p, err := h.lossOf(ctx, j.text, receipt)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	stored, isMine, err := h.changeOwn(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Discover(attempt.Number, found.Sid, sms.StatusQueued, h.config.Now())
		if changed && found.Status.Final() {
			// Its final status is known already, and its receipt may never come.
			r, _ = h.applyLoss(r, receipt, f, p)
		}
		return r, changed, nil
	})
	if err != nil {
		return h.notNow(ctx, j, "discovery not recorded", err)
	}
	j.text, j.moved = stored, true
	if isMine {
		h.emitAccepted(stored, 0)
	}
	h.relayed(ctx, stored)
	if stored.State != ledger.Sent {
		h.emitMove(stored)
	}
	return decideAgain()
}

// lookAgain leaves the text until the next look.
func (h *Handler) lookAgain(ctx context.Context, j *job, attempt ledger.Attempt) verdict {
	next := h.config.Now().Add(h.config.ReconcileInterval)
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		if last, _ := r.Current(); last.Looks != attempt.Looks {
			return r, false, nil
		}
		r, changed := r.Looked(attempt.Number, next, h.config.Now())
		return r, changed, nil
	})
	if err != nil {
		return h.notNow(ctx, j, "look not recorded", err)
	}
	j.text, j.moved = stored, true
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "message not found yet", textAttrs(stored, nil)...)
	return decideAgain()
}

// endLooks ends the looks. The text is parked for an operator, or sent again if its route says so. It is not sent again if Twilio
// lists messages with the same words, because one of them may be this text.
func (h *Handler) endLooks(ctx context.Context, j *job, attempt ledger.Attempt, finding reconcile.Verdict) verdict {
	onward := ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonAmbiguous}
	if finding == reconcile.Absent {
		routes, err := h.config.Routes.Lookup(ctx, j.text.TwilioNumber.Spellings()...)
		if err != nil {
			return h.notNow(ctx, j, "route not looked up", err)
		}
		way, _ := route.Find(routes, j.text.TwilioNumber)
		onward = h.afterAbsence(j.text, attempt, way)
	}
	return h.park(ctx, j, attempt, onward)
}

// park records where the text goes after the last look.
func (h *Handler) park(ctx context.Context, j *job, attempt ledger.Attempt, onward ledger.Onward) verdict {
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Conclude(attempt.Number, onward, h.config.Now())
	})
	if err != nil {
		return h.notNow(ctx, j, "conclusion not recorded", err)
	}
	j.text, j.moved = stored, true
	if stored.State == ledger.Uncertain {
		h.emitOutcome(stored)
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "message not found", textAttrs(stored, nil)...)
	return decideAgain()
}

// afterAbsence returns where a text goes if Twilio does not list it: to an operator, or once more to the phone.
func (h *Handler) afterAbsence(r ledger.Record, attempt ledger.Attempt, way route.Route) ledger.Onward {
	if way.OnUncertain == route.Resend && r.AttemptsSpentOn(attempt.To) < h.config.Policy.MaxAttempts {
		return ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonResend, NotBefore: h.config.Now()}
	}
	return ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome}
}

// search is how Twilio's list is searched for the message of an attempt.
func (h *Handler) search() reconcile.Search {
	return reconcile.Search{
		Messages: h.config.Messages, Ledger: h.config.Ledger, Records: h.config.Records, Now: h.config.Now,
		Span: h.span(), Longest: LongestPost(h.config.SendTimeout),
	}
}
