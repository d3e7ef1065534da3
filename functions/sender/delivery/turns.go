package delivery

import (
	"context"
	"sync"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// turns lets those who change what is kept of one phone take turns within this process, so that they do not overtake each other: all
// texts of a number meet in the item of the phone on duty. Other processes are told apart by the item's version.
type turns struct {
	mu     sync.Mutex
	phones map[conversation.PhoneKey]*turn
}

// turn is one phone's.
type turn struct {
	// busy is full while someone has the turn.
	busy chan struct{}
	// users are those who have it or wait for it.
	users int
	// last is what was stored last. Only who has the turn may use it.
	last conversation.Phone
}

// take waits for the phone's turn. Without an error, the caller calls leave in the end.
func (s *turns) take(ctx context.Context, key conversation.PhoneKey) (*turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, &fault.Error{Kind: fault.Transient, Err: err}
	}
	s.mu.Lock()
	if s.phones == nil {
		s.phones = map[conversation.PhoneKey]*turn{}
	}
	t, ok := s.phones[key]
	if !ok {
		t = &turn{busy: make(chan struct{}, 1)}
		s.phones[key] = t
	}
	t.users++
	s.mu.Unlock()
	select {
	case t.busy <- struct{}{}:
		return t, nil
	case <-ctx.Done():
		s.forget(key, t)
		return nil, &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
	}
}

// leave ends a turn.
func (s *turns) leave(key conversation.PhoneKey, t *turn) {
	<-t.busy
	s.forget(key, t)
}

// forget removes the phone once nobody needs it.
func (s *turns) forget(key conversation.PhoneKey, t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(s.phones, key)
	}
}
