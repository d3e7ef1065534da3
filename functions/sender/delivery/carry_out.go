package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// carryOut does what was decided about a text of a phone on duty, and is done with its message. Each step may come again after a crash,
// and does nothing the second time. Until all are done, the phone's next text is not decided about.
func (h *Handler) carryOut(ctx context.Context, j *job) verdict {
	for _, step := range []func(context.Context, *job) error{
		h.remember, h.endHeld, h.releaseHeld, h.passOn, h.awaitAddress, h.see, h.command, h.tell, h.keepHeld,
	} {
		if err := step(ctx, j); err != nil {
			return h.notNow(ctx, j, "answer not carried out", err)
		}
	}
	return done()
}

// remember writes the phone's text into what is kept of the phone.
func (h *Handler) remember(ctx context.Context, j *job) error {
	a := j.text.Answer
	key := keyOf(j.text, a.Phone)
	if j.author.PhoneKey != key {
		phone, err := h.config.Conversations.GetPhone(ctx, key)
		if err != nil {
			return err
		}
		j.author = phone
	}
	w := conversation.Writing{
		MessageSid: j.text.MessageSid, At: a.At, DecidedAt: j.text.UpdatedAt, Now: h.config.Now(),
		Verdict: decisionOf(j.text), Ends: slices.Concat(a.Ends, a.Releases), IsOver: !j.text.IsHeld(),
		To: h.customerOf(j), Tag: conversation.Tag(a.Tag), Texts: countedBy(a), Digest: digestOf(key, j.text.Body),
		IsAutoReplyTold: j.text.Reason == ledger.ReasonAutoReply && a.Tells != "",
	}
	w.Leading, _, _ = conversation.Leading(j.text.Body)
	for _, tag := range a.Named {
		w.Named = append(w.Named, conversation.Tag(tag))
	}
	stored, err := h.changePhone(ctx, j.author, func(p conversation.Phone) (conversation.Phone, bool) { return p.Wrote(w) })
	j.author = stored
	if err != nil || w.To == "" || stored.Knows(w.To) {
		return err
	}
	// It addressed, by its tag, a customer of another thread.
	other, err := h.whereKnown(ctx, j.text, stored)
	if err == nil {
		_, err = h.changePhone(ctx, other, func(p conversation.Phone) (conversation.Phone, bool) { return p.Answered(w) })
	}
	return err
}

// whereKnown returns what is kept of the phone that wrote an answer where its customer is known: at the number that it wrote to, which is
// own, or at another one of the route.
func (h *Handler) whereKnown(ctx context.Context, r ledger.Record, own conversation.Phone) (conversation.Phone, error) {
	if own.Knows(r.Customer) {
		return own, nil
	}
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(r)...)
	if err != nil {
		return own, err
	}
	way, _ := route.Find(routes, r.TwilioNumber)
	others, err := elsewhere(ctx, h.config.Conversations, way.ThreadsKept(r.ReceivedAt), own.PhoneKey)
	if i := slices.IndexFunc(others, func(p conversation.Phone) bool { return p.Knows(r.Customer) }); i >= 0 {
		return others[i], err
	}
	return own, err
}

// countedBy returns how many texts take their place at once in what may go back and forth between a phone and a customer, by the decision
// about a text of the phone.
func countedBy(a ledger.Answer) int {
	switch {
	case a.IsUncounted:
		return 0
	case a.Verdict == ledger.AnswerSent:
		return 1
	}
	return len(a.Releases)
}

// customerOf returns the customer whom the phone wrote to, empty if it wrote to nobody.
func (h *Handler) customerOf(j *job) sms.PhoneNumber {
	if a := j.text.Answer; a.Verdict == ledger.AnswerReleased {
		e, _ := j.author.ByTag(conversation.Tag(a.Tag), a.At)
		return e.Customer
	}
	return j.text.Destination
}

// endHeld ends the words that the text ends unsent.
func (h *Handler) endHeld(ctx context.Context, j *job) error {
	for _, sid := range j.text.Answer.Ends {
		if err := h.unhold(ctx, sid); err != nil {
			return err
		}
	}
	return nil
}

// unhold ends held words unsent, unless they are not held any more.
func (h *Handler) unhold(ctx context.Context, messageSid string) error {
	held, err := h.config.Ledger.Get(ctx, messageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	ended := false
	stored, err := h.change(ctx, held, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, ended, err = r.Unhold(h.config.Now())
		return r, ended, err
	})
	if err == nil && ended {
		h.emitOutcome(stored)
	}
	return err
}

