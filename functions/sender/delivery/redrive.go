package delivery

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// lettersAttempts returns how many attempts a dead letter says its text had; ok is false if the message is no such letter. SQS
// keeps a message's attributes when it moves it back, so that they tell a redriven letter from a repeat of the text's own
// message. A letter that SQS itself made, of a message received too often, has none: its text was never dead, and goes on.
func lettersAttempts(record events.SQSMessage) (attempts int, ok bool) {
	reason, attempted := record.MessageAttributes[AttributeReason].StringValue, record.MessageAttributes[AttributeAttempts].StringValue
	if reason == nil || attempted == nil || !ledger.Reason(*reason).OfDeath() {
		return 0, false
	}
	attempts, err := strconv.Atoi(*attempted)
	return attempts, err == nil
}

// redrive takes a dead text back, if the letter is that of its last death, or settles it, if Twilio has it after all. The letter of
// an earlier death is nothing to act on: the text has gone on since, and lies on the dead-letter queue with a later letter.
func (h *Handler) redrive(ctx context.Context, j *job, attempts int) verdict {
	return h.takeBack(ctx, j, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Redrive(attempts, h.config.Now())
	})
}

// takeBack carries out what an operator said about a text that has ended or is uncertain: edit puts it back on its way, or settles it
// where Twilio has it after all. The message goes on as a repeat if the text is as it was.
func (h *Handler) takeBack(ctx context.Context, j *job, edit ledger.Edit) verdict {
	isAwaited := func(r ledger.Record) bool { return r.State.Final() && r.Awaited() }
	awaited := isAwaited(j.text)
	if awaited {
		// Set before it is settled: once it is, nothing says any more that a timer is missing. Its age counts as it will then.
		settled, _, err := edit(j.text)
		if err == nil {
			err = h.awaitDelivery(ctx, settled)
		}
		if err != nil {
			return h.notNow(ctx, j, "timer not set", err)
		}
	}
	stored, isMine, err := h.changeOwn(ctx, j.text, func(r ledger.Record) (_ ledger.Record, changed bool, err error) {
		if isAwaited(r) != awaited {
			return r, false, nil
		}
		if r, changed, err = edit(r); changed {
			// The queue has it again: the record must outlive everything that is handed out of it.
			r = r.Kept(h.config.Now().Add(h.config.Retention))
		}
		return r, changed, err
	})
	if err != nil {
		return h.notNow(ctx, j, "operator's word not recorded", err)
	}
	before := j.text.Version
	j.text = stored
	switch {
	case !isMine && stored.Version == before:
		return verdict{}
	case !isMine:
		// What someone else wrote meanwhile is decided again.
		return decideAgain()
	case stored.State == ledger.Queued:
		// The operator has seen the route as it is now, which may have been changed for this text a moment ago.
		h.config.Routes.Forget(plan.Numbers(stored)...)
		h.config.Emit(one(telemetry.MetricRedriven))
		if stored.Reason == ledger.ReasonResendOrder {
			h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text sent again by an operator's order", textAttrs(stored, nil)...)
		} else {
			h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text redriven", textAttrs(stored, nil)...)
		}
	default:
		h.emitMove(stored)
		h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text settled: Twilio has it", textAttrs(stored, nil)...)
	}
	j.moved = true
	return decideAgain()
}
