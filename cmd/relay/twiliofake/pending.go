package twiliofake

import (
	"context"
	"sync"
)

// pending counts the messages on their way to their last status. It is not a sync.WaitGroup because it is waited on
// with a context, and while more work arrives.
type pending struct {
	mu    sync.Mutex
	count int
	idle  chan struct{} // closed while count is zero
}

func newPending() *pending {
	p := &pending{idle: make(chan struct{})}
	close(p.idle)
	return p
}

func (p *pending) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		p.idle = make(chan struct{})
	}
	p.count++
}

func (p *pending) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count--
	if p.count == 0 {
		close(p.idle)
	}
}

// wait returns once nothing is pending, or ctx's error once ctx is done.
func (p *pending) wait(ctx context.Context) error {
	p.mu.Lock()
	idle := p.idle
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
