package relaytest

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// QueueOptions say which queue a test wants.
type QueueOptions struct {
	// Standard asks for a queue without order. An adapter that has none calls t.Skip in its open.
	Standard bool
	// MaxReceiveCount asks for a dead-letter queue that takes a message after so many receipts. 0 asks for none, or
	// for one that nothing reaches: 100 will do.
	MaxReceiveCount int
}

// QueueUnderTest is a queue, empty when a test gets it.
type QueueUnderTest struct {
	queue.Sender
	queue.Receiver
	// Dead is the queue's dead-letter queue. It may be nil where MaxReceiveCount is 0.
	Dead queue.Receiver
}

// TestQueue holds a queue against the contract of package queue. open returns a new, empty queue each time; it is called
// once a subtest, and subtests run side by side. The queue may count visibility timeouts, waits and delays in whole
// seconds, and may return fewer messages than it has.
func TestQueue(t *testing.T, open func(t *testing.T, o QueueOptions) QueueUnderTest) {
	t.Helper()
	for _, tt := range queueTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(queueTest{t, open(t, tt.options)})
		})
	}
}

// queueCase is one subtest of the suite.
type queueCase struct {
	name    string
	options QueueOptions
	run     func(queueTest)
}

func queueTests() []queueCase {
	fifo, standard, thrice := QueueOptions{}, QueueOptions{Standard: true}, QueueOptions{MaxReceiveCount: 3}
	return []queueCase{
		{"a group keeps its order", fifo, queueTest.groupKeepsOrder},
		{"a group is locked while its message is in flight", fifo, queueTest.groupLocked},
		{"a group is locked while only a follower is in flight", fifo, queueTest.groupLockedByFollower},
		{"a group is locked while a follower of a shown head is in flight", fifo, queueTest.groupLockedBehindShownHead},
		{"other groups go on", fifo, queueTest.otherGroupsGoOn},
		{"several groups are in flight at once", fifo, queueTest.severalGroups},
		{"a receipt that lapses redelivers", fifo, queueTest.lapseRedelivers},
		{"an old handle does not delete", fifo, queueTest.oldHandleDoesNotDelete},
		{"an old handle does not change visibility", fifo, queueTest.oldHandleDoesNotShow},
		{"a handle of another queue does nothing", thrice, queueTest.handleOfAnotherQueue},
		{"a deleted message's handle is passed over", fifo, queueTest.goneHandle},
		{"visibility 0 shows at once", fifo, queueTest.showAtOnce},
		{"visibility can be prolonged", fifo, queueTest.prolong},
		{"a delayed head holds its followers back in order", fifo, queueTest.delayedHead},
		{"many handles, few and none in one call", fifo, queueTest.manyHandles},
		{"a repeat is queued once", fifo, queueTest.repeatQueuedOnce},
		{"a repeat after the delete is not queued", fifo, queueTest.repeatAfterDelete},
		{"repeats side by side are queued once", fifo, queueTest.repeatsSideBySide},
		{"a delivery tells what was sent", fifo, queueTest.deliveryTells},
		{"every character survives", fifo, queueTest.everyCharacter},
		{"a long body survives", fifo, queueTest.longBody},
		{"ten attributes survive", fifo, queueTest.tenAttributes},
		{"what it will never accept is refused for good", fifo, queueTest.refusals},
		{"an ended context is a classified error", fifo, queueTest.endedContext},
		{"the time of sending", fifo, queueTest.sentAt},
		{"an empty queue answers with nothing", fifo, queueTest.empty},
		{"a waiting receive wakes on a send", fifo, queueTest.wakesOnSend},
		{"a waiting receive ends with its context", fifo, queueTest.waitEnds},
		{"no more than the limit", fifo, queueTest.limit},
		{"receivers side by side", fifo, queueTest.receiversSideBySide},
		{"senders side by side", fifo, queueTest.sendersSideBySide},
		{"a message received too often is dead-lettered", thrice, queueTest.deadLetter},
		{"a dead-lettered head frees its group", thrice, queueTest.deadLetterFreesGroup},
		{"a standard queue locks nothing", standard, queueTest.standardLocksNothing},
		{"a standard queue delays", standard, queueTest.standardDelays},
	}
}

