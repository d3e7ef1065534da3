package eventsource_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// visibility hides a batch in these tests, unless one says otherwise.
const visibility = 30 * time.Second

// calls are what a function was called with.
type calls struct {
	mu sync.Mutex
	// bodies are those of each batch, separated by commas; at is how long after the start it came.
	bodies []string
	at     []time.Duration
	start  time.Time
}

func (c *calls) add(batch events.SQSEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var bodies []string
	for _, m := range batch.Records {
		bodies = append(bodies, m.Body)
	}
	c.bodies, c.at = append(c.bodies, strings.Join(bodies, ",")), append(c.at, time.Since(c.start))
}

// mapping is a mapping over a queue in memory, to be made in a bubble.
type mapping struct {
	eventsource.Queue

	memory *relaytest.MemoryQueue
	calls  *calls
	log    *journal
}

// newMapping returns a mapping to a function that only answers.
func newMapping(answer eventsource.QueueFunction) mapping {
	m := mapping{memory: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, time.Now), calls: &calls{start: time.Now()}, log: &journal{}}
	m.Queue = eventsource.Queue{
		Receiver: m.memory, BatchSize: 10, Pollers: 1, Visibility: visibility, Logger: m.log.logger(),
		Function: func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
			m.calls.add(batch)
			return answer(ctx, batch)
		},
	}
	return m
}

// done is a function's answer that all is well.
func done(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return events.SQSEventResponse{}, nil
}

// back returns the answer that the messages with these bodies have to come back.
func back(batch events.SQSEvent, bodies ...string) events.SQSEventResponse {
	var response events.SQSEventResponse
	for _, m := range batch.Records {
		for _, body := range bodies {
			if m.Body == body {
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
	}
	return response
}

func TestQueueHandsOverBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(done)
		m.BatchSize = 2
		send(t, m.memory, "a1", "b1", "c1")
		stop := start(t, m.Run)
		synctest.Wait()
		send(t, m.memory, "d1")
		synctest.Wait()
		compare(t, "batches", []string{"a1,b1", "c1", "d1"}, m.calls.bodies)
		compare(t, "left on the queue", []string{}, bodies(m.memory))
		stop()
		compare(t, "logged", []string{}, m.log.messages())
	})
}

// TestQueueMessage holds a message against what Lambda's mapping hands over, in SQS's own words.
func TestQueueMessage(t *testing.T) {
	text := func(s string) events.SQSMessageAttribute {
		return events.SQSMessageAttribute{DataType: "String", StringValue: &s}
	}
	for _, tt := range []struct {
		name string
		sent queue.Outgoing
		want map[string]string
	}{
		{
			"with order",
			queue.Outgoing{Group: "g", DeduplicationID: "d", Body: "b", Attributes: map[string]string{"Reason": "refused", "Hop": "0"}},
			map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "946684800000", "MessageGroupId": "g", "MessageDeduplicationId": "d"},
		},
		{
			"without order",
			queue.Outgoing{Body: "b", Attributes: map[string]string{"Reason": "refused", "Hop": "0"}},
			map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "946684800000"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got events.SQSEvent
				m := newMapping(func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
					got = batch
					return events.SQSEventResponse{}, nil
				})
				m.memory = relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: tt.sent.Group == ""}, time.Now)
				m.Receiver = m.memory
				if err := m.memory.Send(t.Context(), tt.sent); err != nil {
					t.Fatal(err)
				}
				stop := start(t, m.Run)
				synctest.Wait()
				stop()
				compare(t, "event", events.SQSEvent{Records: []events.SQSMessage{{
					MessageId: "message-1", ReceiptHandle: "message-1-receipt-1", Body: "b", Attributes: tt.want, EventSource: "aws:sqs",
					MessageAttributes: map[string]events.SQSMessageAttribute{"Reason": text("refused"), "Hop": text("0")},
				}}}, got)
			})
		})
	}
}

// TestQueuePartialFailure: what the function names comes back when its visibility is over, and nothing else does.
func TestQueuePartialFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		m := newMapping(func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
			if first {
				first = false
				return back(batch, "b1", "c1"), nil
			}
			return events.SQSEventResponse{}, nil
		})
		send(t, m.memory, "a1", "b1", "c1", "d1")
		stop := start(t, m.Run)
		synctest.Wait()
		compare(t, "left after the first batch", []string{"b1", "c1"}, bodies(m.memory))
		pass(visibility)
		compare(t, "batches", []string{"a1,b1,c1,d1", "b1,c1"}, m.calls.bodies)
		compare(t, "times", []time.Duration{0, visibility}, m.calls.at)
		compare(t, "left at the end", []string{}, bodies(m.memory))
		stop()
	})
}

// TestQueueWholeBatchComesBack: as with Lambda, an answer that cannot be carried out does not count.
func TestQueueWholeBatchComesBack(t *testing.T) {
	named := func(ids ...string) eventsource.QueueFunction {
		return func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
			response := back(batch, "b1")
			for _, id := range ids {
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
			}
			return response, nil
		}
	}
	for name, function := range map[string]eventsource.QueueFunction{
		"an unknown message is named":       named("message-99"),
		"a message without a name is named": named(""),
		"a receipt is named":                named("message-1-receipt-1"),
		"the function fails": func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
			return back(batch, "b1"), errors.New("no database")
		},
		"the function panics": func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) { panic("defect") },
		"the function's code is wrong": func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
			return back(batch, batch.Records[9].Body), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMapping(function)
				send(t, m.memory, "a1", "b1")
				stop := start(t, m.Run)
				synctest.Wait()
				compare(t, "left on the queue", []string{"a1", "b1"}, bodies(m.memory))
				compare(t, "logged", []string{"ERROR batch failed"}, m.log.messages())
				pass(visibility)
				compare(t, "batches", []string{"a1,b1", "a1,b1"}, m.calls.bodies)
				compare(t, "times", []time.Duration{0, visibility}, m.calls.at)
				stop()
			})
		})
	}
}

