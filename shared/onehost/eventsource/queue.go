// Package eventsource does on one host what Lambda's event source mappings do on AWS: it receives batches from a queue or a
// change stream, calls a function with them, and does what the function answers. It knows nothing about texts.
package eventsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// QueueFunction is a function that works through a batch of the queue and names the messages that have to come back.
type QueueFunction func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error)

// Queue maps a queue to a function, with ReportBatchItemFailures.
type Queue struct {
	Receiver queue.Receiver
	Function QueueFunction
	// BatchSize is 1 to 10.
	BatchSize int
	// Pollers is how many batches are worked on at once, at least 1; with Slots, how many receive at once.
	Pollers int
	// Slots is how many groups are processed at once, at least BatchSize. Each group gets a call of its own, and its slot is
	// free as soon as the call is done: a slow group delays only itself. A message without a group is a group of its own. With 0
	// whole batches go to the function, as Lambda does it, and the slowest group of a batch delays the poller.
	Slots int
	// Visibility hides a batch while it is worked on; the function's context ends a little earlier.
	Visibility time.Duration
	// Wait is how long one receive waits for a message, which ends the wait; 0 for SQS's longest, 20 seconds.
	Wait   time.Duration
	Logger *slog.Logger
}

const (
	// sqsWait is how long a receive waits at most at SQS.
	sqsWait = 20 * time.Second
	// restAfterError keeps a broken queue from being asked without pause.
	restAfterError = time.Second
	// longestReserve is the most that remains of the visibility for carrying out the function's answer.
	longestReserve = 5 * time.Second
)

// Run polls until ctx ends, and returns when the batches then at work are done. It returns nil.
func (q Queue) Run(ctx context.Context) error {
	var pollers errgroup.Group
	free := newSlots(q.Slots)
	for range q.Pollers {
		pollers.Go(func() error {
			for ctx.Err() == nil {
				if q.Slots > 0 {
					q.pollGroups(ctx, free, &pollers)
				} else {
					q.finish(ctx, q.receive(ctx, q.BatchSize))
				}
			}
			return nil
		})
	}
	return pollers.Wait()
}

// pollGroups receives as many messages as there are slots for, and begins the work on each of their groups. Slots that the
// messages do not need are free again at once.
func (q Queue) pollGroups(ctx context.Context, free slots, workers *errgroup.Group) {
	taken := free.take(ctx, q.BatchSize)
	if taken == 0 {
		return
	}
	groups := byGroup(q.receive(ctx, taken))
	free.give(taken - len(groups))
	for _, group := range groups {
		workers.Go(func() error {
			defer free.give(1)
			q.finish(ctx, group)
			return nil
		})
	}
}

// receive returns the next messages, none if the queue is empty or cannot be reached.
func (q Queue) receive(ctx context.Context, limit int) []queue.Delivery {
	deliveries, err := q.Receiver.Receive(ctx, limit, cmp.Or(q.Wait, sqsWait), q.Visibility)
	if err != nil && ctx.Err() == nil {
		q.Logger.LogAttrs(ctx, slog.LevelError, "queue not received from", slog.String("error", err.Error()))
		rest(ctx, restAfterError)
	}
	return deliveries
}

// finish calls the function with what was received and applies its answer, even if ctx ends meanwhile.
func (q Queue) finish(ctx context.Context, deliveries []queue.Delivery) {
	if len(deliveries) == 0 {
		return
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.Visibility-min(longestReserve, q.Visibility/4))
	defer cancel()
	response, err := q.call(work, batchOf(deliveries))
	if err == nil {
		err = check(deliveries, response)
	}
	if err != nil {
		// As with Lambda, the whole batch comes back when its visibility is over.
		q.Logger.LogAttrs(ctx, slog.LevelError, "batch failed", slog.String("error", err.Error()))
		return
	}
	if done := succeeded(deliveries, response); len(done) > 0 {
		if err := q.Receiver.Delete(context.WithoutCancel(ctx), done); err != nil {
			q.Logger.LogAttrs(ctx, slog.LevelError, "messages not deleted", slog.String("error", err.Error()))
		}
	}
}

// call runs the function and turns a panic into an error.
func (q Queue) call(ctx context.Context, batch events.SQSEvent) (response events.SQSEventResponse, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("function panicked with a %T", cause)
		}
	}()
	return q.Function(ctx, batch)
}

var errUnknownItem = errors.New("the function named a message that is not in the batch")

// check refuses an answer that Lambda would refuse: an identifier that is not in the batch.
func check(deliveries []queue.Delivery, response events.SQSEventResponse) error {
	known := make(map[string]bool, len(deliveries))
	for _, d := range deliveries {
		known[d.MessageID] = true
	}
	for _, failure := range response.BatchItemFailures {
		if !known[failure.ItemIdentifier] {
			return errUnknownItem
		}
	}
	return nil
}

func succeeded(deliveries []queue.Delivery, response events.SQSEventResponse) []string {
	failed := make(map[string]bool, len(response.BatchItemFailures))
	for _, failure := range response.BatchItemFailures {
		failed[failure.ItemIdentifier] = true
	}
	var handles []string
	for _, d := range deliveries {
		if !failed[d.MessageID] {
			handles = append(handles, d.ReceiptHandle)
		}
	}
	return handles
}

func batchOf(deliveries []queue.Delivery) events.SQSEvent {
	batch := events.SQSEvent{Records: make([]events.SQSMessage, len(deliveries))}
	for i, d := range deliveries {
		batch.Records[i] = messageOf(d)
	}
	return batch
}

// messageOf writes a delivery the way the mapping does, with SQS's own attribute names.
func messageOf(d queue.Delivery) events.SQSMessage {
	attributes := map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(d.ReceiveCount),
		"SentTimestamp":           strconv.FormatInt(d.SentAt.UnixMilli(), 10),
	}
	if d.Group != "" {
		attributes["MessageGroupId"] = d.Group
		attributes["MessageDeduplicationId"] = d.DeduplicationID
	}
	message := events.SQSMessage{
		MessageId: d.MessageID, ReceiptHandle: d.ReceiptHandle, Body: d.Body, Attributes: attributes,
		EventSource: "aws:sqs", MessageAttributes: make(map[string]events.SQSMessageAttribute, len(d.Attributes)),
	}
	for name, value := range d.Attributes {
		message.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
	return message
}

// rest waits for d or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
