// Package mapping imitates Lambda's event source mapping of a DynamoDB stream: it reads the shards, hands batches to a
// function as JSON and carries out what the function answers: a partial failure, a bisected batch, a bounded number of
// retries, a bounded age, a destination for what is given up. The mapping of a queue is shared/onehost/eventsource, which `relay
// serve` runs, too; this one differs from the one there, which never gives a record up and bisects nothing.
package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Invoke hands an event to the function and returns its response.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Stream maps one stream to one function, with ReportBatchItemFailures, from TRIM_HORIZON.
type Stream struct {
	// Client reads the stream. SourceARN is the stream's name in events, StreamARN that for the client: an emulator may
	// have names of its own.
	Client    *Client
	StreamARN string
	SourceARN string
	Invoke    Invoke
	// Filter says which records the function is given.
	Filter Filter
	// BatchSize is the most records of a batch, Window how long a batch that is not full is waited for.
	BatchSize int
	Window    time.Duration
	// Bisect splits a batch in two when the function fails as a whole.
	Bisect bool
	// MaxRetries is how often a batch is tried again, -1 for ever; MaxAge is how old its first record may be, 0 for ever.
	MaxRetries int
	MaxAge     time.Duration
	// GiveUp takes what was given up. Its error is as that of an invocation: the batch is tried again.
	GiveUp func(ctx context.Context, lost Lost) error
	// Aged, if set, is told how old the last record of a batch is that the function is given.
	Aged func(age time.Duration)
	// Checkpoint, if set, is told how many records are done, one way or the other.
	Checkpoint func(done int)
	Now        func() time.Time
	Logger     *slog.Logger
}

// Lost is a batch that was given up.
type Lost struct {
	// ShardID and StreamARN are where it was read. Condition is RetryAttemptsExhausted or RecordAgeExceeded.
	ShardID   string
	StreamARN string
	Condition string
	// Tries is how often the function was invoked with it.
	Tries int
	// Records are the records, as they are in the event.
	Records []Record
	// Event is the whole event.
	Event []byte
}

// Record is one record of a batch.
type Record struct {
	// SequenceNumber is its place in the shard, At when the change was made, to the second.
	SequenceNumber string
	At             time.Time
	// Text is the record as it is in the event.
	Text json.RawMessage
}

const (
	// pollInterval is how long an empty shard is left alone, describeInterval how often new shards are looked for.
	pollInterval     = 100 * time.Millisecond
	describeInterval = 5 * time.Second
	// firstRest and longestRest bound the rest between two tries.
	firstRest   = 100 * time.Millisecond
	longestRest = 5 * time.Second
)

// Run reads until ctx ends.
func (s Stream) Run(ctx context.Context) error {
	var shards sync.WaitGroup
	defer shards.Wait()
	known := map[string]bool{}
	for ctx.Err() == nil {
		ids, err := s.Client.shards(ctx, s.StreamARN)
		if err != nil && ctx.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelError, "stream not described", slog.String("error", err.Error()))
		}
		for _, id := range ids {
			if known[id] {
				continue
			}
			known[id] = true
			shards.Go(func() { s.read(ctx, id) })
		}
		pause(ctx, describeInterval)
	}
	return nil
}

// read reads one shard to its end. A child is read while its parent is not finished, which does no harm here: an item's
// changes move to the child only when the parent is closed, and an emulator has one shard for hours. A place that cannot be
// read from, because it is too old or the service is in trouble, is looked up again.
func (s Stream) read(ctx context.Context, shardID string) {
	place := place{shardID: shardID}
	for failures := 0; ctx.Err() == nil; failures++ {
		ended, err := s.readFrom(ctx, &place)
		if ended {
			return
		}
		if err != nil && ctx.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelWarn, "shard not read", slog.String("shard_id", shardID), slog.String("error", err.Error()))
			pause(ctx, restAfter(failures))
		}
	}
}

// place is how far a shard has been read.
type place struct {
	shardID string
	// last is the SequenceNumber of the last record that is done; empty at the start.
	last string
	// caughtUp is when it was last asked for records, and gave all that there were: what comes later was written later.
	caughtUp time.Time
}

// readFrom reads a shard from a place on, until it ends or cannot be read.
func (s Stream) readFrom(ctx context.Context, at *place) (ended bool, err error) {
	iterator, err := s.Client.iterator(ctx, s.StreamARN, *at)
	for err == nil && ctx.Err() == nil {
		if iterator == "" {
			return true, nil
		}
		var batch []Record
		if batch, iterator, err = s.gather(ctx, at, iterator); err == nil && len(batch) > 0 {
			if wanted := s.Filter.wanted(batch); len(wanted) > 0 {
				s.work(ctx, at.shardID, wanted, 0)
			}
			at.last = batch[len(batch)-1].SequenceNumber
		}
	}
	return false, err
}

