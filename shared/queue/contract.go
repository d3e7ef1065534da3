package queue

import (
	"context"
	"time"
)

// Outgoing is a message for a queue.
type Outgoing struct {
	// Group keeps the messages of one group in order, one batch of them in flight at a time. Empty on a queue
	// without order (an SQS standard queue).
	Group string
	// DeduplicationID makes a repeat within five minutes succeed without queueing it again. Empty on a queue without order.
	DeduplicationID string
	// Body is the message itself, in characters of XML 1.0, at most 1 MiB.
	Body string
	// Attributes are string attributes next to the body. At most ten.
	Attributes map[string]string
	// Delay holds the message back, up to 15 minutes; only on a queue without order.
	Delay time.Duration
}

// Delivery is a message as it was received from a queue.
type Delivery struct {
	// MessageID is the queue's own identity of the message. It is never the text's identity.
	MessageID string
	// ReceiptHandle names this one receipt of the message, for deleting it and changing its visibility.
	ReceiptHandle string
	// Group, DeduplicationID, Body and Attributes are those of the [Outgoing].
	Group           string
	DeduplicationID string
	Body            string
	Attributes      map[string]string
	// ReceiveCount counts how often it was received, from 1.
	ReceiveCount int
	// SentAt is when the queue accepted it, to the millisecond.
	SentAt time.Time
}

// Visibility is a change of how long from now a received message stays hidden.
type Visibility struct {
	ReceiptHandle string
	// Timeout is from now, 0 to 12 hours; 0 shows it at once.
	Timeout time.Duration
}

// Sender puts messages on a queue.
type Sender interface {
	// Send returns nil only when the queue holds the message durably. A repeat of a DeduplicationID within five minutes is a
	// success. Errors are *fault.Error: Transient or Throttled if the queue does not hold it, Unknown if it may, Permanent if it
	// will never accept it. After any error the message may be sent again.
	Send(ctx context.Context, message Outgoing) error
}

// Receiver takes messages off a queue.
// Messages of a group are received in the order in which they were sent. While one of them is in flight (received, not
// deleted, not yet visible again), no other batch of that group can be received. A message received as often as the queue's
// maxReceiveCount goes to its dead-letter queue instead, body and attributes unchanged.
type Receiver interface {
	// Receive returns up to limit messages (1 to 10), hidden for visibility, and waits up to wait for the first.
	// None within wait is an empty slice and no error.
	Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]Delivery, error)
	// ChangeVisibility changes how long messages in flight stay hidden. A handle that has lapsed is passed over.
	ChangeVisibility(ctx context.Context, changes []Visibility) error
	// Delete removes messages that are done. A handle that has lapsed or is gone is passed over.
	Delete(ctx context.Context, receiptHandles []string) error
}