// TestQueueStop: a stop leaves no batch half done, takes no other, and the function does not notice.
func TestQueueStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
			select {
			case <-time.After(10 * time.Second):
				return events.SQSEventResponse{}, nil
			case <-ctx.Done():
				t.Error("the function's context ended with the stop")
				return events.SQSEventResponse{}, ctx.Err()
			}
		})
		m.BatchSize = 1
		send(t, m.memory, "a1", "b1")
		stop := start(t, m.Run)
		pass(4 * time.Second)
		begun := time.Now()
		stop()
		compare(t, "time to stop", 6*time.Second, time.Since(begun))
		compare(t, "batches", []string{"a1"}, m.calls.bodies)
		compare(t, "left on the queue", []string{"b1"}, bodies(m.memory))
		compare(t, "logged", []string{}, m.log.messages())
	})
}

// TestQueueStopsWhileItWaits: at once, without a complaint about the receive that was cut short.
func TestQueueStopsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(done)
		m.Pollers = 3
		stop := start(t, m.Run)
		pass(25 * time.Second)
		begun := time.Now()
		stop()
		compare(t, "time to stop", time.Duration(0), time.Since(begun))
		compare(t, "logged", []string{}, m.log.messages())
		compare(t, "batches", []string(nil), m.calls.bodies)
	})
}

// patience is a queue on which nothing ever arrives, and which notes how long a receive would have waited.
type patience struct {
	*relaytest.MemoryQueue
	waits []time.Duration
}

func (p *patience) Receive(ctx context.Context, _ int, wait, _ time.Duration) ([]queue.Delivery, error) {
	p.waits = append(p.waits, wait)
	<-ctx.Done()
	return nil, nil
}

// TestQueueWaits for as long as it is told, and else no longer than SQS allows.
func TestQueueWaits(t *testing.T) {
	t.Parallel()
	for told, want := range map[time.Duration]time.Duration{0: 20 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			m := newMapping(done)
			asked := &patience{MemoryQueue: m.memory}
			m.Receiver, m.Wait = asked, told
			stop := start(t, m.Run)
			pass(time.Hour)
			stop()
			compare(t, "waits", []time.Duration{want}, asked.waits)
		})
	}
}

// TestQueueRestsAfterErrors: a queue that cannot be reached is asked once a second until it answers.
func TestQueueRestsAfterErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(done)
		errors := 3
		m.memory.Fault = func(op string) error {
			if op == "before Receive" && errors > 0 {
				errors--
				return &fault.Error{Kind: fault.Transient}
			}
			return nil
		}
		send(t, m.memory, "a1")
		stop := start(t, m.Run)
		pass(time.Minute)
		compare(t, "batches", []string{"a1"}, m.calls.bodies)
		compare(t, "times", []time.Duration{3 * time.Second}, m.calls.at)
		compare(t, "logged", []string{"ERROR queue not received from", "ERROR queue not received from", "ERROR queue not received from"},
			m.log.messages())
		stop()
	})
}

func TestQueueStopsWhileItRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(done)
		m.memory.Fault = func(string) error { return &fault.Error{Kind: fault.Transient} }
		stop := start(t, m.Run)
		pass(1500 * time.Millisecond)
		begun := time.Now()
		stop()
		compare(t, "time to stop", time.Duration(0), time.Since(begun))
	})
}

// TestQueueFailedDelete: what could not be deleted comes again, and the mapping goes on.
func TestQueueFailedDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(done)
		failures := 1
		m.memory.Fault = func(op string) error {
			if op == "before Delete" && failures > 0 {
				failures--
				return &fault.Error{Kind: fault.Transient}
			}
			return nil
		}
		send(t, m.memory, "a1")
		stop := start(t, m.Run)
		pass(visibility)
		compare(t, "batches", []string{"a1", "a1"}, m.calls.bodies)
		compare(t, "logged", []string{"ERROR messages not deleted"}, m.log.messages())
		compare(t, "left on the queue", []string{}, bodies(m.memory))
		stop()
	})
}

// TestQueueFunctionEndsBeforeTheVisibility: else its messages would be handed out while it is still at work on them. A
// function that heeds its context has time left to have its answer carried out.
func TestQueueFunctionEndsBeforeTheVisibility(t *testing.T) {
	for _, visibility := range []time.Duration{
		2 * time.Minute, 30 * time.Second, 12 * time.Second, 6 * time.Second,
		5 * time.Second, 2 * time.Second,
	} {
		t.Run(visibility.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMapping(func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
					<-ctx.Done()
					return events.SQSEventResponse{}, nil
				})
				m.Visibility = visibility
				send(t, m.memory, "a1")
				stop := start(t, m.Run)
				synctest.Wait()
				begun := time.Now()
				stop()
				if took := time.Since(begun); took >= visibility || took == 0 {
					t.Errorf("the function had %v of %v", took, visibility)
				}
				compare(t, "left on the queue", []string{}, bodies(m.memory))
			})
		})
	}
}

// TestQueuePollers: so many batches are worked on side by side, and no more.
func TestQueuePollers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			time.Sleep(time.Second)
			return events.SQSEventResponse{}, nil
		})
		m.BatchSize, m.Pollers = 1, 3
		send(t, m.memory, "a1", "b1", "c1", "d1", "e1", "f1", "g1")
		stop := start(t, m.Run)
		pass(10 * time.Second)
		at := []time.Duration{0, 0, 0, time.Second, time.Second, time.Second, 2 * time.Second}
		compare(t, "times", at, m.calls.at)
		stop()
	})
}
