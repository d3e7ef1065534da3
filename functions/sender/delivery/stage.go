package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// remindOfStage sets the timer of the spell's next stage.
func (h *Handler) remindOfStage(ctx context.Context, s conversation.Spell) error {
	return h.setTimerOf(ctx, s.MessageSid, queue.Timer{Stage: s.Step + 1, Due: s.DueAt})
}

// stage begins a stage of a spell whose time has come: the newest text goes out again, to whoever has had nothing of the spell, then to
// the owner. It is written down first, on the condition that nobody saw to the customer; a timer that comes again carries out what is
// written.
func (h *Handler) stage(ctx context.Context, due queue.Timer, envelope queue.Envelope) verdict {
	now := h.config.Now()
	if now.Before(due.Due) {
		if err := h.setTimerOf(ctx, envelope.RelayID, due); err != nil {
			return h.timerLater(ctx, "stage", due, envelope, err)
		}
		return done()
	}
	first, err := h.config.Ledger.Get(ctx, envelope.RelayID)
	if errors.Is(err, ledger.ErrNotFound) {
		return done()
	}
	if err == nil {
		// A relay that was lost since may have begun the stage at another time, but not before the text came.
		err = h.beginStage(h.because(ctx, first.ReceivedAt), first, due)
	}
	if err != nil {
		return h.timerLater(ctx, "stage", due, envelope, err)
	}
	return done()
}

// timerLater leaves what a timer is for, a stage or held texts, for later after a failure of ours.
func (h *Handler) timerLater(ctx context.Context, what string, due queue.Timer, envelope queue.Envelope, err error) verdict {
	h.config.Logger.LogAttrs(ctx, slog.LevelError, "timer left for later", slog.String("timer", what),
		slog.String("message_sid", envelope.RelayID), slog.Int("stage", due.Stage), slog.String("error", err.Error()))
	since := envelope.ReceivedAt
	if due.Due.After(since) {
		since = due.Due
	}
	return h.later(since, err)
}

func (h *Handler) beginStage(ctx context.Context, first ledger.Record, due queue.Timer) error {
	h.config.Routes.Forget(plan.Numbers(first)...)
	way, err := h.wayOf(ctx, first)
	if err != nil {
		return err
	}
	rota, isEarly, isHeld := plan.ClaimingOf(way, h.config.Now()).Rota, false, false
	customer := customerKey{first.TwilioNumber, first.Customer}
	c, isChanged, err := h.changeConversation(ctx, customer, func(c conversation.Conversation) (conversation.Conversation, bool) {
		now := h.config.Now()
		isDue := c.Awaits(first.MessageSid, due.Stage) && c.Spell.Step < due.Stage
		isEarly = isDue && now.Before(c.Spell.DueAt)
		isHeld = isDue && !way.HeldUntil(c.Spell.DueAt, now).IsZero()
		switch {
		case !isDue || isEarly || isHeld:
			return c, false
		case way.AnswerTimeout == 0:
			// The route has no stages any more. If it gets them back, the customer's next text begins them again.
			return c.Rest(), true
		}
		return c.Escalate(rota, time.Duration(way.AnswerTimeout), now), true
	})
	switch {
	case err != nil:
		return err
	case isEarly:
		// Somebody has the conversation since, and has more time.
		return h.remindOfStage(ctx, c.Spell)
	case isHeld:
		// Nobody is on duty, and texts are held until somebody is. So are the stages.
		return h.setTimerOf(ctx, first.MessageSid, queue.Timer{Stage: due.Stage, Due: h.config.Now().Add(queue.MaxDelay)})
	case !c.Awaits(first.MessageSid, due.Stage) || c.Spell.Step != due.Stage:
		return nil
	}
	if err := errors.Join(h.sendStage(ctx, c), h.answerNoOne(ctx, c, &way)); err != nil {
		return err
	}
	if !c.Spell.DueAt.IsZero() {
		if err := h.remindOfStage(ctx, c.Spell); err != nil {
			return err
		}
	}
	if isChanged {
		h.logStage(ctx, c)
	}
	return nil
}

func (h *Handler) logStage(ctx context.Context, c conversation.Conversation) {
	h.config.Emit(count(telemetry.MetricEscalated, "Stage", string(c.Spell.Stage)))
	level := slog.LevelInfo
	if c.Spell.OwnerTold == 1 {
		h.config.Emit(one(telemetry.MetricUnanswered))
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(ctx, level, "text goes out again: nobody has answered", slog.Any("conversation", c),
		slog.String("message_sid", c.Spell.MessageSid), slog.String("stage", string(c.Spell.Stage)), slog.Int("step", c.Spell.Step))
}

// sendStage puts the newest text of the spell on the queue for each phone of the stage.
func (h *Handler) sendStage(ctx context.Context, c conversation.Conversation) error {
	if len(c.Spell.StagePhones) == 0 {
		return nil
	}
	newest, err := h.config.Ledger.Get(ctx, c.Spell.NewestSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	for i, phone := range c.Spell.StagePhones {
		if err == nil {
			err = h.sendAgain(ctx, newest, ledger.StageSid(c.Spell.MessageSid, c.Spell.Step, i), phone, c.Spell.Texts)
		}
	}
	return err
}

// sendAgain puts a text on the queue that goes out again to one phone, as a text of its own with that MessageSid.
func (h *Handler) sendAgain(ctx context.Context, r ledger.Record, sid string, to sms.PhoneNumber, texts int) error {
	message, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindAgain, RelayID: sid, ReceivedAt: ledger.Stamp(h.config.Now()), WrittenAt: causedAt(ctx),
		Message: &sms.Message{
			Sid: sid, From: r.Customer, To: r.TwilioNumber, Body: conversation.Again(r.Body, texts), Media: r.Media,
		},
		Destination: to,
	}.Outgoing()
	if err != nil {
		return err
	}
	return h.config.Answers.Send(ctx, message)
}
