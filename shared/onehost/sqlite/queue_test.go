package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// short is a message whose body and deduplication id are the same.
func short(group, id string) queue.Outgoing {
	return queue.Outgoing{Group: group, DeduplicationID: id, Body: id}
}

func send(t *testing.T, q *Queue, messages ...queue.Outgoing) {
	t.Helper()
	for _, m := range messages {
		if err := q.Send(t.Context(), m); err != nil {
			t.Fatalf("Send(%s): %v", m.Body, err)
		}
	}
}

// receive checks which bodies one Receive returns.
func receive(t *testing.T, q *Queue, limit int, wait, visibility time.Duration, want ...string) []queue.Delivery {
	t.Helper()
	got, err := q.Receive(t.Context(), limit, wait, visibility)
	if err != nil {
		t.Fatalf("Receive: %v", err)
	}
	var bodies []string
	for _, d := range got {
		bodies = append(bodies, d.Body)
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Fatalf("received (-want +got):\n%s", diff)
	}
	return got
}

func remove(t *testing.T, q *Queue, deliveries ...queue.Delivery) {
	t.Helper()
	handles := make([]string, len(deliveries))
	for i, d := range deliveries {
		handles[i] = d.ReceiptHandle
	}
	if err := q.Delete(t.Context(), handles); err != nil {
		t.Fatal(err)
	}
}

func hide(t *testing.T, q *Queue, d queue.Delivery, timeout time.Duration) {
	t.Helper()
	if err := q.ChangeVisibility(t.Context(), []queue.Visibility{{ReceiptHandle: d.ReceiptHandle, Timeout: timeout}}); err != nil {
		t.Fatal(err)
	}
}

// inBubble runs the test with a queue whose clock and timers are the bubble's.
func inBubble(t *testing.T, config QueueConfig, test func(t *testing.T, q *Queue)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		test(t, openNew(t).Queue("main", config))
	})
}

func TestReceiveTakesWholeGroupsOldestFirst(t *testing.T) {
	inBubble(t, QueueConfig{}, func(t *testing.T, q *Queue) {
		t.Helper()
		send(t, q, short("b", "b1"), short("a", "a1"), short("b", "b2"), short("a", "a2"), short("c", "c1"), short("a", "a3"))
		receive(t, q, 4, 0, time.Hour, "b1", "b2", "a1", "a2")
		receive(t, q, 10, 0, time.Hour, "c1")
	})
}

func TestDeadLetterQueueKeepsWhatItWasGiven(t *testing.T) {
	for name, config := range map[string]QueueConfig{
		"in order":      {MaxReceiveCount: 2, DeadLetter: "dead"},
		"without order": {MaxReceiveCount: 2, DeadLetter: "dead", Standard: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, config, func(t *testing.T, q *Queue) {
				t.Helper()
				sent := queue.Outgoing{Body: "poison", Attributes: map[string]string{"reason": "none"}}
				if !config.Standard {
					sent.Group, sent.DeduplicationID = "a", "d"
				}
				send(t, q, sent)
				var last queue.Delivery
				for range 2 {
					last = receive(t, q, 1, time.Minute, 10*time.Second, "poison")[0]
				}
				moved := time.Now().Add(10 * time.Second)
				arrived := await(t, q.db.Queue("dead", QueueConfig{Standard: config.Standard}))
				receive(t, q, 1, 15*time.Second, time.Minute)
				got := (<-arrived).check(t, "poison", moved)
				want := last
				want.ReceiveCount = 3
				if !config.Standard {
					want.DeduplicationID, want.SentAt = last.MessageID, moved.UTC()
				}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(queue.Delivery{}, "ReceiptHandle")); diff != "" {
					t.Errorf("dead letter (-want +got):\n%s", diff)
				}
				if visible, inFlight, _, err := q.Depth(t.Context()); visible+inFlight != 0 || err != nil {
					t.Errorf("%d messages left, error %v", visible+inFlight, err)
				}
			})
		})
	}
}

