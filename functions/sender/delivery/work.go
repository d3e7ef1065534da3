package delivery

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// SQS's names of the system attributes that hold the FIFO group, how often the message was received, and when it was sent, in
// milliseconds since 1970.
const (
	attributeGroup = "MessageGroupId"
	attributeLooks = "ApproximateReceiveCount"
	attributeSent  = "SentTimestamp"
)

// The message attributes of a dead letter.
const (
	AttributeReason    = "Reason"
	AttributeAttempts  = "Attempts"
	AttributeLastError = "LastError"
	AttributeHop       = "Hop"
)

// work brings one message of the queue as far as it goes now.
func (h *Handler) work(ctx context.Context, record events.SQSMessage) verdict {
	envelope, err := queue.Decode(record.Body)
	switch {
	case errors.Is(err, queue.ErrVersion):
		// While a newer version is being rolled out, its senders will take it.
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "newer envelope left", slog.String("queue_message_id", record.MessageId), slog.String("error", err.Error()))
		return again(h.Policy.HaltDelay)
	case err != nil:
		return h.buryUndecodable(ctx, record, err)
	}
	switch envelope.Kind {
	case queue.KindReceipt:
		return h.receipt(ctx, envelope)
	case queue.KindTimer:
		return h.timer(ctx, envelope, record)
	case queue.KindInbound, queue.KindManual:
	}
	return h.text(ctx, envelope, record)
}

// sendDeadLetter puts a message on the dead-letter queue, in its group, with attributes. A message of the timer queue has
// no group: there, its id stands for one.
func (h *Handler) sendDeadLetter(ctx context.Context, letter queue.Outgoing, attributes map[string]string) error {
	if letter.Group == "" {
		letter.Group = letter.DeduplicationID
	}
	letter.Attributes = attributes
	return h.DeadLetters.Send(ctx, letter)
}

// asItCame is a message of the queue as a dead letter.
func asItCame(record events.SQSMessage, deduplicationID string) queue.Outgoing {
	return queue.Outgoing{Group: record.Attributes[attributeGroup], DeduplicationID: deduplicationID, Body: record.Body}
}

// letterOf is a text as a dead letter: its own message as it came, or, if a timer moved it, one made from the ledger.
func letterOf(j *job, deduplicationID string) (queue.Outgoing, error) {
	if j.record.Attributes[attributeGroup] != "" {
		return asItCame(j.record, deduplicationID), nil
	}
	letter, err := envelopeOf(j.text).Outgoing()
	letter.DeduplicationID = deduplicationID
	return letter, err
}

// buryUndecodable moves what is no envelope to the dead-letter queue as it came. It would never become one.
func (h *Handler) buryUndecodable(ctx context.Context, record events.SQSMessage, cause error) verdict {
	err := h.sendDeadLetter(ctx, asItCame(record, record.MessageId), map[string]string{
		AttributeReason: string(ledger.ReasonUndecodable), AttributeLastError: cause.Error(),
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "undecodable message not buried", slog.String("queue_message_id", record.MessageId), slog.String("error", err.Error()))
		return h.later(sentAt(record), err)
	}
	h.Emit(count(telemetry.MetricDeadLetters, "Reason", string(ledger.ReasonUndecodable)))
	h.Logger.LogAttrs(ctx, slog.LevelError, "undecodable message buried", slog.String("queue_message_id", record.MessageId), slog.String("error", cause.Error()))
	return done()
}

// bury puts a text on the dead-letter queue for a reason of death, and then records it. In this order a crash in between repeats
// the first, which the deduplication id makes harmless for five minutes.
func (h *Handler) bury(ctx context.Context, j *job, reason ledger.Reason) verdict {
	if j.text.Awaited() || j.text.InDoubt() {
		return h.leaveToEarlier(ctx, j)
	}
	last, _ := j.text.Current()
	deduplicationID := j.text.MessageSid + "." + strconv.Itoa(last.Number)
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
		h.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not queued", textAttrs(j.text, err)...)
		return h.later(j.since(), err)
	}
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		now, _ := r.Current()
		if r.State != ledger.Queued || now.Number != last.Number || now.Outcome != last.Outcome || r.Redriven != j.text.Redriven {
			// A receipt came, or someone else buried it and it was redriven since: this is not its letter any more.
			return r, false, nil
		}
		r, err := r.Die(reason, h.Now())
		// Its letter may be moved back for as long as it lies there.
		return r.Kept(h.Now().Add(h.Retention)), true, err
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not recorded", textAttrs(j.text, err)...)
		return h.later(j.since(), err)
	}
	j.text, j.moved = stored, true
	h.Emit(count(telemetry.MetricDeadLetters, "Reason", string(reason)))
	if stored.State != ledger.Dead {
		// It went on while it was buried. The dead letter stays, and the ledger says that there is nothing to redrive.
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "dead letter of a text that went on", textAttrs(stored, nil)...)
		return done()
	}
	h.emitOutcome(stored)
	h.Logger.LogAttrs(ctx, slog.LevelError, "text is dead", textAttrs(stored, nil)...)
	return done()
}

