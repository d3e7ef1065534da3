package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// firstLook is how long after a POST that was not answered Twilio is first asked: most messages are on the list by then.
func (h *Handler) firstLook() time.Duration { return min(2*time.Second, h.ReconcileInterval) }

// span is for how long Twilio's list is looked at before a text is given up. However short that is set, the window made of
// it leaves room for clocks that are some seconds apart.
func (h *Handler) span() time.Duration {
	return max(time.Duration(h.ReconcileLooks)*h.ReconcileInterval, 2*(h.SendTimeout+leaseMargin))
}

// doubt takes over an attempt whose sender died between its claim and Twilio's answer.
func (h *Handler) doubt(ctx context.Context, j *job) (v verdict, settled bool) {
	attempt, _ := j.text.Current()
	lapsed := &fault.Error{Kind: fault.Unknown, Err: errLapsedLease}
	doubted := false
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, doubted = r.Doubt(attempt.Number, lapsed, h.Now(), h.Now())
		return r, doubted, nil
	})
	if err != nil {
		return h.notNow(ctx, j, "lapsed lease not recorded", err)
	}
	j.text = stored
	if !doubted {
		return verdict{}, false
	}
	j.moved = true
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "lease lapsed", textAttrs(stored, nil)...)
	return verdict{}, false
}

// patienceWithList is for how long a list that cannot be read holds a text, and the conversation behind it; leastTries is
// how often the text must have come back by then: after a standstill of ours, the time alone says nothing of the list.
const (
	patienceWithList = 2 * time.Hour
	leastTries       = 10
)

// look asks Twilio for the message of an attempt whose outcome is unknown. (A receipt may have settled it before: then
// the record says so, and there is no look.)
func (h *Handler) look(ctx context.Context, j *job) (v verdict, settled bool) {
	attempt, _ := j.text.Current()
	lookCtx, cancel := context.WithTimeout(ctx, h.SendTimeout)
	found, finding, err := h.find(lookCtx, j.text, attempt)
	cancel()
	if err != nil {
		h.Emit(count(telemetry.MetricLooked, "Verdict", "unreadable"))
		if h.Now().Sub(attempt.EndedAt) < patienceWithList || looks(j.record) < leastTries {
			return h.notNow(ctx, j, "Twilio's list not read", err)
		}
		return h.park(ctx, j, attempt, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnreadableList})
	}
	h.Emit(count(telemetry.MetricLooked, "Verdict", finding.String()))
	if finding == reconcile.Present {
		return h.discovered(ctx, j, attempt, found)
	}
	if attempt.Looks < h.ReconcileLooks {
		return h.lookAgain(ctx, j, attempt)
	}
	return h.conclude(ctx, j, attempt, finding)
}

// discovered records that Twilio has the message.
func (h *Handler) discovered(ctx context.Context, j *job, attempt ledger.Attempt, found sms.Found) (v verdict, settled bool) {
	receipt := receiptOf(j.text, attempt, found)
	f, p, err := h.lossOf(ctx, j.text, receipt)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	stored, isMine, err := h.changeOwn(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Discover(attempt.Number, found.Sid, sms.StatusQueued, h.Now())
		if changed && found.Status.Final() {
			// What became of it is known already, and its receipt may never come.
			r, _ = r.Apply(receipt, h.afterLoss(r, receipt, f, p), h.Now())
		}
		return r, changed, nil
	})
	if err != nil {
		return h.notNow(ctx, j, "discovery not recorded", err)
	}
	j.text, j.moved = stored, true
	if isMine {
		h.taken(stored, 0)
	}
	h.relayed(ctx, stored)
	if stored.State != ledger.Sent {
		h.settled(stored)
	}
	return verdict{}, false
}

