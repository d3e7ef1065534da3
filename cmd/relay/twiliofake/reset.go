package twiliofake

import (
	"context"
	"sync"
	"time"
)

// era is the time until the next reset. What is under way ends with it.
type era struct {
	mu     sync.Mutex
	whole  context.Context //nolint:containedctx // each era is a part of it.
	now    context.Context //nolint:containedctx // work that begins in an era ends with it.
	cancel context.CancelFunc
}

func newEra(whole context.Context) *era {
	e := &era{whole: whole}
	e.now, e.cancel = context.WithCancel(whole)
	return e
}

func (e *era) context() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// next ends the era and begins another one.
func (e *era) next() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancel()
	e.now, e.cancel = context.WithCancel(e.whole)
}

// Reset forgets messages, attachments, exchanges, opt-outs, Messaging Services and what was set meanwhile: webhooks of numbers,
// registrations and faults, which begin at their seed again. Messages and callbacks that are under way end here.
func (s *Server) Reset() {
	s.era.next()
	s.store.clear()
	s.media.clear()
	s.numbers.clear()
	s.services.clear()
	s.exchanges.clear()
	s.chance.Store(&chance{set: s.cfg.Misbehaviour, faults: s.cfg.Misbehaviour.Faults()})
	s.bell.ring()
}

func (st *store) clear() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.messages, st.bySid, st.callbacks = nil, map[string]*Message{}, nil
	st.optedOut, st.recent = map[pair]OptOut{}, map[pair][]time.Time{}
}

func (m *mediaStore) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.bySid)
	clear(m.ofMessage)
	clear(m.links)
}

// clear gives the configured numbers their first settings again.
func (n *numbers) clear() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known = nil
	for _, number := range n.cfg.Numbers {
		n.of(number)
	}
}
