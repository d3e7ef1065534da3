package eventsource_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
)

// span is a batch: its first and its last change, and how long after the start it came.
type span struct {
	First, Last string
	At          time.Duration
}

// tape is a mapping over a stream in memory, to be made in a bubble.
type tape struct {
	eventsource.Stream

	stream *stream
	// batches are what the function got.
	batches *[]span
	log     *journal
}

// newTape returns a mapping to a function that only answers.
func newTape(answer eventsource.StreamFunction) tape {
	tp := tape{stream: newStream(), batches: &[]span{}, log: &journal{}}
	start := time.Now()
	tp.Stream = eventsource.Stream{
		Changes: tp.stream, BatchSize: 3, Logger: tp.log.logger(),
		Function: func(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			first, last := batch.Records[0], batch.Records[len(batch.Records)-1]
			*tp.batches = append(*tp.batches, span{first.Change.SequenceNumber, last.Change.SequenceNumber, time.Since(start)})
			return answer(ctx, batch)
		},
	}
	return tp
}

func well(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	return from(""), nil
}

// times returns a function that answers so often with answer, and then well.
func times(n int, answer eventsource.StreamFunction) eventsource.StreamFunction {
	return func(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		if n == 0 {
			return well(ctx, batch)
		}
		n--
		return answer(ctx, batch)
	}
}

// naming answers that a change has to come again.
func naming(sequenceNumber string) eventsource.StreamFunction {
	return func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		return from(sequenceNumber), nil
	}
}

func TestStreamChecksEachBatchOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(well)
		tp.stream.add(7)
		stop := start(t, tp.Run)
		pass(time.Minute)
		tp.stream.add(1)
		synctest.Wait()
		compare(t, "batches", []span{{"001", "003", 0}, {"004", "006", 0}, {"007", "007", 0}, {"008", "008", time.Minute}}, *tp.batches)
		compare(t, "checkpoints", []string{"003", "006", "007", "008"}, tp.stream.progress())
		stop()
		compare(t, "logged", []string{}, tp.log.messages())
	})
}

func TestStreamGoesOnAtTheChangeThatFailed(t *testing.T) {
	for _, tt := range []struct {
		name, failed string
		batches      []span
		checkpoints  []string
	}{
		{"the first", "001", []span{{"001", "003", 0}, {"001", "003", time.Second}}, []string{"003"}},
		{"the second", "002", []span{{"001", "003", 0}, {"002", "004", time.Second}}, []string{"001", "004"}},
		{"the last", "003", []span{{"001", "003", 0}, {"003", "004", time.Second}}, []string{"002", "004"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := newTape(times(1, naming(tt.failed)))
				tp.stream.add(3)
				stop := start(t, tp.Run)
				synctest.Wait()
				if tt.failed != "001" {
					tp.stream.add(1)
				}
				pass(time.Second)
				compare(t, "batches", tt.batches, *tp.batches)
				compare(t, "checkpoints", tt.checkpoints, tp.stream.progress())
				compare(t, "logged", []string{"ERROR changes not worked through"}, tp.log.messages())
				stop()
			})
		})
	}
}

// TestStreamRestsAfterABatchThatWasNotFull: what comes meanwhile shares the next batch. A full one is followed at once, and a change that
// comes later is not made to wait.
func TestStreamRestsAfterABatchThatWasNotFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(well)
		stop := start(t, tp.Run)
		for range 5 {
			tp.stream.add(1)
			pass(20 * time.Millisecond)
		}
		pass(time.Second)
		tp.stream.add(1)
		synctest.Wait()
		want := []span{
			{"001", "001", 0},
			{"002", "004", 100 * time.Millisecond},
			{"005", "005", 100 * time.Millisecond},
			{"006", "006", 1100 * time.Millisecond},
		}
		compare(t, "batches", want, *tp.batches)
		stop()
	})
}

// TestStreamStopsWhileItCollects: what came while it rested is still read.
func TestStreamStopsWhileItCollects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(well)
		tp.stream.add(1)
		stop := start(t, tp.Run)
		synctest.Wait()
		tp.stream.add(1)
		begun := time.Now()
		stop()
		compare(t, "time to stop", time.Duration(0), time.Since(begun))
		compare(t, "checkpoints", []string{"001", "002"}, tp.stream.progress())
	})
}

// TestStreamTheLowestCounts: with several named, as with Lambda.
func TestStreamTheLowestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(times(1, func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			return events.DynamoDBEventResponse{BatchItemFailures: append(from("003").BatchItemFailures, from("002").BatchItemFailures...)}, nil
		}))
		tp.stream.add(3)
		stop := start(t, tp.Run)
		synctest.Wait()
		compare(t, "checkpoints", []string{"001"}, tp.stream.progress())
		stop()
	})
}

