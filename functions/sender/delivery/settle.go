package delivery

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// Deleter deletes messages that are done from a queue.
type Deleter interface {
	Delete(ctx context.Context, receiptHandles []string) error
}

// settleAfter is how long a batch may take before its finished messages no longer wait for the rest. Most batches take
// milliseconds, and one call at their end settles them.
const settleAfter = time.Second

// settling tells the queue what happened to a batch's messages. A batch ends with its slowest group. Until then the queue would
// hold back the next texts of all its conversations, and messages that have to come back would come back late. So a slow batch
// settles its finished messages before its end.
type settling struct {
	h       *Handler
	queue   Visibility
	deleter Deleter
	records []events.SQSMessage
	timer   *time.Timer

	mu sync.Mutex
	// pending are the results that the queue has not been told yet.
	pending []itemResult
	// left is how many groups are still at work.
	left int
	// late is set once the batch has taken long, ended once it is over.
	late, ended bool
}

// newSettling starts with a batch. Nothing is settled early without a Deleter, or if there are no other groups to wait for.
func (h *Handler) newSettling(ctx context.Context, records []events.SQSMessage, groups int) *settling {
	s := &settling{h: h, deleter: h.config.Done, left: groups, records: records}
	if len(records) == 0 {
		return s
	}
	s.queue = h.queueOf(records)
	if s.deleter != nil && groups > 1 && records[0].Attributes[attributeGroup] != "" {
		s.timer = time.AfterFunc(settleAfter, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.late = true
			s.settleEarly(ctx)
		})
	}
	return s
}

// add takes the results of one group.
func (s *settling) add(ctx context.Context, results []itemResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, results...)
	if s.left--; s.late && s.left > 0 {
		s.settleEarly(ctx)
	}
}

// settleEarly deletes what is done and gives back what is not. s.mu is held.
func (s *settling) settleEarly(ctx context.Context) {
	if s.ended {
		return
	}
	var done []string
	for _, r := range s.pending {
		if r.isDone() {
			done = append(done, s.handleOf(r))
		}
	}
	s.giveBack(ctx)
	if len(done) == 0 {
		return
	}
	if err := s.deleter.Delete(context.WithoutCancel(ctx), done); err != nil {
		// They are deleted when the batch ends.
		s.h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "messages not deleted before their batch's end", slog.String("error", err.Error()))
	}
}

// end gives back the remaining messages that have to come back. The caller of Handle deletes the others.
func (s *settling) end(ctx context.Context) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.giveBack(ctx)
}

// giveBack tells the queue when the pending messages that are not done have to come back, and forgets all pending ones.
func (s *settling) giveBack(ctx context.Context) {
	var changes []queue.Visibility
	for _, r := range s.pending {
		if !r.isDone() {
			changes = append(changes, queue.Visibility{ReceiptHandle: s.handleOf(r), Timeout: r.delay})
		}
	}
	s.pending = nil
	if len(changes) == 0 {
		return
	}
	if err := s.queue.ChangeVisibility(context.WithoutCancel(ctx), changes); err != nil {
		// They come back when their visibility timeout is over.
		s.h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "visibility not changed", slog.String("error", err.Error()))
	}
}

// handleOf returns the handle by which the queue knows the result's message.
func (s *settling) handleOf(r itemResult) string {
	i := slices.IndexFunc(s.records, func(record events.SQSMessage) bool { return record.MessageId == r.messageID })
	return s.records[i].ReceiptHandle
}
