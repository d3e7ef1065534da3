package delivery

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// The message attributes of an operator's order to send an uncertain text again, with [AttributeAttempts].
const (
	AttributeOrder = "Order"
	AttributeBy    = "By"
	AttributeNote  = "Note"
)

// OrderResend is the value of AttributeOrder.
const OrderResend = "resend"

// ResendOrder returns the message that orders an uncertain text to be sent again: the text itself, as the ledger has it, and who
// says so. It is the one thing that an operator's command writes: the sender takes the text back when it has the message in
// hand, so that no crash leaves a text that waits and a queue without it. Like a dead letter it says how many attempts there
// were, and an order that comes twice sends once.
func ResendOrder(r ledger.Record, d ledger.Decision) (queue.Outgoing, error) {
	order, err := envelopeOf(r).Outgoing()
	attempts := strconv.Itoa(len(r.Attempts))
	order.DeduplicationID = OrderResend + "." + r.MessageSid + "." + attempts
	order.Attributes = map[string]string{AttributeOrder: OrderResend, AttributeAttempts: attempts, AttributeBy: d.By}
	if d.Note != "" {
		order.Attributes[AttributeNote] = d.Note
	}
	return order, err
}

// envelopeOf is the text's envelope, made from the ledger.
func envelopeOf(r ledger.Record) queue.Envelope {
	message := plan.MessageOf(r)
	envelope := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: r.MessageSid, ReceivedAt: r.ReceivedAt, Message: &message, Destination: r.Destination,
	}
	if r.Manual {
		envelope.Kind = queue.KindManual
	}
	return envelope
}

// order is an operator's order, as its message says it.
type order struct {
	attempts int
	decision ledger.Decision
}

// orderOf reads the order of a message; ok is false if it is none.
func orderOf(record events.SQSMessage) (o order, ok bool) {
	text := func(name string) string {
		if value := record.MessageAttributes[name].StringValue; value != nil {
			return *value
		}
		return ""
	}
	if text(AttributeOrder) != OrderResend {
		return order{}, false
	}
	attempts, err := strconv.Atoi(text(AttributeAttempts))
	return order{attempts: attempts, decision: ledger.Decision{By: text(AttributeBy), Note: text(AttributeNote)}}, err == nil
}

// obey takes an uncertain text back, if nothing has become of it since the order was given. news is false then: the text is as
// it was.
func (h *Handler) obey(ctx context.Context, j *job, o order) (v verdict, settled, news bool) {
	var wanted ledger.Record
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, changed bool, err error) {
		if r, changed, err = r.Resend(o.attempts, o.decision, h.Now()); changed {
			wanted = r
		}
		return r, changed, err
	})
	if err != nil {
		v, settled = h.notNow(ctx, j, "order not recorded", err)
		return v, settled, true
	}
	// The write may have happened though its answer was lost. What someone else wrote meanwhile is decided anew.
	news = stored.Version != j.text.Version
	j.text = stored
	if news && asWritten(wanted)(stored) {
		j.moved = true
		h.Emit(one(telemetry.MetricRedriven))
		h.Logger.LogAttrs(ctx, slog.LevelInfo, "text sent again by an operator's order", textAttrs(stored, nil)...)
	}
	return verdict{}, false, news
}