// TestStreamWholeBatchComesAgain: nothing is checked off on an answer that cannot be carried out.
func TestStreamWholeBatchComesAgain(t *testing.T) {
	empty := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{{}}}
	for name, answer := range map[string]eventsource.StreamFunction{
		"an unknown change is named": naming("999"),
		"a change without a name is named": func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			return empty, nil
		},
		"the function fails": func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			return from("003"), errors.New("no log")
		},
		"the function panics": func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) { panic("defect") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := newTape(times(1, answer))
				tp.stream.add(3)
				stop := start(t, tp.Run)
				synctest.Wait()
				compare(t, "checkpoints at first", []string{}, tp.stream.progress())
				pass(time.Second)
				compare(t, "batches", []span{{"001", "003", 0}, {"001", "003", time.Second}}, *tp.batches)
				compare(t, "checkpoints", []string{"003"}, tp.stream.progress())
				stop()
			})
		})
	}
}

// TestStreamRestsLongerAndLonger between the tries of a change that fails, up to half a minute, and never gives it up.
func TestStreamRestsLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(times(8, naming("001")))
		tp.stream.add(1)
		stop := start(t, tp.Run)
		pass(time.Hour)
		var seconds []int
		for _, batch := range *tp.batches {
			seconds = append(seconds, int(batch.At/time.Second))
		}
		compare(t, "tries", []int{0, 1, 3, 7, 15, 31, 61, 91, 121}, seconds)
		compare(t, "checkpoints", []string{"001"}, tp.stream.progress())
		stop()
	})
}

// TestStreamRestsAnew: the next change that fails is not made to wait for the one before.
func TestStreamRestsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []string{"001", "001", "001", "", "002", ""}
		tp := newTape(func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			answer := answers[0]
			answers = answers[1:]
			return from(answer), nil
		})
		tp.stream.add(1)
		stop := start(t, tp.Run)
		pass(time.Minute)
		tp.stream.add(1)
		pass(time.Minute)
		want := []span{
			{"001", "001", 0},
			{"001", "001", time.Second},
			{"001", "001", 3 * time.Second},
			{"001", "001", 7 * time.Second},
			{"002", "002", 60 * time.Second},
			{"002", "002", 61 * time.Second},
		}
		compare(t, "batches", want, *tp.batches)
		stop()
	})
}

// TestStreamRestsAfterItsOwnErrors, of reading and of checking off.
func TestStreamRestsAfterItsOwnErrors(t *testing.T) {
	for _, tt := range []struct {
		op      string
		batches []span
	}{
		{"Read", []span{{"001", "003", 3 * time.Second}}},
		{"Checkpoint", []span{{"001", "003", 0}, {"001", "003", time.Second}, {"001", "003", 3 * time.Second}}},
	} {
		t.Run(tt.op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := newTape(well)
				failures := 2
				tp.stream.fault = func(op string) error {
					if op == tt.op && failures > 0 {
						failures--
						return errors.New("disk full")
					}
					return nil
				}
				tp.stream.add(3)
				stop := start(t, tp.Run)
				pass(time.Minute)
				compare(t, "batches", tt.batches, *tp.batches)
				compare(t, "checkpoints", []string{"003"}, tp.stream.progress())
				stop()
			})
		})
	}
}

// TestStreamDrains: a stop comes after what there is to read, however many batches that takes.
func TestStreamDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(nil)
		blocked := make(chan struct{})
		tp.Function = func(ctx context.Context, _ events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			<-blocked
			if ctx.Err() != nil {
				t.Error("the function's context ended with the stop")
			}
			return from(""), nil
		}
		tp.stream.add(1)
		stop := start(t, tp.Run)
		synctest.Wait()
		tp.stream.add(7)
		go func() {
			time.Sleep(time.Second)
			close(blocked)
		}()
		begun := time.Now()
		stop()
		compare(t, "time to stop", time.Second, time.Since(begun))
		compare(t, "checkpoints", []string{"001", "004", "007", "008"}, tp.stream.progress())
	})
}

// TestStreamThatHasStoppedDrains, too: the stop may come before the first read.
func TestStreamThatHasStoppedDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(well)
		tp.stream.add(4)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := tp.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
		compare(t, "checkpoints", []string{"003", "004"}, tp.stream.progress())
	})
}

// TestStreamDrainsWithoutPatience: what fails then is left for the next start, up to the change before it.
func TestStreamDrainsWithoutPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(naming("002"))
		tp.stream.add(3)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		if err := tp.Run(ended); err != nil {
			t.Errorf("Run: %v, want nil", err)
		}
		compare(t, "time to stop", time.Duration(0), time.Since(begun))
		compare(t, "batches", []span{{"001", "003", 0}}, *tp.batches)
		compare(t, "checkpoints", []string{"001"}, tp.stream.progress())
		compare(t, "logged", []string{"WARN changes left for the next start"}, tp.log.messages())
	})
}

func TestStreamStopsWhileItRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(naming("001"))
		tp.stream.add(1)
		stop := start(t, tp.Run)
		pass(40 * time.Second)
		begun := time.Now()
		stop()
		compare(t, "time to stop", time.Duration(0), time.Since(begun))
		compare(t, "checkpoints", []string{}, tp.stream.progress())
	})
}

// TestStreamStopsWhileItWaits, without a complaint about the read that was cut short.
func TestStreamStopsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := newTape(well)
		stop := start(t, tp.Run)
		pass(25 * time.Second)
		begun := time.Now()
		stop()
		compare(t, "time to stop", time.Duration(0), time.Since(begun))
		compare(t, "logged", []string{}, tp.log.messages())
	})
}
