package eventsource_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// journal takes the lines of a log. It is safe for concurrent use.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(j, nil)) }

// messages returns what was logged, each line's level and message.
func (j *journal) messages() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	messages := []string{}
	for line := range strings.Lines(j.text.String()) {
		var fields struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			panic(err)
		}
		messages = append(messages, fields.Level+" "+fields.Msg)
	}
	return messages
}

// start runs a mapping while the test runs, and returns a function that stops it and waits until it has returned.
func start(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v, want nil", err)
		}
	}
}

// pass lets time pass, and then everyone in the bubble come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// send puts messages with these bodies on the queue, each in the group that its first letter names.
func send(t *testing.T, q *relaytest.MemoryQueue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := q.Send(t.Context(), queue.Outgoing{Group: body[:1], DeduplicationID: body, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
}

// bodies returns what the queue still holds.
func bodies(q *relaytest.MemoryQueue) []string {
	bodies := []string{}
	for _, m := range q.Messages() {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

// stream is a change stream in memory.
type stream struct {
	// fault, if set, is asked about "Read" and "Checkpoint" before they happen.
	fault func(op string) error

	mu          sync.Mutex
	records     []events.DynamoDBEventRecord
	done        int
	checkpoints []string
	changed     chan struct{}
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// numbered returns the nth change.
func numbered(n int) events.DynamoDBEventRecord {
	return events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{SequenceNumber: sequence(n)}}
}

func sequence(n int) string { return fmt.Sprintf("%03d", n) }

// add appends n changes.
func (s *stream) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.records = append(s.records, numbered(len(s.records)+1))
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) Read(ctx context.Context, limit int, wait time.Duration) ([]events.DynamoDBEventRecord, error) {
	if s.fault != nil {
		if err := s.fault("Read"); err != nil {
			return nil, err
		}
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		records, changed := s.left(limit)
		if len(records) > 0 || wait <= 0 {
			return records, ctx.Err()
		}
		select {
		case <-changed:
		case <-over.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// left returns what is behind the checkpoint.
func (s *stream) left(limit int) ([]events.DynamoDBEventRecord, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.records[s.done:]
	return slices.Clone(rest[:min(limit, len(rest))]), s.changed
}

func (s *stream) Checkpoint(ctx context.Context, sequenceNumber string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.fault != nil {
		if err := s.fault("Checkpoint"); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkpoints = append(s.checkpoints, sequenceNumber)
	s.done = 1 + slices.IndexFunc(s.records, func(r events.DynamoDBEventRecord) bool { return r.Change.SequenceNumber == sequenceNumber })
	return nil
}

// progress returns the checkpoints so far.
func (s *stream) progress() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.checkpoints...)
}

// from names a change as the first that has to come again, "" for none.
func from(sequenceNumber string) events.DynamoDBEventResponse {
	if sequenceNumber == "" {
		return events.DynamoDBEventResponse{}
	}
	return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{{ItemIdentifier: sequenceNumber}}}
}

// compare fails on any difference.
func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
