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

// SQS's names of the system attributes that hold the FIFO group and how often the message was received.
const (
	attributeGroup = "MessageGroupId"
	attributeLooks = "ApproximateReceiveCount"
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
	if envelope.Kind == queue.KindReceipt {
		return h.receipt(ctx, envelope, record)
	}
	return h.text(ctx, envelope, record)
}

// sendDeadLetter puts a message of the queue on the dead-letter queue as it came, in its group, with attributes.
func (h *Handler) sendDeadLetter(ctx context.Context, record events.SQSMessage, deduplicationID string, attributes map[string]string) error {
	return h.DeadLetters.Send(ctx, queue.Outgoing{
		Group: record.Attributes[attributeGroup], DeduplicationID: deduplicationID, Body: record.Body, Attributes: attributes,
	})
}

// buryUndecodable moves what is no envelope to the dead-letter queue as it came. It would never become one.
func (h *Handler) buryUndecodable(ctx context.Context, record events.SQSMessage, cause error) verdict {
	err := h.sendDeadLetter(ctx, record, record.MessageId, map[string]string{
		AttributeReason: string(ledger.ReasonUndecodable), AttributeLastError: cause.Error(),
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "undecodable message not buried", slog.String("queue_message_id", record.MessageId), slog.String("error", err.Error()))
		return h.later(record, err)
	}
	h.Emit(count(telemetry.MetricDeadLetters, "Reason", string(ledger.ReasonUndecodable)))
	h.Logger.LogAttrs(ctx, slog.LevelError, "undecodable message buried", slog.String("queue_message_id", record.MessageId), slog.String("error", cause.Error()))
	return done()
}

// bury puts a text whose attempts are used up on the dead-letter queue, and then records it. In this order a crash in
// between repeats the first, which the deduplication id makes harmless for five minutes.
func (h *Handler) bury(ctx context.Context, r ledger.Record, record events.SQSMessage) verdict {
	last, _ := r.Current()
	err := h.sendDeadLetter(ctx, record, r.MessageSid+"."+strconv.Itoa(last.Number), map[string]string{
		AttributeReason:    string(ledger.ReasonAttemptsExhausted),
		AttributeAttempts:  strconv.Itoa(r.Spent()),
		AttributeLastError: lastError(last),
		AttributeHop:       strconv.Itoa(last.Hop),
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not queued", textAttrs(r, err)...)
		return h.later(record, err)
	}
	r, err = h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		if r.State != ledger.Queued {
			return r, false, nil
		}
		r, err := r.Die(ledger.ReasonAttemptsExhausted, h.Now())
		return r, true, err
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not recorded", textAttrs(r, err)...)
		return h.later(record, err)
	}
	h.Emit(count(telemetry.MetricDeadLetters, "Reason", string(ledger.ReasonAttemptsExhausted)))
	if r.State != ledger.Dead {
		// A receipt came while it was buried. The dead letter stays, and the ledger says that there is nothing to redrive.
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "dead letter of a text that was sent", textAttrs(r, nil)...)
		return done()
	}
	h.Emit(count(telemetry.MetricOutcome, "State", string(r.State)))
	h.Logger.LogAttrs(ctx, slog.LevelError, "text is dead", textAttrs(r, nil)...)
	return done()
}

// returnDeadLetter puts a dead letter that someone moved back to the queue on the dead-letter queue again. A text that
// is dead stays dead, and acknowledging its letter would be the last of it.
func (h *Handler) returnDeadLetter(ctx context.Context, r ledger.Record, record events.SQSMessage) verdict {
	attributes := map[string]string{}
	for name, attribute := range record.MessageAttributes {
		if attribute.StringValue != nil {
			attributes[name] = *attribute.StringValue
		}
	}
	if err := h.sendDeadLetter(ctx, record, record.MessageId+".returned", attributes); err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not returned", textAttrs(r, err)...)
		return h.later(record, err)
	}
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "dead letter returned", textAttrs(r, nil)...)
	return done()
}

// lastError describes an attempt's failure for a dead letter. SQS refuses an empty attribute.
func lastError(a ledger.Attempt) string {
	text := a.Outcome
	if a.Error != "" {
		text += ": " + a.Error
	}
	if text == "" {
		return "none"
	}
	return text
}

// later brings a message back after a failure of ours that is no attempt: the later, the more often the queue has handed
// it out, because the queue counts. If someone has to mend something first, it is when there was time to.
func (h *Handler) later(record events.SQSMessage, err error) verdict {
	if fault.Of(err).Kind == fault.Fatal {
		return again(h.Policy.HaltDelay)
	}
	return again(h.Policy.Wait(looks(record), h.Spread()))
}

// looks returns how often the queue has handed the message out.
func looks(record events.SQSMessage) int {
	n, err := strconv.Atoi(record.Attributes[attributeLooks])
	if err != nil {
		return 1
	}
	return n
}

// recordTries is how often a write of the ledger that must not be lost is tried in a row.
const recordTries = 3

// recordTimeout bounds those tries. They go on when the batch's context ends: what happened has to be recorded.
const recordTimeout = 5 * time.Second

// change applies edit to the record, stubbornly.
func (h *Handler) change(ctx context.Context, r ledger.Record, edit func(ledger.Record) (ledger.Record, bool, error)) (ledger.Record, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	var changed ledger.Record
	var err error
	for range recordTries {
		if changed, err = ledger.Change(ctx, h.Ledger, r, edit); err == nil {
			return changed, nil
		}
	}
	return r, err
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
	if last, ok := r.Current(); ok {
		attrs = append(attrs,
			slog.Int("attempt", last.Number), slog.Int("hop", last.Hop), slog.Any("destination", last.To),
			slog.String("outbound_sid", last.OutboundSid), slog.String("outcome", last.Outcome), slog.Int("error_code", last.ErrorCode))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}
