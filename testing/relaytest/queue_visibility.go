package relaytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// lapsed sends one message and receives it twice, the second time because the first receipt lapsed.
func (q queueTest) lapsed(visibility time.Duration) (first, second queue.Delivery) {
	q.Helper()
	q.send(text("a", "a1"))
	first = q.one("a1", visibility)
	return first, q.one("a1", hidden)
}

func (q queueTest) lapseRedelivers() {
	const visibility = 2 * time.Second
	start := wallClock()
	first, second := q.lapsed(visibility)
	q.notBefore(start, visibility, "redelivered")
	if first.ReceiveCount != 1 || second.ReceiveCount != 2 {
		q.Errorf("receive counts %d, %d; want 1, 2", first.ReceiveCount, second.ReceiveCount)
	}
	if first.ReceiptHandle == second.ReceiptHandle {
		q.Error("both receipts have one handle")
	}
	if first.MessageID != second.MessageID || first.MessageID == "" {
		q.Errorf("message ids %q, %q; want the same", first.MessageID, second.MessageID)
	}
	if !first.SentAt.Equal(second.SentAt) {
		q.Errorf("sent at %v, then at %v", first.SentAt, second.SentAt)
	}
}

func (q queueTest) oldHandleDoesNotDelete() {
	first, second := q.lapsed(time.Second)
	q.remove(first)
	q.change(0, second)
	q.one("a1", hidden)
}

func (q queueTest) oldHandleDoesNotShow() {
	first, second := q.lapsed(time.Second)
	q.change(0, first)
	q.nothing("the second receipt is in flight")
	q.remove(second)
	q.nothing("the message is deleted")
}

// handleOfAnotherQueue hands the dead-letter queue what this one has handed out. It may say that it does not know it.
func (q queueTest) handleOfAnotherQueue() {
	q.send(text("a", "a1"))
	a1 := q.one("a1", hidden)
	_ = q.Dead.ChangeVisibility(q.Context(), []queue.Visibility{{ReceiptHandle: a1.ReceiptHandle}})
	q.nothing("another queue was asked to show it")
	_ = q.Dead.Delete(q.Context(), []string{a1.ReceiptHandle})
	q.change(0, a1)
	q.one("a1", hidden)
}

func (q queueTest) goneHandle() {
	q.send(text("a", "a1"), text("b", "b1"))
	a1, b1 := q.one("a1", hidden), q.one("b1", hidden)
	q.remove(a1)
	q.remove(a1)
	q.change(0, a1)
	q.change(0, a1, b1)
	b1 = q.one("b1", hidden)
	q.remove(a1, b1)
	q.nothing("both are deleted")
}

func (q queueTest) showAtOnce() {
	q.send(text("a", "a1"))
	for count := 1; count <= 3; count++ {
		got := q.one("a1", hidden)
		if got.ReceiveCount != count {
			q.Errorf("receive count %d, want %d", got.ReceiveCount, count)
		}
		q.change(0, got)
	}
}

// prolong waits out the first visibility in a locked group; the other group's messages are its clock.
func (q queueTest) prolong() {
	q.send(text("a", "a1"))
	q.change(hidden, q.one("a1", time.Second))
	q.send(text("b", "b1"))
	q.one("b1", 2*time.Second)
	b1 := q.one("b1", hidden)
	q.remove(b1)
	q.nothing("a1's visibility was prolonged")
}

// manyHandles goes past the ten handles that SQS takes in one call.
func (q queueTest) manyHandles() {
	const many = 23
	var want []string
	for i := range many {
		want = append(want, fmt.Sprintf("m%02d", i))
		q.send(text(want[i], want[i]))
	}
	q.change(0)
	q.remove()
	q.change(0, q.hold(many)...)
	held := q.hold(many)
	got := bodies(held)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		q.Errorf("shown again (-want +received):\n%s", diff)
	}
	q.remove(append(held, held[0])...)
	q.nothing("all are deleted")
}

// hold receives n messages and leaves them in flight.
func (q queueTest) hold(n int) []queue.Delivery {
	q.Helper()
	var held []queue.Delivery
	for len(held) < n {
		held = append(held, q.poll(q, 10, hidden)...)
	}
	return held
}

func (q queueTest) limit() {
	for i := range 12 {
		body := fmt.Sprintf("m%02d", i)
		q.send(text(body, body))
	}
	for limit := 1; limit <= 10; limit++ {
		got := q.poll(q, limit, hidden)
		if len(got) > limit {
			q.Errorf("Receive(%d) returned %d messages", limit, len(got))
		}
		q.change(0, got...)
	}
}
