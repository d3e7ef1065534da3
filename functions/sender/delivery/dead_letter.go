package delivery

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// The message attributes of a dead letter.
const (
	AttributeReason    = "Reason"
	AttributeAttempts  = "Attempts"
	AttributeLastError = "LastError"
	AttributeHop       = "Hop"
)

// sendDeadLetter puts a message on the dead-letter queue, in its group, with attributes. A message of the timer queue has
// no group, so its id is used as one.
func (h *Handler) sendDeadLetter(ctx context.Context, letter queue.Outgoing, attributes map[string]string) error {
	if letter.Group == "" {
		letter.Group = letter.DeduplicationID
	}
	letter.Attributes = attributes
	return h.config.DeadLetters.Send(ctx, letter)
}

// asItCame is a message of the queue as a dead letter.
func asItCame(record events.SQSMessage, deduplicationID string) queue.Outgoing {
	return queue.Outgoing{Group: record.Attributes[attributeGroup], DeduplicationID: deduplicationID, Body: record.Body}
}

// letterOf is a text as a dead letter: its own message as it came, or, if a timer or the message of another record moved it, one made from
// the ledger.
func letterOf(j *job, deduplicationID string) (queue.Outgoing, error) {
	if j.record.Attributes[attributeGroup] != "" && !j.text.SecondPart && j.parent == nil {
		return asItCame(j.record, deduplicationID), nil
	}
	letter, err := envelopeOf(j.text).Outgoing()
	letter.DeduplicationID = deduplicationID
	return letter, err
}

// buryUndecodable moves a message that is not an envelope to the dead-letter queue as it came. Trying again would not help.
func (h *Handler) buryUndecodable(ctx context.Context, record events.SQSMessage, cause error) verdict {
	err := h.sendDeadLetter(ctx, asItCame(record, record.MessageId), map[string]string{
		AttributeReason: string(ledger.ReasonUndecodable), AttributeLastError: cause.Error(),
	})
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "undecodable message not buried", messageAttrs(record, err)...)
		return h.later(sentAt(record), err)
	}
	h.config.Emit(count(telemetry.MetricDeadLetters, "Reason", string(ledger.ReasonUndecodable)))
	h.config.Logger.LogAttrs(ctx, slog.LevelError, "undecodable message buried", messageAttrs(record, cause)...)
	return done()
}

// bury puts a text on the dead-letter queue, and then records its death. After a crash in between, the letter is sent again; for
// five minutes the deduplication id makes that harmless. In the other order, the same crash would lose the letter.
func (h *Handler) bury(ctx context.Context, j *job, reason ledger.Reason) verdict {
	if j.text.Awaited() || j.text.InDoubt() {
		return h.leaveToEarlier(ctx, j)
	}
	last, _ := j.text.Current()
	// The version tells this death from an earlier one, after which the text went on, and whose letter was moved back.
	deduplicationID := j.text.MessageSid + "." + strconv.Itoa(last.Number) + "." + strconv.FormatInt(j.text.Version, 10)
	if _, moved := lettersAttempts(j.record); moved {
		// This message is a letter already, moved back before its death was recorded: under its old id the queue would drop it.
		deduplicationID += "." + j.record.MessageId
	}
	letter, err := letterOf(j, deduplicationID)
	if err == nil {
		err = h.sendDeadLetter(ctx, letter, map[string]string{
			AttributeReason:    string(reason),
			AttributeAttempts:  strconv.Itoa(j.text.Made()),
			AttributeLastError: lastError(last),
			AttributeHop:       strconv.Itoa(last.Hop),
		})
	}
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not queued", textAttrs(j.text, err)...)
		return h.later(j.since(), err)
	}
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		now, _ := r.Current()
		if r.State != ledger.Queued || now.Number != last.Number || now.Outcome != last.Outcome || r.RedrivenAfter != j.text.RedrivenAfter {
			// A receipt came, or another sender buried it and it was redriven since, so the letter we sent is out of date.
			return r, false, nil
		}
		r, err := r.Die(reason, h.config.Now())
		// Its letter may be moved back for as long as it lies there.
		return r.Kept(h.config.Now().Add(h.config.Retention)), true, err
	})
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not recorded", textAttrs(j.text, err)...)
		return h.later(j.since(), err)
	}
	j.text, j.moved = stored, true
	h.config.Emit(count(telemetry.MetricDeadLetters, "Reason", string(reason)))
	if stored.State != ledger.Dead {
		// The text went on while it was being buried. The letter stays on the queue; the ledger shows that there is nothing to redrive.
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "dead letter of a text that went on", textAttrs(stored, nil)...)
		return done()
	}
	h.emitOutcome(stored)
	h.config.Logger.LogAttrs(ctx, slog.LevelError, "text is dead", textAttrs(stored, nil)...)
	return done()
}

// buryExpired buries a text that became too old while trouble lasted. It first records that the text is expiring: after a crash the
// account may be usable again, or the clock right, and the text must still not end in another way than its letter says.
func (h *Handler) buryExpired(ctx context.Context, j *job) verdict {
	wanted, err := j.text.Expire(h.config.Now())
	if v := h.write(ctx, j, "end", wanted, err); v.stops() {
		return v
	}
	return h.bury(ctx, j, ledger.ReasonExpired)
}

// leaveToEarlier ends the attempts at a text because an earlier POST may have reached Twilio, or may still be delivered. It makes no
// dead letter, because redriving one would send the text twice.
func (h *Handler) leaveToEarlier(ctx context.Context, j *job) verdict {
	ended := false
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		if ended = r.State == ledger.Queued; !ended {
			return r, false, nil
		}
		r, err = r.Drop(ledger.ReasonAttemptsExhausted, h.config.Now())
		return r, true, err
	})
	if err != nil {
		return h.notNow(ctx, j, "end not recorded", err)
	}
	j.text, j.moved = stored, true
	if ended && stored.State != ledger.Sent {
		h.emitOutcome(stored)
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "attempts used up, an earlier one may deliver", textAttrs(stored, nil)...)
	return done()
}

// lastError describes an attempt's failure for a dead letter. A text that had no attempt was held.
func lastError(a ledger.Attempt) string {
	text := a.Outcome
	if a.Error != "" {
		text += ": " + a.Error
	}
	if text == "" {
		return "fatal: held while the account was unusable"
	}
	return text
}
