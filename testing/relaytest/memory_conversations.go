package relaytest

import (
	"context"
	"sync"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// MemoryConversations is a conversation.Store in memory that keeps its contract. The zero value is an empty table.
type MemoryConversations struct {
	// Fault, if set before the table is used, is asked about "Get" and "Put".
	Fault Fault

	mu     sync.Mutex
	stored map[[2]sms.PhoneNumber]conversation.Conversation
	calls  int
}

// Calls returns how often the table was read or written.
func (m *MemoryConversations) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// Get implements [conversation.Store].
func (m *MemoryConversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	if err := m.Fault.before(ctx, "Get"); err != nil {
		return conversation.Conversation{}, err
	}
	c := m.get(number, customer)
	if err := m.Fault.after("Get"); err != nil {
		return conversation.Conversation{}, err
	}
	return c, nil
}

func (m *MemoryConversations) get(number, customer sms.PhoneNumber) conversation.Conversation {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	c := m.stored[[2]sms.PhoneNumber{number, customer}]
	c.TwilioNumber, c.Customer = number, customer
	return c
}

// Put implements [conversation.Store].
func (m *MemoryConversations) Put(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
	if err := m.Fault.before(ctx, "Put"); err != nil {
		return conversation.Conversation{}, err
	}
	stored, err := m.put(c)
	if lost := m.Fault.after("Put"); lost != nil {
		return conversation.Conversation{}, lost
	}
	return stored, err
}

func (m *MemoryConversations) put(c conversation.Conversation) (conversation.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	key := [2]sms.PhoneNumber{c.TwilioNumber, c.Customer}
	if m.stored[key].Version != c.Version {
		return conversation.Conversation{}, conversation.ErrConflict
	}
	if m.stored == nil {
		m.stored = map[[2]sms.PhoneNumber]conversation.Conversation{}
	}
	c.Version++
	m.stored[key] = c
	return c, nil
}
