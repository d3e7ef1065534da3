package delivery

import (
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

func one(name string) telemetry.Measurement {
	return telemetry.Measurement{Name: name, Unit: telemetry.Count, Value: 1}
}

func count(name, dimension, value string) telemetry.Measurement {
	return telemetry.Measurement{Name: name, Unit: telemetry.Count, Value: 1, Dimension: telemetry.Dimension{Name: dimension, Value: value}}
}

func latency(name string, took time.Duration) telemetry.Measurement {
	return telemetry.Measurement{Name: name, Unit: telemetry.Milliseconds, Value: float64(took.Milliseconds())}
}

// readyAt is from when on it is measured how long a text takes: when it came, or when the number opened for it.
func readyAt(r ledger.Record) time.Time {
	if r.OpenedAt.IsZero() {
		return r.ReceivedAt
	}
	return r.OpenedAt
}

// messageAttrs are the attributes that a log line has for a queue message that could not be read.
func messageAttrs(record events.SQSMessage, err error) []slog.Attr {
	return []slog.Attr{slog.String("queue_message_id", record.MessageId), slog.String("error", err.Error())}
}

// textAttrs are the attributes of a text's log line.
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

// receiptAttrs are the attributes of a receipt's log line.
func receiptAttrs(e queue.Envelope, err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("message_sid", e.RelayID), slog.String("outbound_sid", e.Receipt.Sid),
		slog.String("message_status", string(e.Receipt.Status)), slog.Int("attempt", e.Receipt.Attempt),
		slog.Int("error_code", e.Receipt.ErrorCode),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}
