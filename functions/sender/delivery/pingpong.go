package delivery

import (
	"context"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// introduceAnswer lets an answer wait that has no place yet in what may go back and forth, because there was none when it was decided
// about.
func (h *Handler) introduceAnswer(ctx context.Context, j *job) verdict {
	if !j.text.Answer.IsUncounted || len(j.text.Attempts) > 0 {
		return verdict{}
	}
	phone, err := h.config.Conversations.GetPhone(ctx, keyOf(j.text, j.text.Answer.Phone))
	if err == nil {
		phone, err = h.whereKnown(ctx, j.text, phone)
	}
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	if wait := phone.Pause(j.text.Customer, h.config.Now()); wait > 0 {
		return h.pause(ctx, j, wait)
	}
	j.head = head{phone: phone, isKept: true, isCounted: true}
	return verdict{}
}

// entered returns p with the text. wait is how long the text has to wait instead, because others were quicker to take the last places.
func (j *job) entered(p conversation.Phone) (edited conversation.Phone, changed bool, wait time.Duration) {
	if j.text.Notice {
		return p.Asked(j.head.enteredAt, asksNewest(j.text, p)), true, 0
	}
	edited, isCounted := p, j.head.isCounted
	if !j.text.IsAnswer() {
		isCounted = isCounted && !p.WasSent(j.text.MessageSid)
		e := j.head.exchange
		e.SentAt = ledger.Stamp(j.head.enteredAt)
		edited = p.Receive(e, j.text.MessageSid)
	}
	if isCounted {
		edited, wait = edited.TakeText(j.text.Customer, j.head.enteredAt)
	}
	return edited, wait == 0, wait
}

// pause leaves a text for later because too much goes back and forth between its customer and the phone.
func (h *Handler) pause(ctx context.Context, j *job, wait time.Duration) verdict {
	wanted, err := j.text.Linger(ledger.ReasonPingPong, h.config.Now().Add(wait), h.config.Now())
	if v := h.write(ctx, j, "pause", wanted, err); v.stops() {
		return v
	}
	h.config.Emit(one(telemetry.MetricPingPong))
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text waits: too many went back and forth", textAttrs(j.text, nil)...)
	return again(wait)
}
