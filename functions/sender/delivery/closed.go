package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// orderOpen is the value of AttributeOrder in the message that takes up what is held of a conversation.
const orderOpen = "open"

// fullDelay is how long a text waits on the queue before it is looked at again, if so many of its customer are held that it cannot be.
const fullDelay = 15 * time.Minute

// holdClosed holds a customer's text until somebody is on duty, or verified. A text that somebody wrote who left the route is an answer all
// the same.
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
	// The record comes before the conversation: who takes up what is held finds the record so, or does not know of the text yet.
	wanted, err := j.text.Close(p.HeldFor, p.Holds, h.config.Now())
	if v := h.write(ctx, j, "hold", wanted, err); v.stops() {
		return v
	}
	level := slog.LevelInfo
	if p.HeldFor == ledger.ReasonUnverified {
		h.config.Emit(one(telemetry.MetricUnanswered))
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(ctx, level, "text held: no phone may get it",
		append(textAttrs(j.text, nil), slog.Time("until", j.text.NotBefore))...)
	return decideAgain()
}

// keepClosed is done with the message of a text that is held, once the conversation lists the text, a timer is set that takes it up, and
// the customer is answered. If the number is open by now, what is held is taken up at once.
func (h *Handler) keepClosed(ctx context.Context, j *job) verdict {
	r, key := j.text, customerKey{j.text.TwilioNumber, j.text.Customer}
	c, _, err := h.changeConversation(ctx, key, func(c conversation.Conversation) (conversation.Conversation, bool) {
		return c.Close(conversation.ClosedText{MessageSid: r.MessageSid, Version: r.Version}, r.CameAt(), r.NotBefore)
	})
	if err == nil && !c.Closed.IsSet {
		// It is noted afterwards: if the sender dies in between, this message or the customer's next one sets the timer once more.
		if err = h.remindOfOpening(ctx, c.Closed); err == nil {
			_, _, err = h.changeConversation(ctx, key, conversation.Conversation.Remind)
		}
	}
	if err != nil {
		return h.notNow(ctx, j, "held text not noted", err)
	}
	way, err := h.wayOf(ctx, r)
	if until, _ := plan.HeldUntil(r, way, h.config.Now()); err == nil && until.IsZero() && j.record.Attributes[attributeGroup] != "" {
		return h.takeUpHeld(ctx, j)
	}
	if err == nil && isCustomers(r) {
		err = h.answerClosed(ctx, r, &way)
	}
	if err != nil {
		return h.notNow(ctx, j, "held text not noted", err)
	}
	return done()
}

// remindOfOpening sets the timer that takes up what is held. It comes at most [queue.MaxDelay] later, and again until the number is open,
// because an operator may open it earlier.
func (h *Handler) remindOfOpening(ctx context.Context, held conversation.Closed) error {
	return h.setTimerOf(ctx, held.Texts[0].MessageSid, queue.Timer{Opens: true, Due: held.Until})
}

// opening calls up what is held of a conversation once the number is open, or sets the timer again.
func (h *Handler) opening(ctx context.Context, due queue.Timer, envelope queue.Envelope) verdict {
	r, err := h.config.Ledger.Get(ctx, envelope.RelayID)
	if errors.Is(err, ledger.ErrNotFound) {
		return done()
	}
	var c conversation.Conversation
	var way route.Route
	if err == nil {
		c, way, err = h.closedOf(ctx, r)
	}
	if err == nil && len(c.Closed.Texts) == 0 {
		return done()
	}
	oldest := ledger.Record{TwilioNumber: r.TwilioNumber, Customer: r.Customer, ReceivedAt: c.Closed.Since}
	until, reason := plan.HeldUntil(oldest, way, h.config.Now())
	switch {
	case err != nil:
	case until.IsZero():
		err = h.callUp(ctx, r)
	default:
		// Each text waits for a phone's code for a day of its own, and may have been held for the night before.
		if !until.Equal(c.Closed.Until) || reason == ledger.ReasonUnverified {
			c, err = h.holdUntil(ctx, c, &way)
		}
		if err == nil && len(c.Closed.Texts) > 0 {
			// What several phones are getting, or Twilio, is still listed, and is not held: the time when it was is over.
			c.Closed.Until = until
			err = h.remindOfOpening(ctx, c.Closed)
		}
	}
	if err != nil {
		return h.timerLater(ctx, "held texts", due, envelope, err)
	}
	return done()
}