// lookAgain leaves the text until the next look.
func (h *Handler) lookAgain(ctx context.Context, j *job, attempt ledger.Attempt) (v verdict, settled bool) {
	next := h.Now().Add(h.ReconcileInterval)
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		if last, _ := r.Current(); last.Looks != attempt.Looks {
			return r, false, nil
		}
		r, changed := r.Looked(attempt.Number, next, h.Now())
		return r, changed, nil
	})
	if err != nil {
		return h.notNow(ctx, j, "look not recorded", err)
	}
	j.text, j.moved = stored, true
	h.Logger.LogAttrs(ctx, slog.LevelInfo, "message not found yet", textAttrs(stored, nil)...)
	return verdict{}, false
}

// conclude ends the looks. The text is parked for an operator, or sent again if its route says so; not if Twilio has texts
// of the same words, of which the phone may have got this one.
func (h *Handler) conclude(ctx context.Context, j *job, attempt ledger.Attempt, finding reconcile.Verdict) (v verdict, settled bool) {
	onward := ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonAmbiguous}
	if finding == reconcile.Absent {
		routes, err := h.Routes.Lookup(ctx, j.text.TwilioNumber.Spellings()...)
		if err != nil {
			return h.notNow(ctx, j, "route not looked up", err)
		}
		way, _ := route.Find(routes, j.text.TwilioNumber)
		onward = h.afterAbsence(j.text, attempt, way)
	}
	return h.park(ctx, j, attempt, onward)
}

// park writes down where the looks leave the text.
func (h *Handler) park(ctx context.Context, j *job, attempt ledger.Attempt, onward ledger.Onward) (v verdict, settled bool) {
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Conclude(attempt.Number, onward, h.Now())
	})
	if err != nil {
		return h.notNow(ctx, j, "conclusion not recorded", err)
	}
	j.text, j.moved = stored, true
	if stored.State == ledger.Uncertain {
		h.emitOutcome(stored)
	}
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "message not found", textAttrs(stored, nil)...)
	return verdict{}, false
}

// afterAbsence returns where a text goes that Twilio does not list: to an operator, or once more to the phone.
func (h *Handler) afterAbsence(r ledger.Record, attempt ledger.Attempt, way route.Route) ledger.Onward {
	if way.OnUncertain == route.Resend && r.SpentAt(attempt.To) < h.Policy.MaxAttempts {
		return ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonResend, NotBefore: h.Now()}
	}
	return ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome}
}

// find asks Twilio's list and the ledger, and decides.
func (h *Handler) find(ctx context.Context, r ledger.Record, attempt ledger.Attempt) (sms.Found, reconcile.Verdict, error) {
	return h.findIn(ctx, r, attempt, reconcile.Question{
		Message: h.outbound(r, attempt, 0), StartedAt: attempt.StartedAt, Span: h.span(), Longest: claimAge + h.SendTimeout,
	})
}

// findIn does the same within the question's window. An attempt without a number is none of the text's: it asks for what was sent
// elsewhere.
func (h *Handler) findIn(ctx context.Context, r ledger.Record, attempt ledger.Attempt, question reconcile.Question) (sms.Found, reconcile.Verdict, error) {
	listed, allListed, err := h.listed(ctx, question)
	if err != nil {
		return sms.Found{}, 0, err
	}
	question.Listed = listed
	found, verdict := reconcile.Find(question)
	allCompared := true
	if verdict != reconcile.Absent {
		if allCompared, err = h.compare(ctx, r, attempt, &question); err != nil {
			return sms.Found{}, 0, err
		}
		found, verdict = reconcile.Find(question)
	}
	// When an attempt began by a clock that was ahead, its message is not where it is looked for.
	isAbsenceProof := allListed && !clock.Ahead(attempt.StartedAt, h.Now())
	if (verdict == reconcile.Absent && !isAbsenceProof) || (verdict == reconcile.Present && !allCompared) {
		return sms.Found{}, reconcile.Ambiguous, nil
	}
	return found, verdict, nil
}

// maxListed bounds what is read of Twilio's list in one look.
const maxListed = 1000