// More poison than one transaction looks at: a receiver that waits gets what lies behind it all the same.
func TestReceiveGetsPastManyDeadLetters(t *testing.T) {
	inBubble(t, QueueConfig{MaxReceiveCount: 1, DeadLetter: "dead"}, func(t *testing.T, q *Queue) {
		t.Helper()
		const poison = 2*maxRounds + 3
		for n := range poison {
			send(t, q, short("a", fmt.Sprintf("p%d", n)))
		}
		// Receiving them all once would take as many transactions.
		if err := q.db.write(t.Context(), func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, "UPDATE queue_messages SET receive_count = 1")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		send(t, q, short("a", "good"))
		receive(t, q, 1, time.Minute, time.Minute, "good")
		if got := q.db.depthOf(t, "dead"); got != poison {
			t.Errorf("%d dead letters, want %d", got, poison)
		}
	})
}

func TestQueuesDoNotTouchEachOther(t *testing.T) {
	inBubble(t, QueueConfig{}, func(t *testing.T, q *Queue) {
		t.Helper()
		other := q.db.Queue("other", QueueConfig{})
		send(t, q, short("a", "same"))
		send(t, other, short("a", "same"))
		held := receive(t, q, 1, 0, time.Hour, "same")
		otherHeld := receive(t, other, 1, 0, time.Hour, "same")
		remove(t, other, held...)
		hide(t, other, held[0], 0)
		receive(t, q, 1, 0, time.Hour)
		remove(t, q, held...)
		hide(t, other, otherHeld[0], 0)
		receive(t, other, 1, 0, time.Hour, "same")
	})
}

func TestAHandleLapsesWithItsVisibility(t *testing.T) {
	inBubble(t, QueueConfig{}, func(t *testing.T, q *Queue) {
		t.Helper()
		send(t, q, short("a", "a1"))
		held := receive(t, q, 1, 0, time.Second, "a1")
		time.Sleep(time.Second)
		remove(t, q, held...)
		hide(t, q, held[0], time.Hour)
		receive(t, q, 1, 0, time.Second, "a1")
	})
}

func TestHandlesThatAreNone(t *testing.T) {
	q := openNew(t).Queue("main", QueueConfig{})
	send(t, q, short("a", "a1"))
	receive(t, q, 1, 0, time.Hour, "a1")
	for _, handle := range []string{"", "-", "1", "1-", "-1", "1-0", "1--1", "1-1-1", "x-1", "99999999999999999999-1", "2-1"} {
		remove(t, q, queue.Delivery{ReceiptHandle: handle})
		hide(t, q, queue.Delivery{ReceiptHandle: handle}, 0)
	}
	receive(t, q, 1, 0, time.Hour)
}

func TestDeduplicationLastsFiveMinutes(t *testing.T) {
	inBubble(t, QueueConfig{}, func(t *testing.T, q *Queue) {
		t.Helper()
		send(t, q, short("a", "a1"))
		remove(t, q, receive(t, q, 1, 0, time.Hour, "a1")...)
		time.Sleep(5*time.Minute - time.Millisecond)
		send(t, q, short("a", "a1"), short("b", "a1"))
		receive(t, q, 1, 0, time.Hour)
		time.Sleep(time.Millisecond)
		send(t, q, short("b", "a1"), short("b", "a1"))
		receive(t, q, 10, 0, time.Hour, "a1")
	})
}

func TestDepth(t *testing.T) {
	inBubble(t, QueueConfig{}, func(t *testing.T, q *Queue) {
		t.Helper()
		check := func(wantVisible, wantInFlight int, wantOldest time.Time) {
			t.Helper()
			visible, inFlight, oldest, err := q.Depth(t.Context())
			if err != nil || visible != wantVisible || inFlight != wantInFlight || !oldest.Equal(wantOldest) {
				t.Errorf("depth %d, %d, %v, error %v; want %d, %d, %v", visible, inFlight, oldest, err, wantVisible, wantInFlight, wantOldest)
			}
		}
		check(0, 0, time.Time{})
		first := time.Now()
		send(t, q, short("a", "a1"), short("a", "a2"))
		time.Sleep(time.Minute)
		second := time.Now()
		send(t, q, short("a", "a3"), short("b", "b1"))
		check(4, 0, first)
		held := receive(t, q, 2, 0, 10*time.Second, "a1", "a2")
		check(2, 2, first)
		remove(t, q, held[0])
		check(2, 1, first)
		time.Sleep(10 * time.Second)
		check(3, 0, first)
		remove(t, q, receive(t, q, 1, 0, time.Minute, "a2")...)
		check(2, 0, second)
	})
	inBubble(t, QueueConfig{Standard: true}, func(t *testing.T, q *Queue) {
		t.Helper()
		send(t, q, queue.Outgoing{Body: "later", Delay: time.Minute})
		if visible, inFlight, _, err := q.Depth(t.Context()); visible != 1 || inFlight != 0 || err != nil {
			t.Errorf("depth %d, %d, error %v; a delayed message is waiting", visible, inFlight, err)
		}
	})
}

