package eventsource_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// slow is a function that takes seven seconds for the group a, and a moment for the others.
func slow(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	for _, m := range batch.Records {
		if m.Body[:1] == "a" {
			time.Sleep(7 * time.Second)
		}
	}
	return events.SQSEventResponse{}, nil
}

// TestSlowGroupHoldsUpNobodyElse: what came in one batch with it is done at once, and so is what comes after it.
func TestSlowGroupHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(slow)
		m.Slots = 10
		send(t, m.memory, "a1", "b1", "a2", "c1")
		stop := start(t, m.Run)
		synctest.Wait()
		compare(t, "left at once", []string{"a1", "a2"}, bodies(m.memory))
		pass(time.Second)
		send(t, m.memory, "b2", "a3", "d1")
		synctest.Wait()
		compare(t, "left after a second", []string{"a1", "a2", "a3"}, bodies(m.memory))
		pass(time.Minute)
		compare(t, "left at the end", []string{}, bodies(m.memory))
		m.calls.mu.Lock()
		called := map[string]time.Duration{}
		for i, bodies := range m.calls.bodies {
			called[bodies] = m.calls.at[i]
		}
		m.calls.mu.Unlock()
		// The slow group's own order holds: its two messages came together, and take fourteen seconds.
		compare(t, "calls", map[string]time.Duration{"a1,a2": 0, "b1": 0, "c1": 0, "b2": time.Second, "d1": time.Second, "a3": 14 * time.Second},
			called)
		stop()
	})
}

// TestSlotsAreBounded: so many groups are worked on at once, over all pollers, and no more.
func TestSlotsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			time.Sleep(time.Second)
			return events.SQSEventResponse{}, nil
		})
		m.BatchSize, m.Pollers, m.Slots = 3, 2, 3
		send(t, m.memory, "a1", "b1", "c1", "d1", "e1", "f1", "g1")
		stop := start(t, m.Run)
		pass(10 * time.Second)
		at := []time.Duration{0, 0, 0, time.Second, time.Second, time.Second, 2 * time.Second}
		compare(t, "times", at, m.calls.at)
		stop()
	})
}

// TestGroupThatFails: it comes back, and takes no other with it.
func TestGroupThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 1
		m := newMapping(func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
			if batch.Records[0].Body == "a1" && failures > 0 {
				failures--
				return events.SQSEventResponse{}, errors.New("no database")
			}
			return back(batch, "b2"), nil
		})
		m.Slots = 10
		send(t, m.memory, "a1", "a2", "b1", "b2", "c1")
		stop := start(t, m.Run)
		synctest.Wait()
		compare(t, "left", []string{"a1", "a2", "b2"}, bodies(m.memory))
		compare(t, "logged", []string{"ERROR batch failed"}, m.log.messages())
		pass(visibility)
		compare(t, "left when they came back", []string{"b2"}, bodies(m.memory))
		stop()
	})
}

// TestMessagesWithoutAGroupGoApart: a queue without order has nothing that keeps two together.
func TestMessagesWithoutAGroupGoApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(slow)
		m.memory = relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, time.Now)
		m.Receiver, m.Slots = m.memory, 10
		for _, body := range []string{"a1", "b1", "a2"} {
			if err := m.memory.Send(t.Context(), queue.Outgoing{Body: body}); err != nil {
				t.Fatal(err)
			}
		}
		stop := start(t, m.Run)
		synctest.Wait()
		compare(t, "left at once", []string{"a1", "a2"}, bodies(m.memory))
		pass(7 * time.Second)
		compare(t, "left after seven seconds", []string{}, bodies(m.memory))
		stop()
	})
}

// TestStopWaitsForEveryGroup: what was begun is finished, and nothing else is begun.
func TestStopWaitsForEveryGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMapping(slow)
		m.BatchSize, m.Slots = 2, 2
		send(t, m.memory, "a1", "b1", "a2")
		stop := start(t, m.Run)
		pass(time.Second)
		begun := time.Now()
		stop()
		compare(t, "time to stop", 6*time.Second, time.Since(begun))
		compare(t, "left", []string{"a2"}, bodies(m.memory))
		compare(t, "logged", []string{}, m.log.messages())
	})
}