// listed reads the part of the list in which the message would be. The list is the newest first; it is read back to
// before the POST, with no bound on when the messages were sent, because one that waits at Twilio has no such date. Only if
// so much was sent since that the beginning is not reached, those sent in the time of the POST are asked for by date, too;
// all is false then, because one that is not among them may still wait.
func (h *Handler) listed(ctx context.Context, q reconcile.Question) (found []sms.Found, all bool, err error) {
	from, to := reconcile.Window(q.StartedAt, q.Span, q.Longest)
	filter := sms.ListFilter{From: q.Message.From, To: q.Message.To, CreatedAfter: from, Limit: maxListed}
	found, err = h.Messages.List(ctx, filter)
	if err != nil || len(found) < maxListed {
		return found, true, err
	}
	filter.SentAfter, filter.SentBefore = from, to.Add(time.Hour)
	older, err := h.Messages.List(ctx, filter)
	return append(found, older...), false, err
}

const (
	// comparedPages bounds how much of the ledger is read in one look.
	comparedPages = 5
	// comparedAge is how long before the attempt a text may have come in that was sent at the same time: as long as the
	// queue holds a text back for its own good.
	comparedAge = route.MaxMaxAge + time.Hour
)

// compare fills in what the ledger knows of other messages of the same words to the same phone. whole is false if there
// are too many texts to read them all.
func (h *Handler) compare(ctx context.Context, r ledger.Record, attempt ledger.Attempt, q *reconcile.Question) (whole bool, err error) {
	q.Known = map[string]bool{}
	h.heed(r, attempt, q)
	if attempt.Number == 0 {
		// A message that one of the text's own attempts may have made is one that is asked for.
		q.Rivals = nil
	}
	for i := range q.Rivals {
		// The text's own came before, though they may have begun in the same millisecond.
		q.Rivals[i] = q.Rivals[i].Add(-time.Nanosecond)
	}
	number := r.Customer
	if number == "" {
		number = r.TwilioNumber
	}
	query := ledger.Query{Number: number, Since: attempt.StartedAt.Add(-comparedAge), Limit: ledger.MaxLimit}
	for range comparedPages {
		page, err := h.Records.List(ctx, query)
		if err != nil {
			return false, err
		}
		for _, other := range page.Records {
			if err := h.heedOther(ctx, r, other, attempt, q); err != nil {
				return false, err
			}
		}
		if page.Next.IsZero() {
			return true, nil
		}
		query.Cursor = page.Next
	}
	return false, nil
}

// heedOther takes in another text, if it says the same. It is read anew: a list may lag.
func (h *Handler) heedOther(ctx context.Context, r, other ledger.Record, attempt ledger.Attempt, q *reconcile.Question) error {
	if other.MessageSid == r.MessageSid || !sms.Same(other.TwilioNumber, r.TwilioNumber) || !reconcile.Same(bodyOf(other), q.Message.Body) {
		return nil
	}
	other, err := h.Ledger.Get(ctx, other.MessageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err == nil {
		h.heed(other, attempt, q)
	}
	return err
}

// heed takes in the attempts of a text to the same phone, but the one in question. One that Twilio refused for the moment may
// have been taken all the same: it counts as one whose outcome is not known. Not so for what was sent elsewhere: after a busy hour
// every text has such attempts, and if one was taken after all, the phone has those words as often as it should.
func (h *Handler) heed(r ledger.Record, about ledger.Attempt, q *reconcile.Question) {
	for _, a := range r.Attempts {
		switch {
		case !sms.Same(a.To, about.To), a.ClaimID == about.ClaimID:
		case a.OutboundSid != "":
			q.Known[a.OutboundSid] = true
		case a.Outcome == "", a.Unknown(), a.Refused() && about.Number > 0:
			startedAt := a.StartedAt
			if clock.Ahead(startedAt, h.Now()) {
				// The clock was ahead: nobody knows when that was.
				startedAt = about.StartedAt
			}
			q.Rivals = append(q.Rivals, startedAt)
		}
	}
}
