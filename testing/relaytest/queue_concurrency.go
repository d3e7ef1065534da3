package relaytest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/queue"
)

func (q queueTest) empty() {
	for _, wait := range []time.Duration{0, time.Second} {
		ctx, cancel := context.WithTimeout(q.Context(), patience)
		got, err := q.Receive(ctx, 10, wait, hidden)
		cancel()
		if err != nil || len(got) != 0 {
			q.Errorf("Receive with wait %v: %q, %v; want nothing and no error", wait, bodies(got), err)
		}
	}
}

// wakesOnSend waits longer in Receive than its patience lasts, so that only the send can end it.
func (q queueTest) wakesOnSend() {
	ctx, cancel := context.WithTimeout(q.Context(), patience/2)
	defer cancel()
	var got []queue.Delivery
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { got, err = q.Receive(ctx, 1, patience, hidden) })
	// The message should find the receive waiting. If it is quicker, the test is easier, not wrong.
	<-time.After(slack)
	q.send(text("a", "a1"))
	wg.Wait()
	if err != nil || len(got) != 1 || got[0].Body != "a1" {
		q.Errorf("waiting Receive: %q, %v; want a1", bodies(got), err)
	}
}

func (q queueTest) waitEnds() {
	ctx, cancel := context.WithCancel(q.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// Whether an ended context is an error or nothing received is the adapter's own choice.
		if got, _ := q.Receive(ctx, 1, patience, hidden); len(got) > 0 {
			q.Errorf("received %q from an empty queue", bodies(got))
		}
	}()
	<-time.After(slack)
	cancel()
	select {
	case <-ended:
	case <-time.After(patience / 2):
		q.Error("Receive goes on waiting after its context ended")
		<-ended
	}
}

func (q queueTest) repeatsSideBySide() {
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := q.Send(q.Context(), text("a", "a1")); err != nil {
				q.Errorf("Send: %v", err)
			}
		})
	}
	wg.Wait()
	q.drain(1)
	q.nothing("the repeats are not queued")
}

func (q queueTest) sendersSideBySide() {
	const senders, each = 8, 10
	want := map[byte][]string{}
	var wg sync.WaitGroup
	for s := range senders {
		group := string(rune('a' + s))
		var own []queue.Outgoing
		for i := range each {
			own = append(own, text(group, fmt.Sprintf("%s%02d", group, i)))
			want[group[0]] = append(want[group[0]], own[i].Body)
		}
		wg.Go(func() {
			for _, m := range own {
				if err := q.Send(q.Context(), m); err != nil {
					q.Errorf("Send(%s): %v", m.Body, err)
				}
			}
		})
	}
	wg.Wait()
	got := map[byte][]string{}
	for _, body := range q.drain(senders * each) {
		got[body[0]] = append(got[body[0]], body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		q.Errorf("order within groups (-sent +received):\n%s", diff)
	}
	q.nothing("all are deleted")
}

func (q queueTest) receiversSideBySide() {
	const groups, each = 10, 6
	var want []string
	for i := range each {
		for g := range groups {
			body := fmt.Sprintf("%c%02d", 'a'+g, i)
			want = append(want, body)
			q.send(text(body[:1], body))
		}
	}
	ctx, cancel := context.WithTimeout(q.Context(), 2*patience)
	defer cancel()
	w := &watch{queueTest: q, left: len(want), done: cancel, holder: map[string]int{}, got: map[string][]string{}}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() { w.work(ctx, worker) })
	}
	wg.Wait()
	w.check(want)
}

// watch is what several receivers saw.
type watch struct {
	queueTest

	mu   sync.Mutex
	left int
	done func()
	// holder is the worker that surely has a message of the group in flight, got what came of it in what order.
	holder map[string]int
	got    map[string][]string
}

func (w *watch) work(ctx context.Context, worker int) {
	for ctx.Err() == nil {
		batch, err := w.Receive(ctx, 10, longPoll, hidden)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.Errorf("Receive: %v", err)
			return
		}
		w.hold(worker, batch)
		w.release(batch)
		if err := w.Delete(ctx, handles(batch)); err != nil {
			w.Errorf("Delete: %v", err)
			return
		}
		w.count(len(batch))
	}
}

func (w *watch) hold(worker int, batch []queue.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range batch {
		if other, ok := w.holder[d.Group]; ok && other != worker {
			w.Errorf("worker %d received %s while worker %d has one of its group in flight", worker, d.Body, other)
		}
		w.holder[d.Group] = worker
		w.got[d.Group] = append(w.got[d.Group], d.Body)
	}
}

// release comes before the delete: from then on another worker may have the group.
func (w *watch) release(batch []queue.Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range batch {
		delete(w.holder, d.Group)
	}
}

func (w *watch) count(deleted int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left -= deleted; w.left <= 0 {
		w.done()
	}
}

func (w *watch) check(want []string) {
	w.Helper()
	var got []string
	for group, received := range w.got {
		if !slices.IsSorted(received) {
			w.Errorf("group %s came in the order %q", group, received)
		}
		got = append(got, received...)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("received once (-want +got):\n%s", diff)
	}
}
