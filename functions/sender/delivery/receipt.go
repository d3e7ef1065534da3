package delivery

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// receipt records what Twilio says of a message sent earlier.
func (h *Handler) receipt(ctx context.Context, envelope queue.Envelope, record events.SQSMessage) verdict {
	r, err := h.Ledger.Get(ctx, envelope.RelayID)
	if errors.Is(err, ledger.ErrNotFound) {
		// The claim is written before the POST, so that a receipt without a record is one of a forgotten text.
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "receipt of an unknown text", receiptAttrs(envelope, nil)...)
		return done()
	}
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "receipt not applied", receiptAttrs(envelope, err)...)
		return h.later(record, err)
	}
	var news bool
	before := r.State
	r, err = h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		before = r.State
		r, news = r.Apply(*envelope.Receipt, h.Now())
		return r, news, nil
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "receipt not applied", receiptAttrs(envelope, err)...)
		return h.later(record, err)
	}
	if news && r.State != before {
		h.settled(r)
	}
	attrs := append(receiptAttrs(envelope, nil), slog.Bool("news", news), slog.String("state", string(r.State)))
	h.Logger.LogAttrs(ctx, slog.LevelInfo, "receipt applied", attrs...)
	return done()
}

// settled measures a text that a receipt has moved on.
func (h *Handler) settled(r ledger.Record) {
	h.Emit(count(telemetry.MetricOutcome, "State", string(r.State)))
	if r.State == ledger.Delivered {
		h.Emit(latency(telemetry.MetricDeliveryLatency, h.Now().Sub(r.ReceivedAt)))
	}
}

// receiptAttrs are what a receipt's one log line tells of it.
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
