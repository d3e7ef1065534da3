package twiliofake

import "sync"

// bell rings at each change of what people can see. It counts the changes, and whoever waits hears the next one.
type bell struct {
	mu      sync.Mutex
	changes int64
	next    chan struct{} // closed by the next change
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes++
	close(b.next)
	b.next = make(chan struct{})
}

// heard returns how many changes there were, and what is closed by the next one.
func (b *bell) heard() (changes int64, next <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changes, b.next
}

// Changes counts everything that has happened, so that whoever has looked once knows whether there is anything new, and returns what is
// closed by the next change.
func (s *Server) Changes() (changes int64, next <-chan struct{}) { return s.bell.heard() }