// closedOf returns what is held of the text's conversation, and the route as it is now.
func (h *Handler) closedOf(ctx context.Context, r ledger.Record) (c conversation.Conversation, way route.Route, err error) {
	c, err = h.config.Conversations.Get(ctx, r.TwilioNumber, r.Customer)
	if err != nil || len(c.Closed.Texts) == 0 {
		return c, way, err
	}
	of := ledger.Record{TwilioNumber: r.TwilioNumber, Customer: r.Customer}
	h.config.Routes.Forget(plan.Numbers(of)...)
	way, err = h.wayOf(ctx, of)
	return c, way, err
}

// callUpAll calls up what is held of all conversations of a number.
func (h *Handler) callUpAll(ctx context.Context, number sms.PhoneNumber) error {
	var held []string
	err := conversation.Each(ctx, h.config.Customers, number, "", func(c conversation.Conversation) bool {
		if len(c.Closed.Texts) > 0 {
			held = append(held, c.Closed.Texts[0].MessageSid)
		}
		return true
	})
	for _, sid := range held {
		r, getErr := h.config.Ledger.Get(ctx, sid)
		if getErr == nil {
			getErr = h.callUp(ctx, r)
		}
		if !errors.Is(getErr, ledger.ErrNotFound) {
			err = errors.Join(err, getErr)
		}
	}
	return err
}

// callUp puts a message into the conversation of a text that is held, in whose place all are taken up that are.
func (h *Handler) callUp(ctx context.Context, r ledger.Record) error {
	message, err := envelopeOf(r).Outgoing()
	if err != nil {
		return err
	}
	// The queue would take it for a repeat of the message with which the text came, or of an earlier call. The time does not tell calls
	// apart: a clock may be set back.
	message.DeduplicationID = orderOpen + "." + r.MessageSid + "." + h.config.NewClaimID()
	message.Attributes = map[string]string{AttributeOrder: orderOpen}
	return h.config.Answers.Send(ctx, message)
}

// takeUpHeld works on the texts of the job's conversation that are held, in their order and in the place that the job's message has in the
// queue: what comes behind it waits for them. It may come again, and does the rest.
func (h *Handler) takeUpHeld(ctx context.Context, j *job) verdict {
	c, way, err := h.closedOf(ctx, j.text)
	if err == nil && len(c.Closed.Texts) == 0 {
		return done()
	}
	var held []heldText
	var taken []conversation.ClosedText
	if err == nil {
		held, taken, err = h.openAll(ctx, c.Closed, &way)
	}
	if err != nil {
		return h.notNow(ctx, j, "held texts not taken up", err)
	}
	v, goesOn := done(), true
	var left []ledger.Record
	for _, t := range held {
		if goesOn && !t.record.IsClosed() {
			// The message is another text's, or none's.
			one := &job{record: events.SQSMessage{MessageId: j.record.MessageId}, text: t.record}
			goOn := h.advance
			if h.needsNothing(t.record) && len(t.record.Ring.Phones) == 0 {
				goOn = h.conclude
			}
			v = goOn(ctx, one)
			// If it is held again, because the route was changed meanwhile, those behind it wait for it.
			if goesOn = v.isDone() && !one.text.IsClosed(); goesOn {
				taken = append(taken, t.noted)
				continue
			}
			t.record = one.text
		}
		left = append(left, t.record)
	}
	if c, err = h.noteTaken(ctx, c, taken, left); err == nil && v.isDone() && len(c.Closed.Texts) > 0 {
		err = h.remindOfOpening(ctx, c.Closed)
	}
	if err != nil {
		return h.notNow(ctx, j, "held texts not taken up", err)
	}
	return v
}

