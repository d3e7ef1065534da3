package delivery

import (
	"context"
	"errors"
	"log/slog"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// conclude does what comes after a text that needs nothing more, before its message is done with: the phone that wrote an answer is
// told if the customer did not get it, it is noted that a customer waits, and the second part of a long text is sent.
func (h *Handler) conclude(ctx context.Context, j *job) verdict {
	if err := errors.Join(h.tellLoss(ctx, j.text), h.tellFormer(ctx, j.text)); err != nil {
		return h.notNow(ctx, j, "phone not told", err)
	}
	if j.parent == nil {
		if err := h.settleRing(ctx, j.text); err != nil {
			return h.notNow(ctx, j, "ring not settled", err)
		}
	}
	if err := h.awaitAnswer(ctx, j); err != nil {
		return h.notNow(ctx, j, "waiting customer not noted", err)
	}
	return h.sendRest(ctx, j)
}

// sendRest sends what did not fit into the text's message, in the text's own place: the customer's next text comes after it. What was to
// go to a phone ends once another phone has the first part.
func (h *Handler) sendRest(ctx context.Context, j *job) verdict {
	firsts := j.text.FirstParts()
	for i, first := range firsts {
		rest := plan.RestOf(j.text.AsSent(first), first.Header)
		if rest == "" {
			continue
		}
		second, err := h.secondPart(ctx, j, first, rest)
		if err != nil {
			return h.notNow(ctx, second, "record not read", err)
		}
		second.isOver = i < len(firsts)-1
		if second.text.Version == 0 && (second.isOver || first.Status.Lost()) {
			continue
		}
		if v := h.takeUp(ctx, j, second); v.stops() {
			return v
		}
		if v := h.advance(ctx, second); !v.isDone() {
			return v
		}
	}
	return done()
}

// hasRest reports whether the text is out, and did not fit into its message.
func hasRest(r ledger.Record) bool {
	first, ok := r.LastAccepted()
	isOut := ok && (r.State == ledger.Sent || r.State == ledger.Delivered)
	return isOut && plan.RestOf(r.AsSent(first), first.Header) != ""
}

// secondPart returns the job of the second part for the phone that got the first one: as it is on record, or a new one.
func (h *Handler) secondPart(ctx context.Context, j *job, first ledger.Attempt, rest string) (*job, error) {
	second := &job{record: j.record}
	// A dead letter and an operator's order are about the text whose message it is.
	second.record.MessageAttributes = nil
	for others := range maxParts {
		second.text = j.text.NewSecondPart(first, others, rest, h.config.Now())
		known, err := h.recall(ctx, second.text)
		if err != nil {
			return second, err
		}
		if known.Version > 0 {
			second.text = known
		}
		if sms.Same(second.text.Destination, first.To) {
			break
		}
	}
	return second, nil
}

// maxParts bounds for how many phones at the same hop there is a second part of a text.
const maxParts = 5

// takeUp takes back a second part that ended, if it is to be sent after all.
func (h *Handler) takeUp(ctx context.Context, j, second *job) verdict {
	again, changed, err := second.text.Again(j.text, h.config.Now())
	if second.isOver || err == nil && !changed {
		return verdict{}
	}
	return h.write(ctx, second, "second part", again, err)
}

// endRest ends a second part that is not sent any more.
func (h *Handler) endRest(ctx context.Context, j *job) verdict {
	wanted, err := j.text.Drop(ledger.ReasonNoFirstPart, h.config.Now())
	if v := h.write(ctx, j, "end", wanted, err); v.stops() {
		return v
	}
	h.emitOutcome(j.text)
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "second part ended unsent", textAttrs(j.text, nil)...)
	return done()
}
