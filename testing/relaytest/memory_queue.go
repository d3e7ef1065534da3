package relaytest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// MemoryQueue is a queue.Sender and queue.Receiver in memory that keeps the contract of both. It starts no goroutine. In
// a testing/synctest bubble it has to be made inside of the bubble.
type MemoryQueue struct {
	// Fault, if set before the queue is used, is asked about "Send", "Receive", "ChangeVisibility" and "Delete".
	Fault Fault
	// Dead is where messages go that were received too often. It is set when MaxReceiveCount is.
	Dead *MemoryQueue

	options QueueOptions
	now     func() time.Time

	mu       sync.Mutex
	changed  chan struct{} // closed, and replaced, at each change that may free a message
	sent     int
	messages []*memoryMessage // in the order in which they were sent
	repeats  map[string]time.Time
}

// memoryMessage is a message and until when it is hidden; its handle is the last receipt's.
type memoryMessage struct {
	queue.Delivery

	hiddenUntil time.Time
}

// deduplicationWindow is how long a repeat is dropped.
const deduplicationWindow = 5 * time.Minute

// NewMemoryQueue returns an empty queue. now is the clock of its timeouts: with a [Clock], moving it past a message's
// timeout shows the message to the next Receive, but does not wake one that waits.
func NewMemoryQueue(o QueueOptions, now func() time.Time) *MemoryQueue {
	q := &MemoryQueue{options: o, now: now, changed: make(chan struct{}), repeats: map[string]time.Time{}}
	if o.MaxReceiveCount > 0 {
		q.Dead = NewMemoryQueue(QueueOptions{Standard: o.Standard}, now)
	}
	return q
}

// Send implements [queue.Sender].
func (q *MemoryQueue) Send(ctx context.Context, message queue.Outgoing) error {
	if err := q.Fault.before(ctx, "Send"); err != nil {
		return err
	}
	if err := q.check(message); err != nil {
		return &fault.Error{Kind: fault.Permanent, Err: err}
	}
	q.add(message)
	return q.Fault.after("Send")
}

// check refuses what SQS refuses.
func (q *MemoryQueue) check(m queue.Outgoing) error {
	const maxBody, maxAttributes = 1 << 20, 10
	switch {
	case m.Body == "" || len(m.Body) > maxBody:
		return fmt.Errorf("body of %d bytes", len(m.Body))
	case !isXML(m.Body):
		return fmt.Errorf("a character that XML 1.0 does not have")
	case len(m.Attributes) > maxAttributes:
		return fmt.Errorf("%d attributes", len(m.Attributes))
	case q.options.Standard != (m.Group == "") || q.options.Standard != (m.DeduplicationID == ""):
		return fmt.Errorf("group and deduplication id go with order, and only with it")
	case m.Delay != 0 && !q.options.Standard:
		return fmt.Errorf("delay on a queue with order")
	}
	for name, value := range m.Attributes {
		if value == "" || !isXML(value) {
			return fmt.Errorf("attribute %s is empty or has a character that XML 1.0 does not have", name)
		}
	}
	return nil
}

// isXML reports whether s is made of characters of XML 1.0.
func isXML(s string) bool {
	for i, r := range s {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x10000:
		case r < 0x20, r == 0xFFFE, r == 0xFFFF:
			return false
		case r == 0xFFFD && s[i] != 0xEF:
			return false // not U+FFFD itself but bytes that are no UTF-8
		}
	}
	return true
}

func (q *MemoryQueue) add(m queue.Outgoing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if m.DeduplicationID != "" {
		if until, ok := q.repeats[m.DeduplicationID]; ok && now.Before(until) {
			return
		}
		q.repeats[m.DeduplicationID] = now.Add(deduplicationWindow)
	}
	q.put(queue.Delivery{Group: m.Group, DeduplicationID: m.DeduplicationID, Body: m.Body, Attributes: maps.Clone(m.Attributes)}, m.Delay)
}

// put appends a message. The lock is held.
func (q *MemoryQueue) put(d queue.Delivery, delay time.Duration) {
	q.sent++
	d.MessageID = fmt.Sprintf("message-%d", q.sent)
	d.SentAt = q.now().Truncate(time.Millisecond)
	q.messages = append(q.messages, &memoryMessage{Delivery: d, hiddenUntil: q.now().Add(delay)})
	q.wake()
}