// isBehindHeld reports whether texts that are held come before the job's: it is a new one, or is held with them.
func (h *Handler) isBehindHeld(j *job, held conversation.Closed) bool {
	if len(held.Texts) == 0 || j.record.Attributes[attributeGroup] == "" || j.text.ParentSid != "" {
		return false
	}
	return j.text.Version == 0 || slices.ContainsFunc(held.Texts, func(t conversation.ClosedText) bool {
		return t.MessageSid == j.text.MessageSid
	})
}

// holdUntil writes until when texts are held, because that has changed.
func (h *Handler) holdUntil(ctx context.Context, c conversation.Conversation, way *route.Route) (conversation.Conversation, error) {
	held, gone, err := h.openAll(ctx, c.Closed, way)
	if err != nil {
		return c, err
	}
	var left []ledger.Record
	for _, t := range held {
		left = append(left, t.record)
	}
	return h.noteTaken(ctx, c, gone, left)
}

// noteTaken notes in the conversation which texts are not held any more, and what is left.
func (h *Handler) noteTaken(
	ctx context.Context, c conversation.Conversation, taken []conversation.ClosedText, left []ledger.Record,
) (conversation.Conversation, error) {
	since, until := h.config.Now(), h.config.Now()
	for i, r := range left {
		if r.CameAt().Before(since) {
			since = r.CameAt()
		}
		if i == 0 || r.NotBefore.Before(until) {
			until = r.NotBefore
		}
	}
	c, _, err := h.changeConversation(ctx, customerKey{c.TwilioNumber, c.Customer},
		func(c conversation.Conversation) (conversation.Conversation, bool) {
			return c.Open(taken, since, until)
		})
	return c, err
}

// heldText is a text that is held, as the conversation has noted it, and its record.
type heldText struct {
	noted  conversation.ClosedText
	record ledger.Record
}

// openAll writes into the records of what is held that the number is open for them, or until when they are held. It returns them in their
// order, and the texts that have no record. That is the order in which they were held, which is the queue's: the clocks of the front doors
// may differ. What was tried before the number closed came before them all.
func (h *Handler) openAll(
	ctx context.Context, closed conversation.Closed, way *route.Route,
) (held []heldText, gone []conversation.ClosedText, err error) {
	// One time for all: if the number opens between two of them, the second one must not go before the first.
	now := h.config.Now()
	for _, noted := range closed.Texts {
		r, err := h.config.Ledger.Get(ctx, noted.MessageSid)
		if errors.Is(err, ledger.ErrNotFound) {
			gone = append(gone, noted)
			continue
		}
		if err == nil {
			r, err = h.openText(ctx, r, way, now)
		}
		if err != nil {
			return nil, nil, err
		}
		held = append(held, heldText{noted, r})
	}
	sort.SliceStable(held, func(i, k int) bool { return len(held[i].record.Attempts) > 0 && len(held[k].record.Attempts) == 0 })
	return held, gone, nil
}

func (h *Handler) openText(ctx context.Context, r ledger.Record, way *route.Route, now time.Time) (ledger.Record, error) {
	until, reason := plan.HeldUntil(r, *way, now)
	return h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		if reason != "" && r.State == ledger.Queued && !r.IsClosed() && len(r.Ring.Phones) == 0 {
			// It was taken up, and what is before it is held again since. What several phones get at the same time has begun.
			held, err := r.Close(reason, until, now)
			return held, err == nil, err
		}
		r, changed := r.Open(reason, until, now)
		// The queue has the text again, so the record must outlive every message that the queue may still hand out.
		return r.Kept(now.Add(h.config.Retention)), changed, nil
	})
}
