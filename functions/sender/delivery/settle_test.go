package delivery_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// deletions is a Deleter that keeps how long after the start each call came, and how many messages it was about.
type deletions struct {
	delivery.Deleter

	began time.Time
	mu    sync.Mutex
	at    []time.Duration
	n     []int
}

// Delete passes the call on.
func (d *deletions) Delete(ctx context.Context, handles []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.n = append(d.at, time.Since(d.began)), append(d.n, len(handles))
	return d.Deleter.Delete(ctx, handles)
}

// slowFirst is a Twilio that takes seven seconds for the first customer, and answers the others err at once.
func slowFirst(s *sender, err error) {
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if !strings.Contains(m.Body, "+18585550160") {
			return err
		}
		time.Sleep(7 * time.Second)
		return nil
	}
}

// TestSlowGroupIsNotWaitedFor: what is done of a batch that takes long leaves the queue, so that the next texts of those
// conversations can go on. The batch still names only what has to come back.
func TestSlowGroupIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		d := &deletions{Deleter: s.queue, began: time.Now()}
		s.Done = d
		slowFirst(s, nil)
		for n := range 4 {
			s.queueUp(textOf(n, by(n)))
		}
		s.checkBack(0)
		if took := time.Since(d.began); took != 7*time.Second {
			t.Errorf("the batch took %v", took)
		}
		if diff := cmp.Diff([]time.Duration{time.Second}, d.at); diff != "" {
			t.Errorf("deleted early at (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int{3}, d.n); diff != "" {
			t.Errorf("deleted early (-want +got):\n%s", diff)
		}
		for n := range 4 {
			s.checkState(n, ledger.Sent, "")
		}
	})
}

// TestQuickBatchIsSettledOnce: a batch that takes no time costs no call more.
func TestQuickBatchIsSettledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		d := &deletions{Deleter: s.queue, began: time.Now()}
		s.Done = d
		for n := range 4 {
			s.queueUp(textOf(n, by(n)))
		}
		s.checkBack(0)
		time.Sleep(time.Minute)
		if len(d.at) != 0 {
			t.Errorf("deleted early at %v", d.at)
		}
	})
}

// TestDeleteThatFailsEarly: the caller deletes the batch at its end.
func TestDeleteThatFailsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		s.Done = &deletions{Deleter: s.queue, began: time.Now()}
		slowFirst(s, nil)
		s.fail("queue before Delete", &fault.Error{Kind: fault.Transient})
		for n := range 3 {
			s.queueUp(textOf(n, by(n)))
		}
		s.checkBack(0)
		s.checkPosts(3)
		if n := len(s.queue.Messages()); n != 0 {
			t.Errorf("queue holds %d messages", n)
		}
	})
}

// TestGivenBackBeforeTheEnd: what has to come back does so when it is due, not when the slowest is done.
func TestGivenBackBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		began := time.Now()
		s.Done = &deletions{Deleter: s.queue, began: began}
		slowFirst(s, &fault.Error{Kind: fault.Transient, Err: context.DeadlineExceeded})
		var at []time.Duration
		s.faults.hook = func(op string) error {
			if op == "queue before ChangeVisibility" {
				at = append(at, time.Since(began))
			}
			return nil
		}
		for n := range 3 {
			s.queueUp(textOf(n, by(n)))
		}
		s.checkBack(2)
		if diff := cmp.Diff([]time.Duration{time.Second}, at); diff != "" {
			t.Errorf("given back at (-want +got):\n%s", diff)
		}
	})
}
