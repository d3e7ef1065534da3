package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// verdictAutomatic is the Verdict under which the relay's own answers to customers are counted.
const verdictAutomatic = "automatic"

// noOne is what the cause of an answer ends in that says that nobody is there, after the text with which the customer began to wait.
const noOne = ".no_one"

// closedTo returns what a customer's text is answered that came when nobody was on duty, if still nobody is; empty if it is not.
func closedTo(r ledger.Record, way *route.Route, now time.Time) string {
	if way.AutoAnswer.Closed == "" || conversation.IsAutoReply(r.Body) || !way.IsClosed(r.ReceivedAt) || !way.IsClosed(now) {
		return ""
	}
	return way.AutoAnswer.Closed
}

// answerClosed answers a customer whose text came when nobody was on duty.
func (h *Handler) answerClosed(ctx context.Context, r ledger.Record, way *route.Route) error {
	cause := conversation.AutoAnswering{Cause: r.MessageSid, At: r.ReceivedAt}
	return h.autoAnswer(ctx, customerKey{r.TwilioNumber, r.Customer}, way, cause, closedTo(r, way, h.config.Now()))
}

// answerNoOne answers a customer for whom no phone but the owner's is left.
func (h *Handler) answerNoOne(ctx context.Context, c conversation.Conversation, way *route.Route) error {
	if c.Spell.OwnerTold != 1 {
		return nil
	}
	cause := conversation.AutoAnswering{Cause: c.Spell.MessageSid + noOne, At: h.config.Now()}
	return h.autoAnswer(ctx, customerKey{c.TwilioNumber, c.Customer}, way, cause, way.AutoAnswer.NoOne)
}

// autoAnswer puts an answer of the relay itself on the queue, if the customer gets one. That is noted before: what comes again finds the
// note and puts the same text on the queue, which is sent once. Of what a number may answer, room is taken before the note, so that a
// customer who is left out may get an answer later.
func (h *Handler) autoAnswer(ctx context.Context, key customerKey, way *route.Route, a conversation.AutoAnswering, text string) error {
	if text == "" {
		return nil
	}
	place, err := way.Place()
	if err != nil {
		return err
	}
	c, err := h.config.Conversations.Get(ctx, key.number, key.customer)
	if err != nil {
		return err
	}
	a.Now = h.config.Now().In(place)
	sid := ledger.AutoAnswerPrefix + digestSid(key.number, key.customer, a.Cause)
	if _, _, ok := c.AutoAnswer(a); !ok {
		return nil
	}
	if isSent, err := h.isOnRecord(ctx, sid); isSent || err != nil {
		return err
	}
	if _, ok, err := h.takeRoom(ctx, conversation.NumberKey(key.number), conversation.Phone.TakeAutoAnswer); !ok || err != nil {
		return err
	}
	ok := false
	_, isNew, err := h.changeConversation(ctx, key, func(c conversation.Conversation) (noted conversation.Conversation, changed bool) {
		noted, changed, ok = c.AutoAnswer(a)
		return noted, changed
	})
	if err != nil || !ok {
		return err
	}
	if isNew {
		h.config.Emit(count(telemetry.MetricAnswers, "Verdict", verdictAutomatic))
	}
	return h.sendNotice(ctx, sms.Message{Sid: sid, From: key.customer, To: key.number, Body: text}, a.Now)
}

// noteWritten notes, before the claim, that a customer is written to, if the relay itself answers customers of the number.
func (h *Handler) noteWritten(ctx context.Context, j *job) error {
	r, way := &j.text, &j.way
	isOurs := r.IsAnswer() || r.Manual || r.IsAutoAnswer()
	if way.AutoAnswer.Closed+way.AutoAnswer.NoOne == "" || r.Destination == "" || !isOurs || way.IsPhone(r.Destination) {
		return nil
	}
	key := customerKey{r.TwilioNumber, r.Destination}
	_, _, err := h.changeConversation(ctx, key, func(c conversation.Conversation) (conversation.Conversation, bool) {
		j.head.readAt = h.config.Now()
		return c.WriteTo(j.head.readAt)
	})
	return err
}

// isOnRecord reports whether the ledger has a text.
func (h *Handler) isOnRecord(ctx context.Context, sid string) (bool, error) {
	_, err := h.config.Ledger.Get(ctx, sid)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// takeRoom takes room in what the relay itself may say, and says when. ok is false if there is none.
func (h *Handler) takeRoom(
	ctx context.Context, of conversation.PhoneKey, take func(conversation.Phone, time.Time) (conversation.Phone, bool),
) (at time.Time, ok bool, err error) {
	p, err := h.config.Conversations.GetPhone(ctx, of)
	if err != nil {
		return at, false, err
	}
	if _, err = h.changePhone(ctx, p, func(p conversation.Phone) (conversation.Phone, bool) {
		at = h.config.Now()
		p, ok = take(p, at)
		return p, ok
	}); err != nil {
		return at, false, err
	}
	if !ok {
		h.config.Emit(one(telemetry.MetricNoticesLeftOut))
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "notice left out: there were too many", slog.Any("destination", of.Phone))
	}
	return at, ok, nil
}

// sendNotice puts a text of the relay itself on the queue.
func (h *Handler) sendNotice(ctx context.Context, m sms.Message, at time.Time) error {
	envelope := noticeOf(m, at)
	envelope.WrittenAt = causedAt(ctx)
	message, err := envelope.Outgoing()
	if err != nil {
		return err
	}
	return h.config.Answers.Send(ctx, message)
}
