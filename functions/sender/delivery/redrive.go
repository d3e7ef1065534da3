package delivery

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// lettersAttempts returns how many attempts a dead letter says its text had; ok is false if the message is no such letter. SQS
// keeps a message's attributes when it moves it back, so that they tell a redriven letter from a repeat of the text's own
// message. A letter that SQS itself made, of a message received too often, has none: its text was never dead, and goes on.
func lettersAttempts(record events.SQSMessage) (attempts int, ok bool) {
	reason, attempted := record.MessageAttributes[AttributeReason].StringValue, record.MessageAttributes[AttributeAttempts].StringValue
	if reason == nil || attempted == nil || *reason != string(ledger.ReasonAttemptsExhausted) {
		return 0, false
	}
	attempts, err := strconv.Atoi(*attempted)
	return attempts, err == nil
}

// redrive takes a dead text back, if the letter is that of its last death. The letter of an earlier one is nothing to act on: the
// text has gone on since, and lies on the dead-letter queue with a later letter. redriven is false then.
func (h *Handler) redrive(ctx context.Context, j *job, attempts int) (v verdict, settled, redriven bool) {
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, changed bool, err error) {
		r, changed, err = r.Redrive(attempts, h.Now())
		redriven = redriven || changed
		return r, changed, err
	})
	if err != nil {
		v, settled = h.notNow(ctx, j, "redrive not recorded", err)
		return v, settled, true
	}
	j.text = stored
	if !redriven {
		return verdict{}, false, false
	}
	j.moved = true
	h.Emit(one(telemetry.MetricRedriven))
	h.Logger.LogAttrs(ctx, slog.LevelInfo, "text redriven", textAttrs(stored, nil)...)
	return verdict{}, false, true
}