// buryExpired buries a text that became too old while trouble lasted. That is written down first, so that a crash behind its letter
// does not end it otherwise: the account may be usable then, or the clock right.
func (h *Handler) buryExpired(ctx context.Context, j *job) verdict {
	wanted, err := j.text.Expire(h.Now())
	if err != nil {
		return h.notNow(ctx, j, "end not decided", err)
	}
	ok, err := h.put(ctx, j, wanted, asWritten(wanted))
	if err != nil {
		return h.notNow(ctx, j, "end not written", err)
	}
	if !ok {
		return decideAgain()
	}
	return h.bury(ctx, j, ledger.ReasonExpired)
}

// leaveToEarlier leaves a text whose attempts at this hop are used up to an earlier POST, which may have been taken, or may still be
// delivered. A dead letter would have it sent again.
func (h *Handler) leaveToEarlier(ctx context.Context, j *job) verdict {
	ended := false
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		if ended = r.State == ledger.Queued; !ended {
			return r, false, nil
		}
		r, err = r.Drop(ledger.ReasonAttemptsExhausted, h.Now())
		return r, true, err
	})
	if err != nil {
		return h.notNow(ctx, j, "end not recorded", err)
	}
	j.text, j.moved = stored, true
	if ended && stored.State != ledger.Sent {
		h.emitOutcome(stored)
	}
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "attempts used up, an earlier one may deliver", textAttrs(stored, nil)...)
	return done()
}

// lastError describes an attempt's failure for a dead letter. A text without an attempt was held.
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

// later brings a message back after a failure of ours that is no attempt: the later, the longer it has been due, because the
// queue counts. If someone has to mend something first, it is when there was time to.
func (h *Handler) later(since time.Time, err error) verdict {
	if fault.Of(err).Kind == fault.Fatal {
		return again(h.Policy.HaltDelay)
	}
	return again(h.Policy.Wait(h.Now().Sub(since), h.Spread()))
}

// sentAt returns when the queue took the message, which is all that is known of one that cannot be read. Zero, which is long
// ago, if the queue does not say.
func sentAt(record events.SQSMessage) time.Time {
	milliseconds, err := strconv.ParseInt(record.Attributes[attributeSent], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}

// looks returns how often the queue has handed the message out.
func looks(record events.SQSMessage) int {
	n, err := strconv.Atoi(record.Attributes[attributeLooks])
	if err != nil {
		return 1
	}
	return n
}

func one(name string) telemetry.Measurement {
	return telemetry.Measurement{Name: name, Unit: telemetry.Count, Value: 1}
}

func count(name, dimension, value string) telemetry.Measurement {
	return telemetry.Measurement{Name: name, Unit: telemetry.Count, Value: 1, Dimension: telemetry.Dimension{Name: dimension, Value: value}}
}

func latency(name string, took time.Duration) telemetry.Measurement {
	return telemetry.Measurement{Name: name, Unit: telemetry.Milliseconds, Value: float64(took.Milliseconds())}
}

// textAttrs are what a text's one log line tells of it.
func textAttrs(r ledger.Record, err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("message_sid", r.MessageSid), slog.String("state", string(r.State)),
		slog.Any("twilio_number", r.TwilioNumber), slog.Any("customer", r.Customer),
	}
	if r.Reason != "" {
		attrs = append(attrs, slog.String("reason", string(r.Reason)))
	}
	if r.Keyword != "" {
		attrs = append(attrs, slog.String("keyword", r.Keyword))
	}
	if last, ok := r.Current(); ok {
		attrs = append(attrs,
			slog.Int("attempt", last.Number), slog.Int("hop", last.Hop), slog.Any("destination", last.To),
			slog.String("outbound_sid", last.OutboundSid), slog.String("outcome", last.Outcome), slog.Int("error_code", last.ErrorCode))
		if last.Looks > 0 {
			attrs = append(attrs, slog.Int("looks", last.Looks), slog.Bool("found", last.Found))
		}
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}
