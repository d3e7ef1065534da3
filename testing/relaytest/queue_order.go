package relaytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/queue"
)

func (q queueTest) groupKeepsOrder() {
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("a%02d", i))
		q.send(text("a", want[i]))
	}
	if diff := cmp.Diff(want, q.drain(25)); diff != "" {
		q.Errorf("order (-sent +received):\n%s", diff)
	}
	q.nothing("all are deleted")
}

func (q queueTest) groupLocked() {
	q.send(text("a", "a1"))
	first := q.one("a1", hidden)
	q.send(text("a", "a2"))
	q.nothing("a1 is in flight")
	q.remove(first)
	q.one("a2", hidden)
}

func (q queueTest) groupLockedByFollower() {
	q.send(text("a", "a1"), text("a", "a2"), text("a", "a3"))
	batch := q.batch(2)
	q.remove(batch[0])
	q.nothing("a2 is in flight")
	q.remove(batch[1])
	q.one("a3", hidden)
}

// groupLockedBehindShownHead is what a sender leaves behind that gives its first message back and then dies.
func (q queueTest) groupLockedBehindShownHead() {
	q.send(text("a", "a1"), text("a", "a2"))
	batch := q.batch(2)
	q.change(0, batch[0])
	q.nothing("a2 is in flight, and a1 goes before it")
	q.change(0, batch[1])
	if diff := cmp.Diff([]string{"a1", "a2"}, q.drain(2)); diff != "" {
		q.Errorf("order (-sent +received):\n%s", diff)
	}
}

func (q queueTest) otherGroupsGoOn() {
	q.send(text("a", "a1"))
	first := q.one("a1", hidden)
	q.send(text("a", "a2"), text("b", "b1"), text("b", "b2"))
	if diff := cmp.Diff([]string{"b1", "b2"}, q.drain(2)); diff != "" {
		q.Errorf("while a is locked (-want +received):\n%s", diff)
	}
	q.remove(first)
	q.one("a2", hidden)
}

func (q queueTest) severalGroups() {
	q.send(text("a", "a1"), text("b", "b1"), text("c", "c1"))
	var got []string
	for len(got) < 3 {
		got = append(got, bodies(q.poll(q, 10, hidden))...)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a1", "b1", "c1"}, got); diff != "" {
		q.Errorf("in flight at once (-want +received):\n%s", diff)
	}
}

func (q queueTest) delayedHead() {
	q.send(text("a", "a1"), text("a", "a2"), text("a", "a3"))
	batch := q.batch(3)
	const delay = 2 * time.Second
	start := wallClock()
	err := q.ChangeVisibility(q.Context(), []queue.Visibility{
		{ReceiptHandle: batch[0].ReceiptHandle, Timeout: delay},
		{ReceiptHandle: batch[1].ReceiptHandle},
		{ReceiptHandle: batch[2].ReceiptHandle},
	})
	if err != nil {
		q.Fatalf("ChangeVisibility: %v", err)
	}
	var got []string
	for len(got) < 3 {
		deliveries := q.poll(q, 10, hidden)
		q.notBefore(start, delay, fmt.Sprintf("received %q", bodies(deliveries)))
		got = append(got, bodies(deliveries)...)
		q.remove(deliveries...)
	}
	if diff := cmp.Diff([]string{"a1", "a2", "a3"}, got); diff != "" {
		q.Errorf("order (-sent +received):\n%s", diff)
	}
}

func (q queueTest) standardLocksNothing() {
	q.send(queue.Outgoing{Body: "one"}, queue.Outgoing{Body: "two"})
	var got []string
	for len(got) < 2 {
		got = append(got, bodies(q.poll(q, 1, hidden))...)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
		q.Errorf("in flight at once (-want +received):\n%s", diff)
	}
}

func (q queueTest) standardDelays() {
	const delay = 2 * time.Second
	start := wallClock()
	q.send(queue.Outgoing{Body: "later", Delay: delay}, queue.Outgoing{Body: "now"})
	q.remove(q.one("now", hidden))
	q.one("later", hidden)
	q.notBefore(start, delay, "received")
}
