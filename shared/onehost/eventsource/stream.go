package eventsource

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// StreamFunction is a function that works through a batch of changes and names the first that has to come again.
type StreamFunction func(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error)

// Changes is a change stream.
type Changes interface {
	// Read returns up to limit changes behind the checkpoint, oldest first, and waits up to wait for the first.
	Read(ctx context.Context, limit int, wait time.Duration) ([]events.DynamoDBEventRecord, error)
	// Checkpoint marks everything up to sequenceNumber as done.
	Checkpoint(ctx context.Context, sequenceNumber string) error
}

// Stream maps a change stream to a function, with ReportBatchItemFailures. A change that fails is tried again, with longer and
// longer pauses, until it succeeds: nothing is left out.
type Stream struct {
	Changes  Changes
	Function StreamFunction
	// BatchSize is how many changes go to the function at once, at least 1.
	BatchSize int
	Logger    *slog.Logger
}

// streamWait is how long one read waits for a change, which ends the wait.
const streamWait = time.Minute

// streamRest comes after each batch that was not full, so that the next has more changes: each batch is a write and a flush of its own,
// for which those of others wait. A change after a rest is read at once.
const streamRest = 100 * time.Millisecond

// maxRest is the longest rest between two tries of a failing change.
const maxRest = 30 * time.Second

// Run reads until ctx ends, and then on until nothing is left to read, so that a graceful stop leaves nothing
// unaudited. It returns nil.
func (s Stream) Run(ctx context.Context) error {
	failures := 0
	for ctx.Err() == nil {
		done, err := s.step(ctx, streamWait)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			failures++
			s.Logger.LogAttrs(ctx, slog.LevelError, "changes not worked through", slog.Int("failures", failures), slog.String("error", err.Error()))
			rest(ctx, min(restAfterError<<min(failures-1, 5), maxRest))
			continue
		}
		failures = 0
		if done < s.BatchSize {
			rest(ctx, streamRest)
		}
	}
	return s.drain(context.WithoutCancel(ctx))
}

// drain processes what is left once, without waiting for new changes and without repeating failures.
func (s Stream) drain(ctx context.Context) error {
	for {
		n, err := s.step(ctx, 0)
		if err != nil {
			s.Logger.LogAttrs(ctx, slog.LevelWarn, "changes left for the next start", slog.String("error", err.Error()))
			return nil
		}
		if n == 0 {
			return nil
		}
	}
}

// step processes one batch and returns its size.
func (s Stream) step(ctx context.Context, wait time.Duration) (int, error) {
	records, err := s.Changes.Read(ctx, s.BatchSize, wait)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	ctx = context.WithoutCancel(ctx)
	response, err := s.call(ctx, events.DynamoDBEvent{Records: records})
	if err != nil {
		return 0, err
	}
	done, err := before(records, response)
	if done > 0 {
		if err := s.Changes.Checkpoint(ctx, records[done-1].Change.SequenceNumber); err != nil {
			return 0, fmt.Errorf("checkpoint: %w", err)
		}
	}
	return done, err
}

func (s Stream) call(ctx context.Context, batch events.DynamoDBEvent) (response events.DynamoDBEventResponse, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("function panicked with a %T", cause)
		}
	}()
	return s.Function(ctx, batch)
}

// before returns how many records come before the first that the function named, and an error if it named any.
func before(records []events.DynamoDBEventRecord, response events.DynamoDBEventResponse) (int, error) {
	failed := map[string]bool{}
	for _, failure := range response.BatchItemFailures {
		failed[failure.ItemIdentifier] = true
	}
	for i, record := range records {
		if failed[record.Change.SequenceNumber] {
			return i, fmt.Errorf("change %s has to come again", record.Change.SequenceNumber)
		}
	}
	if len(failed) > 0 {
		return 0, errUnknownItem
	}
	return len(records), nil
}
