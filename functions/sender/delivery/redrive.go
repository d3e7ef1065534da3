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

// lettersAttempts returns how many attempts a dead letter says its text had; ok is false if the message is not such a letter. SQS
// keeps a message's attributes when it moves it back, so they tell a redriven letter from a repeat of the text's own message. SQS
// makes letters of its own from messages received too often. Those have no attributes; their texts were never dead, and go on.
func lettersAttempts(record events.SQSMessage) (attempts int, ok bool) {
	reason, attempted := record.MessageAttributes[AttributeReason].StringValue, record.MessageAttributes[AttributeAttempts].StringValue
	if reason == nil || attempted == nil || !ledger.Reason(*reason).OfDeath() {
		return 0, false
	}
	attempts, err := strconv.Atoi(*attempted)
	return attempts, err == nil
}

// redrive takes a dead text back if this is the letter of its last death, or settles it if Twilio has it after all. The letter of
// an earlier death does nothing: the text has gone on since, and a later letter of it is on the dead-letter queue.
func (h *Handler) redrive(ctx context.Context, j *job, attempts int) verdict {
	return h.takeBack(ctx, j, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Redrive(attempts, h.config.Now())
	})
}

// takeBack carries out what an operator decided about a text that has ended or is uncertain: edit sends it on its way again, or
// settles it if Twilio has it after all. If edit changes nothing, the message is treated as a repeat.
func (h *Handler) takeBack(ctx context.Context, j *job, edit ledger.Edit) verdict {
	isAwaited := func(r ledger.Record) bool { return r.State.Final() && r.Awaited() }
	awaited := isAwaited(j.text)
	if awaited {
		// The timer is set before the text is settled: afterwards nothing shows that a timer is missing. edit gives the text the age
		// that it will have then.
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
			// The queue has the text again, so the record must outlive every message that the queue may still hand out.
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
		// Someone else changed the record meanwhile, so decide again.
		return decideAgain()
	case stored.State == ledger.Queued:
		// The operator may have changed the route for this text a moment ago, so it is read again.
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