// wake tells waiting receivers to look again. The lock is held.
func (q *MemoryQueue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Receive implements [queue.Receiver].
func (q *MemoryQueue) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Delivery, error) {
	if err := q.Fault.before(ctx, "Receive"); err != nil {
		return nil, err
	}
	if limit < 1 || limit > 10 {
		return nil, &fault.Error{Kind: fault.Permanent, Err: fmt.Errorf("limit %d", limit)}
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	for waited := wait <= 0; ; {
		got, changed, next := q.take(limit, visibility)
		if len(got) > 0 || waited {
			return q.answer(got)
		}
		select {
		case <-ctx.Done():
			return nil, &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
		case <-over.C:
			waited = true
		case <-changed:
		case <-next:
		}
	}
}

// answer returns what was received, unless that is lost on the way back.
func (q *MemoryQueue) answer(got []queue.Delivery) ([]queue.Delivery, error) {
	if err := q.Fault.after("Receive"); err != nil {
		return nil, err
	}
	return got, nil
}

// take hands out what can be had now, and else says when to look again: changed is closed at a change, next fires when
// a hidden message shows.
func (q *MemoryQueue) take(limit int, visibility time.Duration) (got []queue.Delivery, changed <-chan struct{}, next <-chan time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.bury(now)
	locked, soonest := q.locked(now)
	for _, m := range q.messages {
		if len(got) == limit {
			break
		}
		if now.Before(m.hiddenUntil) || locked[m.Group] {
			continue
		}
		m.ReceiveCount++
		m.ReceiptHandle = fmt.Sprintf("%s-receipt-%d", m.MessageID, m.ReceiveCount)
		m.hiddenUntil = now.Add(visibility)
		got = append(got, m.own())
	}
	if !soonest.IsZero() {
		next = time.After(soonest.Sub(now))
	}
	return got, q.changed, next
}

// own returns the delivery with attributes of its own.
func (m *memoryMessage) own() queue.Delivery {
	d := m.Delivery
	d.Attributes = maps.Clone(d.Attributes)
	return d
}

// locked returns the groups that have a hidden message, and when the first of all hidden messages shows.
func (q *MemoryQueue) locked(now time.Time) (groups map[string]bool, soonest time.Time) {
	groups = map[string]bool{}
	for _, m := range q.messages {
		if !now.Before(m.hiddenUntil) {
			continue
		}
		groups[m.Group] = !q.options.Standard
		if soonest.IsZero() || m.hiddenUntil.Before(soonest) {
			soonest = m.hiddenUntil
		}
	}
	return groups, soonest
}

// bury moves the messages that were received too often to the dead-letter queue, each when it would be its turn.
func (q *MemoryQueue) bury(now time.Time) {
	if q.Dead == nil {
		return
	}
	locked, _ := q.locked(now)
	q.messages = slices.DeleteFunc(q.messages, func(m *memoryMessage) bool {
		if m.ReceiveCount < q.options.MaxReceiveCount || now.Before(m.hiddenUntil) || locked[m.Group] {
			return false
		}
		q.Dead.mu.Lock()
		defer q.Dead.mu.Unlock()
		q.Dead.put(queue.Delivery{Group: m.Group, DeduplicationID: m.DeduplicationID, Body: m.Body, Attributes: m.Attributes}, 0)
		return true
	})
}

// ChangeVisibility implements [queue.Receiver].
func (q *MemoryQueue) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	if err := q.Fault.before(ctx, "ChangeVisibility"); err != nil {
		return err
	}
	q.change(changes)
	return q.Fault.after("ChangeVisibility")
}

func (q *MemoryQueue) change(changes []queue.Visibility) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, c := range changes {
		for _, m := range q.messages {
			if m.isHeldBy(c.ReceiptHandle, now) {
				m.hiddenUntil = now.Add(c.Timeout)
			}
		}
	}
	q.wake()
}

// isHeldBy reports whether the handle is the message's current one and the message is still in flight under it.
func (m *memoryMessage) isHeldBy(handle string, now time.Time) bool {
	return handle != "" && m.ReceiptHandle == handle && now.Before(m.hiddenUntil)
}

// Delete implements [queue.Receiver].
func (q *MemoryQueue) Delete(ctx context.Context, receiptHandles []string) error {
	if err := q.Fault.before(ctx, "Delete"); err != nil {
		return err
	}
	q.remove(receiptHandles)
	return q.Fault.after("Delete")
}

func (q *MemoryQueue) remove(receiptHandles []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.messages = slices.DeleteFunc(q.messages, func(m *memoryMessage) bool {
		return slices.ContainsFunc(receiptHandles, func(handle string) bool { return m.isHeldBy(handle, now) })
	})
	q.wake()
}

// Messages returns what the queue holds, in flight or not, in the order in which it was sent, and receives none of it.
func (q *MemoryQueue) Messages() []queue.Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]queue.Delivery, len(q.messages))
	for i, m := range q.messages {
		all[i] = m.own()
	}
	return all
}
