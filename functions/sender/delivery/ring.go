package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// startRing writes down to which phones the text goes at the same time, before any of them gets it: a text that comes again after a crash
// goes to the same ones.
func (h *Handler) startRing(ctx context.Context, j *job, p plan.Plan) verdict {
	wanted, err := j.text.StartRing(p.Ring, h.config.Now())
	if v := h.write(ctx, j, "ring", wanted, err); v.stops() {
		return v
	}
	j.isNewRing = true
	return decideAgain()
}

// ring sends the text to each phone of its ring by a record of its own, in the text's own place: the customer's next text comes after it.
// One that has to wait does not hold up the others. Once none has to, the text's own state follows.
func (h *Handler) ring(ctx context.Context, j *job) verdict {
	rung, wait := make([]ledger.Record, len(j.text.Ring.Phones)), verdict{}
	for place := range rung {
		one := &job{record: j.record, text: j.text.ToPhone(place, h.config.Now()), parent: j}
		// A dead letter and an operator's order are about the text whose message it is.
		one.record.MessageAttributes = nil
		if !j.isNewRing {
			known, err := h.recall(ctx, one.text)
			if err != nil {
				return h.notNow(ctx, one, "record not read", err)
			}
			if known.Version > 0 {
				one.text = known
			}
		}
		goOn := h.advance
		if h.needsNothing(one.text) {
			goOn = h.conclude
		}
		v := goOn(ctx, one)
		if !v.isDone() && (!wait.isFinal() || v.delay < wait.delay) {
			wait = v
		}
		rung[place] = one.text
	}
	j.rung, j.isNewRing = rung, false
	if wait.isFinal() {
		if err := h.awaitAnswer(ctx, j); err != nil {
			return h.notNow(ctx, j, "waiting customer not noted", err)
		}
		return wait
	}
	v := h.endRing(ctx, j)
	if v.stops() {
		j.rung = nil
	}
	return v
}

// endRing writes down what follows for the text once its phones have been texted.
func (h *Handler) endRing(ctx context.Context, j *job) verdict {
	if !j.text.IsRinging() {
		return verdict{}
	}
	hasNext, err := h.hasNext(ctx, j)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	wanted, _, err := h.settled(j.text, j.rung, hasNext)
	if v := h.write(ctx, j, "ring", wanted, err); v.stops() {
		return v
	}
	h.rang(ctx, j.text)
	return verdict{}
}

// settled returns the text in the state that follows from its records to each phone, see [ledger.Record.Settle].
func (h *Handler) settled(r ledger.Record, rung []ledger.Record, hasNext bool) (settled ledger.Record, changed bool, err error) {
	settled, changed, err = r.Settle(rung, hasNext, h.config.Now())
	if r.State == ledger.Dead || settled.State == ledger.Dead {
		// The dead letters of its records may be moved back for as long as they lie there.
		settled = settled.Kept(h.config.Now().Add(h.config.Retention))
	}
	return settled, changed, err
}

// rang measures and logs a text whose state has followed from its phones'.
func (h *Handler) rang(ctx context.Context, r ledger.Record) {
	if r.State != ledger.Sent {
		h.emitMove(r)
	}
	level := slog.LevelInfo
	if r.ReachedNobody() {
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(ctx, level, "text to several phones settled", textAttrs(r, nil)...)
}

// settleRing brings the text that goes to several phones to where the one to one of them has brought it. Such a text that is lost itself is
// looked at again: while its last phone was tried, an operator may have sent it to an earlier one once more. It may come again after a
// crash, and does nothing then. Every other text is nothing to it.
func (h *Handler) settleRing(ctx context.Context, one ledger.Record) error {
	sid := one.ParentSid
	switch {
	case one.HasLostRing():
		sid = one.MessageSid
	case !one.IsRung():
		return nil
	}
	parent, err := h.config.Ledger.Get(ctx, sid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	// Whoever still sends the text to other phones knows that it was sent to this one, unless that was found out later.
	isKnown := parent.State == ledger.Sent || parent.IsRinging() && !wasLookedFor(one)
	isKnown = parent.State == ledger.Delivered || one.State == ledger.Sent && isKnown
	if err != nil || isKnown {
		return err
	}
	j := &job{text: parent, rung: []ledger.Record{one}}
	if one.State != ledger.Delivered {
		if j.rung, err = h.rungOf(ctx, &job{text: parent}); err != nil {
			return err
		}
	}
	hasNext, err := h.hasNext(ctx, j)
	if err != nil {
		return err
	}
	stored, isMine, err := h.changeOwn(ctx, parent, func(r ledger.Record) (ledger.Record, bool, error) {
		return h.settled(r, j.rung, hasNext)
	})
	if err != nil {
		return err
	}
	if isMine && stored.State != parent.State {
		h.rang(ctx, stored)
	}
	if stored.State == ledger.Queued && stored.Reason == ledger.ReasonNextHop && len(stored.Attempts) == 0 {
		// The text's own message is gone.
		return h.remind(ctx, stored.MessageSid, stored.Upcoming(), stored.NotBefore)
	}
	return nil
}

// hasNext reports whether none of the phones of the text's ring can get it, and the route has another one.
func (h *Handler) hasNext(ctx context.Context, j *job) (bool, error) {
	if !ledger.IsLost(j.rung) {
		return false, nil
	}
	p, err := h.plan(ctx, j)
	return p.Drop == "" && (p.To != "" || !p.Holds.IsZero()), err
}

// wasLookedFor reports whether the outcome of one of the text's attempts was unknown for a time.
func wasLookedFor(r ledger.Record) bool {
	return slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return a.Looks > 0 })
}

// rungOf returns the records of the text to the phones of its ring, as far as there are any.
func (h *Handler) rungOf(ctx context.Context, j *job) ([]ledger.Record, error) {
	if j.rung != nil {
		return j.rung, nil
	}
	rung := make([]ledger.Record, len(j.text.Ring.Phones))
	for place := range rung {
		var err error
		if rung[place], err = h.recall(ctx, j.text.ToPhone(place, h.config.Now())); err != nil {
			return nil, err
		}
	}
	return rung, nil
}

// ofPhones returns the job's text, with what became of it at the phones of its ring if it has one.
func (h *Handler) ofPhones(ctx context.Context, j *job) (ledger.Record, error) {
	if len(j.text.Ring.Phones) == 0 {
		return j.text, nil
	}
	rung, err := h.rungOf(ctx, j)
	return j.text.OfPhones(rung), err
}

// isRung reports whether the phone, which has the conversation, gets the text, of which the job's is the one to another phone: then nobody
// else needs it.
func (h *Handler) isRung(ctx context.Context, j *job, claimer sms.PhoneNumber) (bool, error) {
	parent, err := h.config.Ledger.Get(ctx, j.text.ParentSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	place := slices.IndexFunc(parent.Ring.Phones, func(p sms.PhoneNumber) bool { return sms.Same(p, claimer) })
	if err != nil || place < 0 {
		return false, err
	}
	one, err := h.recall(ctx, parent.ToPhone(place, h.config.Now()))
	return one.State == ledger.Sent || one.State == ledger.Delivered, err
}