// releaseHeld sends the words that the text releases to their customer, in the order in which they came.
func (h *Handler) releaseHeld(ctx context.Context, j *job) error {
	customer := h.customerOf(j)
	if customer == "" {
		return nil
	}
	for _, sid := range j.text.Answer.Releases {
		held, err := h.config.Ledger.Get(ctx, sid)
		if errors.Is(err, ledger.ErrNotFound) {
			continue
		}
		if err == nil {
			held, err = h.change(ctx, held, func(r ledger.Record) (ledger.Record, bool, error) {
				r, changed := r.Release(customer, j.text.Answer, h.config.Now())
				return r, changed, nil
			})
		}
		if err != nil {
			return err
		}
		if held.State == ledger.Dropped {
			// Their time was over before they could be released.
			err = h.notify(ctx, keyOf(j.text, j.text.Answer.Phone), sid+unaddressed, conversation.NotSent(held.Body))
		} else {
			err = h.sendAnswer(ctx, held)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unaddressed is what the cause of the notice about words that ended unsent ends in.
const unaddressed = ".unaddressed"

// passOn sends the text itself to its customer.
func (h *Handler) passOn(ctx context.Context, j *job) error { return h.sendAnswer(ctx, j.text) }

// sendAnswer puts the message on the queue that takes an answer to its customer. It does nothing if the answer is for nobody, or has
// gone on already.
func (h *Handler) sendAnswer(ctx context.Context, r ledger.Record) error {
	if r.Destination == "" || r.State != ledger.Queued || len(r.Attempts) > 0 {
		return nil
	}
	message, err := envelopeOf(r).Outgoing()
	if err != nil {
		return err
	}
	return h.config.Answers.Send(ctx, message)
}

// awaitAddress sets the timer that ends held words.
func (h *Handler) awaitAddress(ctx context.Context, j *job) error {
	if !j.text.IsHeld() {
		return nil
	}
	return h.remind(ctx, j.text.MessageSid, j.text.Upcoming(), j.text.NotBefore)
}

// tell tells the phone what became of its text.
func (h *Handler) tell(ctx context.Context, j *job) error {
	if j.text.Answer.Tells == "" || j.text.Answer.Verdict == ledger.AnswerCommand {
		return nil
	}
	return h.notify(ctx, keyOf(j.text, j.text.Answer.Phone), j.text.MessageSid, j.text.Answer.Tells)
}

// holdOn goes on holding words whose time is not over.
func (h *Handler) holdOn(ctx context.Context, j *job) verdict {
	var err error
	isEarly := j.due.Before(j.text.NotBefore)
	if isEarly {
		err = h.keepHeld(ctx, j)
	}
	// Soon after the text came, the timer is one for an attachment, and another one ends the words. Later it may be that other one, if a
	// clock jumped meanwhile.
	if err == nil && (!isEarly || !h.mayWaitForMedia(j.text.Answer.At)) {
		err = h.remind(ctx, j.text.MessageSid, j.text.Upcoming(), j.text.NotBefore)
	}
	if err != nil {
		return h.notNow(ctx, j, "timer not set", err)
	}
	return done()
}

// rehold holds words from now on if the clock that held them was ahead: the timer that was set by it keeps its length, and so do they.
func (h *Handler) rehold(ctx context.Context, j *job) error {
	now := h.config.Now()
	held, isAhead := j.text.Rehold(now)
	if !isAhead {
		return nil
	}
	if err := h.remind(ctx, held.MessageSid, held.Upcoming(), held.NotBefore); err != nil {
		return err
	}
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Rehold(now)
		return r, changed, nil
	})
	j.text = stored
	return err
}

// endHold ends words that were held for so long that they are not sent any more. The phone is told once, about the first of them.
func (h *Handler) endHold(ctx context.Context, j *job, due time.Time) verdict {
	// It is compared with the time until which the words are held, which the same clock set.
	j.due = due
	if err := h.rehold(ctx, j); err != nil {
		return h.notNow(ctx, j, "hold not corrected", err)
	}
	if left := j.text.NotBefore.Sub(h.config.Now()); left > 0 {
		return h.holdOn(ctx, j)
	}
	a := j.text.Answer
	phone, err := h.config.Conversations.GetPhone(ctx, keyOf(j.text, a.Phone))
	if err == nil {
		// While the phone's item has the words, a tag may still release them; once it does not, only they can have been released.
		_, err = h.changePhone(ctx, phone, func(p conversation.Phone) (conversation.Phone, bool) { return p.Without(j.text.MessageSid) })
	}
	if err == nil && a.Verdict == ledger.AnswerHeld {
		err = h.notify(ctx, keyOf(j.text, a.Phone), j.text.MessageSid+unaddressed, conversation.NotSent(j.text.Body))
	}
	if err == nil {
		err = h.unhold(ctx, j.text.MessageSid)
	}
	if err != nil {
		return h.notNow(ctx, j, "held words not ended", err)
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "held words ended unsent", textAttrs(j.text, nil)...)
	return done()
}

// decisionOf is what the verdict in the text's record was decided from. Nobody thinks of an automatic reply or of a reaction as of
// something that he wrote.
func decisionOf(r ledger.Record) conversation.Verdict {
	switch r.Answer.Verdict {
	case ledger.AnswerSent:
		return conversation.Send
	case ledger.AnswerJoined:
		return conversation.Join
	case ledger.AnswerTold, ledger.AnswerCommand:
		return conversation.Tell
	case ledger.AnswerReleased:
		return conversation.Release
	case ledger.AnswerDropped:
		if r.Reason == ledger.ReasonAutoReply || r.Reason == ledger.ReasonReaction {
			return conversation.Ignore
		}
		return conversation.Refuse
	case ledger.AnswerHeld:
	}
	return conversation.Ask
}
