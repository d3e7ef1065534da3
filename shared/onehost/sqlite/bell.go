package sqlite

import (
	"sync"
	"time"
)

// bell wakes those who wait for something to happen. It remembers nothing: a caller who listens first and then looks misses
// nothing.
type bell struct {
	mu sync.Mutex
	// rung is nil if nobody has listened since the last ring.
	rung chan struct{}
	// timer rings at due; a zero due means that it is not set.
	timer *time.Timer
	due   time.Time
}

// listen returns a channel that is closed at the next ring.
func (b *bell) listen() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

// ring wakes everyone who listens.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

// ringAt makes the bell ring at the given time at the latest. One timer serves all who wait: after it has rung, they ask again
// for later times.
func (b *bell) ringAt(at, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.due.IsZero() && !at.Before(b.due) {
		return
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	b.due = at
	// The injected clock and the timer's may differ; a ring that came too early must not spin.
	b.timer = time.AfterFunc(max(at.Sub(now), time.Millisecond), b.ringDue)
}

func (b *bell) ringDue() {
	b.mu.Lock()
	b.due = time.Time{}
	b.mu.Unlock()
	b.ring()
}

// stop cancels a ring that is still to come.
func (b *bell) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
	}
}
