package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sort"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// orderOpen is the value of AttributeOrder in the message of a text that was held while the number was closed.
const orderOpen = "open"

// fullDelay is how long a text waits on the queue before it is looked at again, if so many of its customer are held that it cannot be.
const fullDelay = time.Hour

// holdClosed holds a customer's text until somebody is on duty. A text that somebody wrote who left the route is an answer all the same.
func (h *Handler) holdClosed(ctx context.Context, j *job, p plan.Plan) verdict {
	number, customer := j.text.TwilioNumber, j.text.Customer
	var keys []conversation.PhoneKey
	if j.text.Version == 0 {
		keys = keysOf(number, customer, j.way.Threads)
	}
	c, phones, err := h.config.Conversations.Read(ctx, number, customer, keys...)
	switch {
	case err != nil:
		return h.notNow(ctx, j, "conversation not read", err)
	case slices.ContainsFunc(phones, func(author conversation.Phone) bool { return author.IsKnown(j.text.ReceivedAt) }):
		return h.addressLeft(ctx, j)
	case c.Blocked.On && len(j.text.Attempts) == 0:
		return h.drop(ctx, j, plan.Plan{Drop: ledger.ReasonBlocked})
	case c.Closed.IsFull():
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text waits on the queue: too many of its customer are held", textAttrs(j.text, nil)...)
		return again(min(fullDelay, p.Holds.Sub(h.config.Now())))
	}
	return h.closeText(ctx, j, p.Holds)
}

// closeText writes down that the text is held until then. Only after that the conversation has it: whoever takes up what is held finds it
// so, or does not know of it yet, and then it is taken up by what follows here.
func (h *Handler) closeText(ctx context.Context, j *job, until time.Time) verdict {
	wanted, err := j.text.Close(until, h.config.Now())
	if v := h.write(ctx, j, "hold", wanted, err); v.stops() {
		return v
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text held: nobody is on duty",
		append(textAttrs(j.text, nil), slog.Time("until", j.text.NotBefore))...)
	return decideAgain()
}

// keepClosed is done with the message of a text that is held, once a timer is set that takes it up, and the customer is answered.
func (h *Handler) keepClosed(ctx context.Context, j *job) verdict {
	if err := h.awaitOpening(ctx, j.text); err != nil {
		return h.notNow(ctx, j, "held text not noted", err)
	}
	return done()
}

// awaitOpening notes in the conversation that the text is held. The first one that is sets the timer for all, also if its message comes
// again. If the number is open by now, all are taken up at once.
func (h *Handler) awaitOpening(ctx context.Context, r ledger.Record) error {
	key := customerKey{r.TwilioNumber, r.Customer}
	c, _, err := h.changeConversation(ctx, key, func(c conversation.Conversation) (conversation.Conversation, bool) {
		return c.Close(r.MessageSid, r.CameAt(), r.NotBefore)
	})
	if err != nil {
		return err
	}
	way, err := h.wayOf(ctx, r)
	if err != nil {
		return err
	}
	if !way.HoldsAt(h.config.Now()) {
		if c, err = h.open(ctx, key); err != nil {
			return err
		}
	}
	if c.Closed.IsFirst(r.MessageSid) {
		if err := h.remindOfOpening(ctx, c.Closed); err != nil {
			return err
		}
	}
	if !isCustomers(r) {
		return nil
	}
	return h.answerClosed(ctx, r, &way)
}

// remindOfOpening sets the timer that takes up what is held. It comes at most [queue.MaxDelay] later, and again until the number is open,
// because an operator may open it earlier.
func (h *Handler) remindOfOpening(ctx context.Context, held conversation.Closed) error {
	return h.setTimerOf(ctx, held.MessageSids[0], queue.Timer{Opens: true, Due: held.Until})
}

// opening takes up what is held of a conversation, or sets the timer again.
func (h *Handler) opening(ctx context.Context, due queue.Timer, envelope queue.Envelope) verdict {
	r, err := h.config.Ledger.Get(ctx, envelope.RelayID)
	if errors.Is(err, ledger.ErrNotFound) {
		return done()
	}
	var c conversation.Conversation
	if err == nil {
		c, err = h.open(ctx, customerKey{r.TwilioNumber, r.Customer})
	}
	if err == nil && len(c.Closed.MessageSids) > 0 {
		err = h.remindOfOpening(ctx, c.Closed)
	}
	if err != nil {
		return h.timerLater(ctx, "held texts", due, envelope, err)
	}
	return done()
}

// open takes up the texts of a conversation that are held, as far as they are not any more, in the order in which they came. It may come
// again, and at the same time: each text is sent once, by its claim.
func (h *Handler) open(ctx context.Context, key customerKey) (conversation.Conversation, error) {
	c, err := h.config.Conversations.Get(ctx, key.number, key.customer)
	if err != nil || len(c.Closed.MessageSids) == 0 {
		return c, err
	}
	of := ledger.Record{TwilioNumber: key.number, Customer: key.customer}
	h.config.Routes.Forget(plan.Numbers(of)...)
	way, err := h.wayOf(ctx, of)
	if err != nil {
		return c, err
	}
	now := h.config.Now()
	if until := way.HeldUntil(c.Closed.Since, now); !until.IsZero() && until.Equal(c.Closed.Until) {
		return c, nil
	}
	held, taken, err := h.heldOf(ctx, c.Closed)
	if err != nil {
		return c, err
	}
	var since, next time.Time
	for _, r := range held {
		until := way.HeldUntil(r.CameAt(), now)
		if until.IsZero() && !h.hasTime(ctx) {
			// The timer comes again for the others.
			until = now
		} else if err := h.openText(ctx, r, until); err != nil {
			return c, err
		}
		switch {
		case until.IsZero():
			taken = append(taken, r.MessageSid)
		case next.IsZero() || until.Before(next):
			since, next = r.CameAt(), until
		}
	}
	c, _, err = h.changeConversation(ctx, key, func(c conversation.Conversation) (conversation.Conversation, bool) {
		return c.Open(taken, since, next)
	})
	return c, err
}

// heldOf returns the records of the texts that are held, the one first that came first, and the texts that have none.
func (h *Handler) heldOf(ctx context.Context, closed conversation.Closed) (held []ledger.Record, gone []string, err error) {
	for _, sid := range closed.MessageSids {
		r, err := h.config.Ledger.Get(ctx, sid)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			gone = append(gone, sid)
		case err != nil:
			return nil, nil, err
		default:
			held = append(held, r)
		}
	}
	sort.SliceStable(held, func(i, k int) bool { return held[i].ReceivedAt.Before(held[k].ReceivedAt) })
	return held, gone, nil
}

// openText puts a text that was held back on the queue, or, with until, has it held until then.
func (h *Handler) openText(ctx context.Context, r ledger.Record, until time.Time) error {
	r, err := h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Open(until, h.config.Now())
		// The queue has the text again, so the record must outlive every message that the queue may still hand out.
		return r.Kept(h.config.Now().Add(h.config.Retention)), changed, nil
	})
	if err != nil || !until.IsZero() || r.State != ledger.Queued || r.OpenedAt.IsZero() {
		return err
	}
	message, err := envelopeOf(r).Outgoing()
	if err != nil {
		return err
	}
	// The queue would take it for a repeat of the message with which the text came.
	message.DeduplicationID = orderOpen + "." + r.MessageSid + "." + strconv.FormatInt(r.OpenedAt.UnixMilli(), 10)
	message.Attributes = map[string]string{AttributeOrder: orderOpen}
	return h.config.Answers.Send(ctx, message)
}
