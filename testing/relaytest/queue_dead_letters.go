package relaytest

import (
	"context"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// exhaust receives the queue's head as often as the queue hands it out.
func (q queueTest) exhaust(body string) {
	q.Helper()
	for count := 1; count <= 3; count++ {
		got := q.one(body, hidden)
		if got.ReceiveCount != count {
			q.Errorf("receive count %d, want %d", got.ReceiveCount, count)
		}
		q.change(0, got)
	}
}

// dead waits for the dead-letter queue. SQS moves a message only when the queue is asked for it once more.
func (q queueTest) dead() queue.Delivery {
	q.Helper()
	ctx, cancel := context.WithTimeout(q.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		q.nothing("the message is exhausted")
		got, err := q.Dead.Receive(ctx, 1, longPoll, hidden)
		if err != nil {
			q.Fatalf("Receive from the dead-letter queue: %v", err)
		}
		if len(got) > 0 {
			return got[0]
		}
	}
	q.Fatal("nothing reached the dead-letter queue")
	return queue.Delivery{}
}

func (q queueTest) deadLetter() {
	message := text("a", "a1")
	message.Body = "a1 ü <&>"
	message.Attributes = map[string]string{"reason": "attempts_exhausted", "attempts": "8"}
	q.send(message)
	q.exhaust(message.Body)
	want := queue.Delivery{Group: message.Group, Body: message.Body, Attributes: message.Attributes}
	// SQS counts again on a FIFO dead-letter queue, and gives a message a new name.
	ofItsOwn := cmpopts.IgnoreFields(queue.Delivery{}, "MessageID", "ReceiptHandle", "DeduplicationID", "ReceiveCount", "SentAt")
	dead := q.dead()
	if diff := cmp.Diff(want, dead, ofItsOwn); diff != "" {
		q.Errorf("dead letter (-want +got):\n%s", diff)
	}
	if err := q.Dead.Delete(q.Context(), []string{dead.ReceiptHandle}); err != nil {
		q.Errorf("Delete from the dead-letter queue: %v", err)
	}
	q.nothing("the message is dead")
}

func (q queueTest) deadLetterFreesGroup() {
	q.send(text("a", "a1"), text("a", "a2"))
	q.exhaust("a1")
	a2 := q.one("a2", hidden)
	if a2.ReceiveCount != 1 {
		q.Errorf("receive count of a2 %d, want 1", a2.ReceiveCount)
	}
	if got := q.dead(); got.Body != "a1" {
		q.Errorf("dead letter %q, want a1", got.Body)
	}
}