// date makes good what an emulator leaves out: DynamoDB Local tells only the minute of a change, which may be almost over.
func (p *place) date(records []Record) {
	for i := range records {
		if records[i].At.Before(p.caughtUp) {
			records[i].At = p.caughtUp
		}
	}
}

// gather reads up to a full batch, and waits Window for it once there is something.
func (s Stream) gather(ctx context.Context, at *place, iterator string) (batch []Record, next string, err error) {
	var deadline time.Time
	for iterator != "" && len(batch) < s.BatchSize && ctx.Err() == nil {
		asked, limit := s.Now(), s.BatchSize-len(batch)
		var records []Record
		if records, iterator, err = s.Client.records(ctx, iterator, limit, s.SourceARN); err != nil {
			return nil, "", err
		}
		at.date(records)
		if len(records) < limit {
			at.caughtUp = asked
		}
		batch = append(batch, records...)
		if len(records) > 0 && deadline.IsZero() {
			deadline = s.Now().Add(s.Window)
		}
		if !deadline.IsZero() && !s.Now().Before(deadline) {
			break
		}
		if len(records) == 0 {
			pause(ctx, pollInterval)
		}
	}
	return batch, iterator, nil
}

// work takes a batch through, however many invocations that takes. tries is how often it was tried as part of a larger one.
func (s Stream) work(ctx context.Context, shardID string, batch []Record, tries int) {
	for len(batch) > 0 && ctx.Err() == nil {
		if condition := s.over(batch, tries); condition != "" {
			if s.giveUp(ctx, shardID, batch, tries, condition) {
				s.advance(len(batch))
				return
			}
			pause(ctx, restAfter(tries))
			continue
		}
		done, err := s.try(ctx, batch)
		if err == nil && done == len(batch) {
			s.advance(done)
			return
		}
		tries++
		if done > 0 {
			// The rest is a batch of its own. Its first record has failed once.
			s.advance(done)
			batch, tries = batch[done:], 1
		}
		if err != nil && s.Bisect && len(batch) > 1 {
			// The cut is no retry.
			half := len(batch) / 2
			s.work(ctx, shardID, batch[:half], tries-1)
			s.work(ctx, shardID, batch[half:], tries-1)
			return
		}
		pause(ctx, restAfter(tries))
	}
}

func (s Stream) advance(n int) {
	if s.Checkpoint != nil {
		s.Checkpoint(n)
	}
}

// over says why a batch is tried no more, or nothing.
func (s Stream) over(batch []Record, tries int) string {
	switch {
	case s.MaxRetries >= 0 && tries > s.MaxRetries:
		return "RetryAttemptsExhausted"
	case s.MaxAge > 0 && s.Now().Sub(batch[0].At) > s.MaxAge:
		return "RecordAgeExceeded"
	default:
		return ""
	}
}

// giveUp hands a batch to the destination, and reports whether that has it.
func (s Stream) giveUp(ctx context.Context, shardID string, batch []Record, tries int, condition string) bool {
	lost := Lost{ShardID: shardID, StreamARN: s.SourceARN, Condition: condition, Tries: tries, Records: batch, Event: eventOf(batch)}
	if err := s.GiveUp(ctx, lost); err != nil {
		s.Logger.LogAttrs(ctx, slog.LevelError, "batch not given up", slog.String("error", err.Error()))
		return false
	}
	return true
}

// try invokes the function once. done is how many records, from the first, need not come again; err that it failed as a
// whole.
func (s Stream) try(ctx context.Context, batch []Record) (done int, err error) {
	if s.Aged != nil {
		s.Aged(s.Now().Sub(batch[len(batch)-1].At))
	}
	text, err := s.Invoke(ctx, eventOf(batch))
	if err != nil {
		return 0, err
	}
	return doneOf(batch, text)
}

var errAnswer = errors.New("the answer of the function cannot be carried out")

// doneOf reads the function's answer. One that is empty, or names nothing, is a success of all.
func doneOf(batch []Record, text []byte) (int, error) {
	var answer struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, fmt.Errorf("%w: no JSON", errAnswer)
	}
	first := len(batch)
	for _, failure := range answer.BatchItemFailures {
		place := placeOf(batch, failure.ItemIdentifier)
		if place < 0 {
			return 0, fmt.Errorf("%w: it names a record that is not in the batch", errAnswer)
		}
		first = min(first, place)
	}
	return first, nil
}

func placeOf(batch []Record, sequenceNumber string) int {
	for i, record := range batch {
		if record.SequenceNumber == sequenceNumber {
			return i
		}
	}
	return -1
}

// eventOf is the batch as the function gets it.
func eventOf(batch []Record) []byte {
	texts := make([]json.RawMessage, len(batch))
	for i, record := range batch {
		texts[i] = record.Text
	}
	event, err := json.Marshal(map[string]any{"Records": texts})
	if err != nil {
		panic(fmt.Sprintf("records that were read as JSON are not written as JSON: %v", err))
	}
	return event
}

func restAfter(tries int) time.Duration { return min(firstRest<<min(tries, 10), longestRest) }

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
