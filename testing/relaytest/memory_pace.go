package relaytest

import (
	"context"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// MemoryPace is a pace.Book in memory that keeps its contract. The zero value is a book with nothing booked.
type MemoryPace struct {
	// Fault, if set before the book is used, is asked about "Reserve", unless both limits are off.
	Fault Fault

	mu     sync.Mutex
	states map[sms.PhoneNumber]pace.State
}

// Reserve implements [pace.Book].
func (m *MemoryPace) Reserve(ctx context.Context, r pace.Request, now time.Time) (time.Time, error) {
	if r.Limits.Off() {
		return now, nil
	}
	if err := m.Fault.before(ctx, "Reserve"); err != nil {
		return time.Time{}, err
	}
	at := m.reserve(r, now)
	if lost := m.Fault.after("Reserve"); lost != nil {
		return time.Time{}, lost
	}
	return at, nil
}

func (m *MemoryPace) reserve(r pace.Request, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.states == nil {
		m.states = map[sms.PhoneNumber]pace.State{}
	}
	state, at := m.states[r.Number].Book(r, now)
	m.states[r.Number] = state
	return at
}

// State returns what is booked for a Twilio number.
func (m *MemoryPace) State(number sms.PhoneNumber) pace.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.states[number]
}
