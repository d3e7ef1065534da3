package relaytest

import (
	"sync"
	"time"
	"unsafe"
)

// FrozenClock reads the time as a process does that Lambda freezes: wall time goes on, the monotonic part of the reading, by which
// Go compares, stands still. It is safe for concurrent use.
type FrozenClock struct {
	mu        sync.Mutex
	now       time.Time
	monotonic int64
}

// NewFrozenClock returns a clock that shows now.
func NewFrozenClock(now time.Time) *FrozenClock {
	read := wallClock()
	return &FrozenClock{now: read.Add(now.Sub(read)), monotonic: *monotonicOf(&read)}
}

// Freeze lets d pass while the process is frozen.
func (c *FrozenClock) Freeze(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Now returns the wall time, with the monotonic reading that it always has.
func (c *FrozenClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	read := c.now
	*monotonicOf(&read) = c.monotonic
	return read
}

// monotonicOf returns where the reading of time.Now holds its monotonic part: the second of time.Time's fields.
func monotonicOf(read *time.Time) *int64 {
	//nolint:gosec // No function of package time sets one part alone; the test of package clock sees that this does.
	return &(*struct {
		wall      uint64
		monotonic int64
	})(unsafe.Pointer(read)).monotonic
}
