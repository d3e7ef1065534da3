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

// ResendOrder returns the message that orders a text to be sent again: the text itself, as the ledger has it, and who gives the
// order. An operator's command writes nothing else. The sender takes the text back when it receives the message, so no crash can
// leave a waiting text without a message on the queue. The order says how many attempts there were and when the text was last sent
// again, so that an order that arrives twice sends once.
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
	switch {
	case r.Manual:
		envelope.Kind = queue.KindManual
	case r.Notice:
		envelope.Kind = queue.KindNotice
	case r.ParentSid != "":
		envelope.Kind = queue.KindAgain
	case r.IsAnswer() && r.Destination != "":
		envelope.Kind, envelope.Message.From = queue.KindAnswer, r.Answer.Phone
	}
	return envelope
}

// orderOf reads the order of a message; ok is false if the message is not an order. An order by an older relay does not say when
// the text was last sent again. Such an order is valid only for a text that was never sent again.
func orderOf(record events.SQSMessage) (o ledger.Order, ok bool) {
	if attributeOf(record, AttributeOrder) != OrderResend {
		return ledger.Order{}, false
	}
	attempts, err := strconv.Atoi(attributeOf(record, AttributeAttempts))
	redriven, _ := time.Parse(time.RFC3339, attributeOf(record, AttributeRedrivenAt))
	return ledger.Order{
		Attempts: attempts, RedrivenAt: redriven,
		Decision: ledger.Decision{By: attributeOf(record, AttributeBy), Note: attributeOf(record, AttributeNote)},
	}, err == nil
}

// attributeOf returns a text attribute of the message, empty without one.
func attributeOf(record events.SQSMessage, name string) string {
	if value := record.MessageAttributes[name].StringValue; value != nil {
		return *value
	}
	return ""
}

// resendOrdered takes back a text that is uncertain or reached nobody, if nothing has happened to it since the order was given.
// Otherwise the message is treated as a repeat.
func (h *Handler) resendOrdered(ctx context.Context, j *job, o ledger.Order) verdict {
	return h.takeBack(ctx, j, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Resend(o, h.config.Now())
	})
}