func TestWhatSQSRefusesIsRefusedForGood(t *testing.T) {
	db := openNew(t)
	fifo, standard := db.Queue("fifo", QueueConfig{}), db.Queue("standard", QueueConfig{Standard: true})
	attributes := map[string]string{}
	for n := range 11 {
		attributes[fmt.Sprint(n)] = "x"
	}
	mebibyte := strings.Repeat("x", 1<<20)
	for name, tt := range map[string]struct {
		q *Queue
		m queue.Outgoing
	}{
		"no body":                 {fifo, queue.Outgoing{Group: "a", DeduplicationID: "a"}},
		"no group":                {fifo, queue.Outgoing{DeduplicationID: "a", Body: "x"}},
		"no deduplication id":     {fifo, queue.Outgoing{Group: "a", Body: "x"}},
		"a space in a group":      {fifo, queue.Outgoing{Group: "a b", DeduplicationID: "a", Body: "x"}},
		"a long deduplication id": {fifo, queue.Outgoing{Group: "a", DeduplicationID: strings.Repeat("a", 129), Body: "x"}},
		"a delay in order":        {fifo, queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "x", Delay: time.Second}},
		"attributes beyond 1 MiB": {
			fifo,
			queue.Outgoing{Group: "a", DeduplicationID: "a", Body: mebibyte, Attributes: map[string]string{"a": "b"}},
		},
		"eleven attributes": {fifo, queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "x", Attributes: attributes}},
		"an empty attribute": {
			fifo,
			queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "x", Attributes: map[string]string{"a": ""}},
		},
		"an attribute's odd name": {
			fifo,
			queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "x", Attributes: map[string]string{"a b": "c"}},
		},
		"an attribute's odd value": {
			fifo,
			queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "x", Attributes: map[string]string{"a": "\x00"}},
		},
		"deduplication without order":   {standard, queue.Outgoing{DeduplicationID: "a", Body: "x"}},
		"a space in a group, unordered": {standard, queue.Outgoing{Group: "a b", Body: "x"}},
		"too long a delay":              {standard, queue.Outgoing{Body: "x", Delay: 15*time.Minute + 1}},
		"a delay backwards":             {standard, queue.Outgoing{Body: "x", Delay: -1}},
	} {
		if err := tt.q.Send(t.Context(), tt.m); err == nil || fault.Of(err).Kind != fault.Permanent {
			t.Errorf("Send with %s: error %v, want a permanent fault", name, err)
		}
	}
	send(t, fifo, queue.Outgoing{Group: "a", DeduplicationID: "a", Body: mebibyte})
	for name, err := range map[string]error{
		"a limit of 0":           receiveError(t, fifo, 0, 0),
		"a limit of 11":          receiveError(t, fifo, 11, 0),
		"visibility of 13 hours": receiveError(t, fifo, 1, 13*time.Hour),
		"visibility backwards":   receiveError(t, fifo, 1, -1),
		"a change to 13 hours":   fifo.ChangeVisibility(t.Context(), []queue.Visibility{{ReceiptHandle: "1-1", Timeout: 13 * time.Hour}}),
	} {
		if err == nil || fault.Of(err).Kind != fault.Permanent {
			t.Errorf("%s: error %v, want a permanent fault", name, err)
		}
	}
}

func receiveError(t *testing.T, q *Queue, limit int, visibility time.Duration) error {
	t.Helper()
	_, err := q.Receive(t.Context(), limit, 0, visibility)
	return err
}

// TestNothingShowsBeforeItsTime, not by a part of a millisecond either.
func TestNothingShowsBeforeItsTime(t *testing.T) {
	t.Parallel()
	clock := relaytest.NewClock(noon.Add(900 * time.Microsecond))
	q := openAt(t, filepath.Join(t.TempDir(), "relay.db"), clock.Now).Queue("main", QueueConfig{})
	send(t, q, short("a", "text"))
	receive(t, q, 1, 0, time.Millisecond, "text")
	clock.Advance(950 * time.Microsecond)
	receive(t, q, 1, 0, time.Minute)
	clock.Advance(150 * time.Microsecond)
	receive(t, q, 1, 0, time.Minute, "text")
}
