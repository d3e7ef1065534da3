package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// askTimeout is how long a search may take that reads Twilio's list of hours.
const askTimeout = 30 * time.Second

// causeKey is the key under which a context has the time of the cause of what the relay sends by itself.
type causeKey struct{}

// because notes when the cause was of what the relay sends by itself: another relay may have sent that already, if the cause came before
// this relay's data was copied or restored.
func (h *Handler) because(ctx context.Context, at time.Time) context.Context {
	if !at.Before(h.config.AskBefore) {
		return ctx
	}
	return context.WithValue(ctx, causeKey{}, at)
}

// causeOf returns when what an envelope brings happened.
func causeOf(e queue.Envelope) time.Time {
	if e.WrittenAt.IsZero() {
		return e.ReceivedAt
	}
	return e.WrittenAt
}

// causedAt returns when the cause was, if another relay may have sent what comes of it; zero if none has.
func causedAt(ctx context.Context) time.Time {
	at, _ := ctx.Value(causeKey{}).(time.Time)
	return at
}

// ask finds out, before an attempt, whether another relay has sent the text already. It asks Twilio only about texts that came in
// before this relay's data was copied or restored. A message that the other relay sent is adopted. If there is no telling, the
// text is left to an operator. If nobody has sent it, it goes on.
func (h *Handler) ask(ctx context.Context, j *job, p plan.Plan) verdict {
	since := j.text.ReceivedAt
	if !j.writtenAt.IsZero() {
		since = j.writtenAt
	}
	if !since.Before(h.config.AskBefore) {
		return verdict{}
	}
	hops, err := h.hopsToAsk(ctx, j.text, p)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	for _, at := range hops {
		found, finding, err := h.sentBefore(ctx, j, at, since)
		switch {
		case err != nil:
			return h.unasked(ctx, j, p, at, err)
		case finding == reconcile.Present:
			return h.adopt(ctx, j, p, at, found)
		case finding == reconcile.Ambiguous && !h.isOrdered(j.text):
			return h.leave(ctx, j, at, ledger.ReasonAmbiguous)
		}
	}
	if wait := h.config.AskBefore.Add(h.span()).Sub(h.config.Now()); wait > 0 {
		// What the other relay sent a moment before this one started may not be on Twilio's list yet.
		h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text waits: another copy of the data may have sent it", textAttrs(j.text, nil)...)
		return again(h.within(p, wait))
	}
	return verdict{}
}

// copiedTag returns the customer's tag as it was read, if he had it when the data was copied.
func (h *Handler) copiedTag(c conversation.Conversation) conversation.Tag {
	if !c.TagUsedAt.Before(h.config.AskBefore) {
		return ""
	}
	return c.Tag
}

// hopsToAsk are the phones that the other relay may have sent the text to, from each number of the route: first the one that is next
// here, then every other open phone.
func (h *Handler) hopsToAsk(ctx context.Context, r ledger.Record, p plan.Plan) ([]hop, error) {
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(r)...)
	if err != nil {
		return nil, err
	}
	way := plan.Way(r, routes)
	phones := []hop{{phone: p.To, place: p.Hop}}
	for place, phone := range way.Receivers() {
		if !sms.Same(phone, p.To) && r.HopOpen(phone) {
			phones = append(phones, hop{phone: phone, place: place})
		}
	}
	var hops []hop
	for _, at := range phones {
		for _, from := range append([]sms.PhoneNumber{""}, way.Threads...) {
			hops = append(hops, hop{at.phone, at.place, from})
		}
	}
	return hops, nil
}

// sentBefore searches Twilio's list for a message with this text to that phone that no attempt of ours has sent since then.
func (h *Handler) sentBefore(ctx context.Context, j *job, at hop, since time.Time) (sms.Listed, reconcile.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	search := h.search()
	search.Longest, search.Tag = h.config.Now().Sub(since)+h.config.SendTimeout, j.head.copied
	found, finding, err := search.Find(ctx, j.text, ledger.Attempt{
		Hop: at.place, To: at.phone, From: at.from, StartedAt: since, Header: j.head.text,
	})
	outcome := "unreadable"
	if err == nil {
		outcome = finding.String()
	}
	h.config.Emit(count(telemetry.MetricLooked, "Verdict", outcome))
	return found, finding, err
}

// isOrdered reports whether an operator ordered the text to be sent again here, knowing what is on Twilio's list.
func (h *Handler) isOrdered(r ledger.Record) bool {
	return r.Decision.What == ledger.VerdictResend && r.RedrivenAt.After(h.config.AskBefore)
}

// unasked leaves the text for when Twilio's list can be read, for as long as a look would.
func (h *Handler) unasked(ctx context.Context, j *job, p plan.Plan, at hop, err error) verdict {
	since := h.config.AskBefore
	if j.text.RedrivenAt.After(since) {
		since = j.text.RedrivenAt
	}
	if h.config.Now().Sub(since) >= patienceWithList && looks(j.record) >= leastTries {
		return h.leave(ctx, j, at, ledger.ReasonUnreadableList)
	}
	v := h.notNow(ctx, j, "Twilio's list not read", err)
	v.delay = h.within(p, v.delay)
	return v
}

// adopt takes over the message that the other relay sent.
func (h *Handler) adopt(ctx context.Context, j *job, p plan.Plan, at hop, found sms.Listed) verdict {
	if v := h.setTimer(ctx, j, p, at.phone); v.stops() {
		return v
	}
	attempt, v := h.claimUnsent(ctx, j, at)
	if v.stops() {
		return v
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text adopted: another copy of the data has sent it", textAttrs(j.text, nil)...)
	return h.discovered(ctx, j, attempt, found)
}

// leave leaves a text that another relay may have sent to an operator.
func (h *Handler) leave(ctx context.Context, j *job, at hop, reason ledger.Reason) verdict {
	attempt, v := h.claimUnsent(ctx, j, at)
	if v.stops() {
		return v
	}
	return h.park(ctx, j, attempt, ledger.Onward{To: ledger.Uncertain, Reason: reason})
}

// claimUnsent records an attempt that this relay does not make itself. It stops if the text has gone on meanwhile, or if the
// record could not be written.
func (h *Handler) claimUnsent(ctx context.Context, j *job, at hop) (ledger.Attempt, verdict) {
	if v := h.enter(ctx, j, at); v.stops() {
		return ledger.Attempt{}, v
	}
	attempt, v := h.claim(ctx, j, at)
	if v.stops() {
		return attempt, v
	}
	elsewhere := &fault.Error{Kind: fault.Unknown, Err: errCopied}
	doubted := false
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, doubted = r.Doubt(attempt.Number, elsewhere, h.config.Now(), h.config.Now())
		return r, doubted, nil
	})
	if err != nil {
		// It comes back when the lease is over.
		return attempt, h.notNow(ctx, j, "claim of an adopted text not recorded", err)
	}
	j.text, j.moved = stored, true
	if !doubted {
		return attempt, decideAgain()
	}
	return attempt, verdict{}
}

// errCopied says why we made no POST for an attempt.
var errCopied = errors.New("not posted here: another copy of the data may have sent it")
