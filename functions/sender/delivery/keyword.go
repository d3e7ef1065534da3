package delivery

import (
	"context"
	"errors"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxHearings bounds how often a keyword is written while other senders change the same conversation.
const maxHearings = 5

var errUnsettledHearing = errors.New("others changed the conversation each time")

// hear records a customer's keyword and plans again with the result. The verdict stops if the plan is out of date.
func (h *Handler) hear(ctx context.Context, j *job, p plan.Plan) (plan.Plan, verdict) {
	counts := true
	if p.Keyword.Type == sms.OptOutStop || p.Keyword.Type == sms.OptOutStart {
		known, isHeard, err := h.hearOptOut(ctx, j, p.Keyword)
		if err != nil {
			return p, h.notNow(ctx, j, "keyword not recorded", err)
		}
		if known.Version > 0 {
			// Another sender had the text meanwhile, and its reading of the keyword counts.
			j.text = known
			return p, decideAgain()
		}
		counts = isHeard
	}
	if !counts {
		return p, verdict{}
	}
	j.text.Keyword = p.Keyword.Word
	p, err := h.plan(ctx, j)
	if err != nil {
		return p, h.notNow(ctx, j, "route not looked up", err)
	}
	return p, verdict{}
}

// hearOptOut writes into the conversation that the customer opted out, or in again. counts is false if the word means nothing
// here. known is the text's record, if it has one by now; then nothing was written.
//
// A text may be handed out twice, while a later one has gone through: a STOP that comes again must not undo the START behind
// it. A later text is handed out only once this one is on record. So the conversation is read first and the record second: if
// there is no record, nothing later has been heard by the time of the first read, and what is written after it fails by its
// version.
func (h *Handler) hearOptOut(ctx context.Context, j *job, keyword sms.Keyword) (known ledger.Record, counts bool, err error) {
	for range maxHearings {
		c, err := h.config.Conversations.Get(ctx, j.text.TwilioNumber, j.text.Customer)
		if err != nil {
			return known, false, err
		}
		if known, err = h.recall(ctx, j.text); err != nil || known.Version > 0 {
			return known, false, err
		}
		heard, changed, counts := c.Hear(keyword, j.text.MessageSid, j.text.ReceivedAt)
		if !changed {
			return known, counts, nil
		}
		_, err = auditlog.PutConversation(ctx, h.config.Conversations, c, heard, h.config.Now())
		switch {
		case err == nil:
			return known, true, nil
		case errors.Is(err, conversation.ErrConflict), fault.Of(err).Kind == fault.Unknown:
		default:
			return known, false, err
		}
	}
	return known, false, errUnsettledHearing
}

// isOptedOut reports whether the phone that an operator chose has opted out. It is false, and nothing is read, for every other text
// and for one that does not wait for an attempt.
func (h *Handler) isOptedOut(ctx context.Context, r ledger.Record) (bool, error) {
	if r.Notice && !r.IsAutoAnswer() || r.SecondPart || r.ParentSid != "" || r.Destination == "" || r.State != "" && r.State != ledger.Queued {
		return false, nil
	}
	c, err := h.config.Conversations.Get(ctx, r.TwilioNumber, r.Destination)
	return c.OptOut.OptedOut, err
}
