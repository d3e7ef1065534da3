package delivery

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/plan"
)

// conclude does what comes after a text that needs nothing more, before its message is done with: the phone that wrote an answer is
// told if the customer did not get it, and the second part of a long text is sent.
func (h *Handler) conclude(ctx context.Context, j *job) verdict {
	if err := h.tellLoss(ctx, j.text); err != nil {
		return h.notNow(ctx, j, "phone not told", err)
	}
	return h.sendRest(ctx, j)
}

// sendRest sends what did not fit into the text's message, in the text's own place: the customer's next text comes after it.
func (h *Handler) sendRest(ctx context.Context, j *job) verdict {
	accepted, ok := j.text.LastAccepted()
	if !ok {
		return done()
	}
	rest := plan.RestOf(j.text.AsSent(accepted), accepted.Header)
	if rest == "" {
		return done()
	}
	second := &job{record: j.record, text: j.text.NewSecondPart(accepted, rest, h.config.Now())}
	known, err := h.recall(ctx, second.text)
	if err != nil {
		return h.notNow(ctx, second, "record not read", err)
	}
	if known.Version > 0 {
		second.text = known
	}
	return h.advance(ctx, second)
}
