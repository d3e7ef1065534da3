package delivery

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// SQS's names of the system attributes that hold the FIFO group, how often the message was received, and when it was sent, in
// milliseconds since 1970.
const (
	attributeGroup = "MessageGroupId"
	attributeLooks = "ApproximateReceiveCount"
	attributeSent  = "SentTimestamp"
)

// work brings one message of the queue as far as it goes now.
func (h *Handler) work(ctx context.Context, record events.SQSMessage) verdict {
	envelope, err := queue.Decode(record.Body)
	switch {
	case errors.Is(err, queue.ErrVersion):
		// A newer version is being rolled out; its senders will handle this message.
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "newer envelope left", messageAttrs(record, err)...)
		return again(h.config.Policy.HaltDelay)
	case err != nil:
		return h.buryUndecodable(ctx, record, err)
	}
	ctx = h.because(ctx, causeOf(envelope))
	switch envelope.Kind {
	case queue.KindReceipt:
		return h.receipt(ctx, envelope)
	case queue.KindTimer:
		return h.timer(ctx, envelope, record)
	case queue.KindGive:
		return h.give(ctx, envelope)
	case queue.KindInbound, queue.KindManual, queue.KindAnswer, queue.KindNotice, queue.KindAgain:
	}
	return h.text(ctx, envelope, record)
}

// later brings a message back after a failure of ours that does not count as an attempt. The longer the message has been due, the
// longer it waits, because the queue counts every receive. If a person has to fix something first, it waits long enough for that.
func (h *Handler) later(since time.Time, err error) verdict {
	if fault.Of(err).Kind == fault.Fatal {
		return again(h.config.Policy.HaltDelay)
	}
	return again(h.config.Policy.Wait(h.config.Now().Sub(since), h.config.Spread()))
}

// sentAt returns when the queue received the message. For a message that cannot be read, nothing else is known. It is zero, which
// is long ago, if the queue does not say.
func sentAt(record events.SQSMessage) time.Time {
	milliseconds, err := strconv.ParseInt(record.Attributes[attributeSent], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}

// looks returns how often the queue has delivered the message.
func looks(record events.SQSMessage) int {
	n, err := strconv.Atoi(record.Attributes[attributeLooks])
	if err != nil {
		return 1
	}
	return n
}
