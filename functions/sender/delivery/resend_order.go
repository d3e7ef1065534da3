package delivery

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// The message attributes of an operator's order to send a text again, with [AttributeAttempts].
const (
	AttributeOrder      = "Order"
	AttributeBy         = "By"
	AttributeNote       = "Note"
	AttributeRedrivenAt = "RedrivenAt"
)

// OrderResend is the value of AttributeOrder.
const OrderResend = "resend"

// ResendOrder returns the message that orders a text to be sent again: the text itself, as the ledger has it, and who says so. It is
// the one thing that an operator's command writes: the sender takes the text back when it has the message in hand, so that no
// crash leaves a text that waits and a queue without it. It says how many attempts there were and when the text was last sent
// again, so that an order that comes twice sends once.
func ResendOrder(r ledger.Record, d ledger.Decision) (queue.Outgoing, error) {
	message, err := envelopeOf(r).Outgoing()
	order := r.Order(d)
	attempts, redriven := strconv.Itoa(order.Attempts), ledger.SortKey(order.RedrivenAt)
	message.DeduplicationID = OrderResend + "." + r.MessageSid + "." + attempts
	message.Attributes = map[string]string{
		AttributeOrder: OrderResend, AttributeAttempts: attempts, AttributeRedrivenAt: redriven, AttributeBy: d.By,
	}
	if !order.RedrivenAt.IsZero() {
		message.DeduplicationID += "." + strconv.FormatInt(order.RedrivenAt.UnixMilli(), 10)
	}
	if d.Note != "" {
		message.Attributes[AttributeNote] = d.Note
	}
	return message, err
}

// envelopeOf is the text's envelope, made from the ledger.
func envelopeOf(r ledger.Record) queue.Envelope {
	message := plan.MessageOf(r)
	envelope := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: r.MessageSid, ReceivedAt: r.ReceivedAt,
		Message: &message, Destination: r.Destination,
	}
	if r.Manual {
		envelope.Kind = queue.KindManual
	}
	return envelope
}

// orderOf reads the order of a message; ok is false if the message is not an order. An older relay's order does not say when the
// text was last sent again: it holds for one that never was.
func orderOf(record events.SQSMessage) (o ledger.Order, ok bool) {
	text := func(name string) string {
		if value := record.MessageAttributes[name].StringValue; value != nil {
			return *value
		}
		return ""
	}
	if text(AttributeOrder) != OrderResend {
		return ledger.Order{}, false
	}
	attempts, err := strconv.Atoi(text(AttributeAttempts))
	redriven, _ := time.Parse(time.RFC3339, text(AttributeRedrivenAt))
	return ledger.Order{
		Attempts: attempts, RedrivenAt: redriven, Decision: ledger.Decision{By: text(AttributeBy), Note: text(AttributeNote)},
	}, err == nil
}

// resendOrdered takes back a text that is uncertain or reached nobody, if nothing has become of it since the order was given. If
// something has, the message goes on as a repeat.
func (h *Handler) resendOrdered(ctx context.Context, j *job, o ledger.Order) verdict {
	return h.takeBack(ctx, j, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Resend(o, h.config.Now())
	})
}