// queueTest is one subtest with its queue.
type queueTest struct {
	*testing.T
	QueueUnderTest
}

// hidden is a visibility timeout that no test lives to see the end of.
const hidden = 5 * time.Minute

// text is a message whose body is its deduplication id.
func text(group, body string) queue.Outgoing {
	return queue.Outgoing{Group: group, DeduplicationID: body, Body: body}
}

func (q queueTest) send(messages ...queue.Outgoing) {
	q.Helper()
	for _, m := range messages {
		if err := q.Send(q.Context(), m); err != nil {
			q.Fatalf("Send(%.40q): %v", m.Body, err)
		}
	}
}

// poll receives from r until something comes.
func (q queueTest) poll(r queue.Receiver, limit int, visibility time.Duration) []queue.Delivery {
	q.Helper()
	ctx, cancel := context.WithTimeout(q.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		got, err := r.Receive(ctx, limit, longPoll, visibility)
		if err != nil {
			q.Fatalf("Receive: %v", err)
		}
		if len(got) > 0 {
			return got
		}
	}
	q.Fatalf("nothing received within %v", patience)
	return nil
}

// one receives a single message and checks which it is.
func (q queueTest) one(body string, visibility time.Duration) queue.Delivery {
	q.Helper()
	got := q.poll(q, 1, visibility)
	if len(got) != 1 || got[0].Body != body {
		q.Fatalf("received %q, want %q alone", bodies(got), body)
	}
	return got[0]
}

// batch receives n messages with one call. A queue may return fewer than it has: it is asked again then.
func (q queueTest) batch(n int) []queue.Delivery {
	q.Helper()
	for range 20 {
		got := q.poll(q, n, hidden)
		if len(got) == n {
			return got
		}
		q.change(0, got...)
	}
	q.Fatalf("no batch of %d messages in 20 receives", n)
	return nil
}

// nothing checks that no message can be received now.
func (q queueTest) nothing(why string) {
	q.Helper()
	got, err := q.Receive(q.Context(), 10, 0, hidden)
	if err != nil || len(got) > 0 {
		q.Fatalf("%s: received %q, error %v; want nothing", why, bodies(got), err)
	}
}

// drain receives and deletes n messages and returns their bodies.
func (q queueTest) drain(n int) []string {
	q.Helper()
	var got []string
	for len(got) < n {
		deliveries := q.poll(q, min(10, n-len(got)), hidden)
		got = append(got, bodies(deliveries)...)
		q.remove(deliveries...)
	}
	return got
}

func (q queueTest) change(timeout time.Duration, deliveries ...queue.Delivery) {
	q.Helper()
	changes := make([]queue.Visibility, len(deliveries))
	for i, d := range deliveries {
		changes[i] = queue.Visibility{ReceiptHandle: d.ReceiptHandle, Timeout: timeout}
	}
	if err := q.ChangeVisibility(q.Context(), changes); err != nil {
		q.Fatalf("ChangeVisibility to %v: %v", timeout, err)
	}
}

func (q queueTest) remove(deliveries ...queue.Delivery) {
	q.Helper()
	if err := q.Delete(q.Context(), handles(deliveries)); err != nil {
		q.Fatalf("Delete(%q): %v", bodies(deliveries), err)
	}
}

// notBefore checks that d has passed since start. Only the lower bound is measured: a slow machine is no fault.
func (q queueTest) notBefore(start time.Time, d time.Duration, what string) {
	q.Helper()
	if passed := wallClock().Sub(start); passed < d-slack {
		q.Errorf("%s after %v, want not before %v", what, passed, d)
	}
}

func bodies(deliveries []queue.Delivery) []string {
	texts := make([]string, len(deliveries))
	for i, d := range deliveries {
		texts[i] = d.Body
	}
	return texts
}

func handles(deliveries []queue.Delivery) []string {
	all := make([]string, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.ReceiptHandle
	}
	return all
}
