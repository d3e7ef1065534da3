package relaytest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var (
	_ conversation.Store   = (*MemoryConversations)(nil)
	_ conversation.Lister  = (*MemoryConversations)(nil)
	_ conversation.Actions = (*MemoryConversations)(nil)
)

// MemoryConversations is a conversation.Store and conversation.Lister in memory that keeps both contracts. The zero value is an
// empty table.
type MemoryConversations struct {
	// Fault, if set before the table is used, is asked about each method by its name, such as "PutTag".
	Fault Fault

	mu            sync.Mutex
	conversations map[memoryKey]conversation.Conversation
	phones        map[memoryKey]conversation.Phone
	tags          map[conversation.Tag]conversation.TagUse
	changes       []conversation.Conversation
	actions       map[string]conversation.Action
	calls         int
}

// memoryKey is the key of an item in the table.
type memoryKey struct {
	number sms.PhoneNumber
	item   string
}

// Calls returns how often the table was read or written.
func (m *MemoryConversations) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// Changes returns every version of every conversation that was ever stored, oldest first.
func (m *MemoryConversations) Changes() []conversation.Conversation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.changes)
}

// call does one operation between its two faults. do runs while no other does.
func call[T any]( //nolint:ireturn // T is no interface
	ctx context.Context, m *MemoryConversations, op string, do func() (T, error),
) (T, error) {
	var none T
	if err := m.Fault.before(ctx, op); err != nil {
		return none, err
	}
	result, err := alone(m, do)
	if lost := m.Fault.after(op); lost != nil {
		return none, lost
	}
	return result, err
}

func alone[T any](m *MemoryConversations, do func() (T, error)) (T, error) { //nolint:ireturn // T is no interface
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	return do()
}

// Get implements [conversation.Store].
func (m *MemoryConversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	return call(ctx, m, "Get", func() (conversation.Conversation, error) { return m.get(number, customer), nil })
}

func (m *MemoryConversations) get(number, customer sms.PhoneNumber) conversation.Conversation {
	if c, ok := m.conversations[memoryKey{number, conversation.Item(customer)}]; ok {
		return c
	}
	return conversation.Conversation{TwilioNumber: number, Customer: customer}
}

// GetPhone implements [conversation.Store].
func (m *MemoryConversations) GetPhone(ctx context.Context, key conversation.PhoneKey) (conversation.Phone, error) {
	return call(ctx, m, "GetPhone", func() (conversation.Phone, error) { return m.getPhone(key), nil })
}

func (m *MemoryConversations) getPhone(key conversation.PhoneKey) conversation.Phone {
	if p, ok := m.phones[memoryKey{key.TwilioNumber, key.Item()}]; ok {
		return clonePhone(p)
	}
	return conversation.Phone{PhoneKey: key}
}

// clonePhone returns a phone that shares no memory with p: what a caller does to his own is not stored.
func clonePhone(p conversation.Phone) conversation.Phone {
	p.Exchanges, p.Sent, p.Untagged = slices.Clone(p.Exchanges), slices.Clone(p.Sent), slices.Clone(p.Untagged)
	p.Held.MessageSids, p.Held.Named = slices.Clone(p.Held.MessageSids), slices.Clone(p.Held.Named)
	return p
}

// Read implements [conversation.Store].
func (m *MemoryConversations) Read(
	ctx context.Context, number, customer sms.PhoneNumber, keys ...conversation.PhoneKey,
) (conversation.Conversation, []conversation.Phone, error) {
	phones := make([]conversation.Phone, len(keys))
	found, err := call(ctx, m, "Read", func() (conversation.Conversation, error) {
		for i, key := range keys {
			phones[i] = m.getPhone(key)
		}
		return m.get(number, customer), nil
	})
	if err != nil {
		return conversation.Conversation{}, nil, err
	}
	return found, phones, nil
}

// Put implements [conversation.Store].
func (m *MemoryConversations) Put(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
	return call(ctx, m, "Put", func() (conversation.Conversation, error) {
		if m.get(c.TwilioNumber, c.Customer).Version != c.Version {
			return conversation.Conversation{}, conversation.ErrConflict
		}
		return m.put(c), nil
	})
}

// PutAction implements [conversation.Actions].
func (m *MemoryConversations) PutAction(ctx context.Context, a conversation.Action) error {
	_, err := call(ctx, m, "PutAction", func() (struct{}, error) {
		if m.actions == nil {
			m.actions = map[string]conversation.Action{}
		}
		m.actions[a.ID] = a
		return struct{}{}, nil
	})
	return err
}

// Actions returns what operators did, in any order.
func (m *MemoryConversations) Actions() []conversation.Action {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.actions))
}

// put stores the next version of c.
func (m *MemoryConversations) put(c conversation.Conversation) conversation.Conversation {
	if m.conversations == nil {
		m.conversations = map[memoryKey]conversation.Conversation{}
	}
	c.Version++
	m.conversations[memoryKey{c.TwilioNumber, conversation.Item(c.Customer)}] = c
	m.changes = append(m.changes, c)
	return c
}

// PutPhone implements [conversation.Store].
func (m *MemoryConversations) PutPhone(ctx context.Context, p conversation.Phone) (conversation.Phone, error) {
	return call(ctx, m, "PutPhone", func() (conversation.Phone, error) {
		if m.getPhone(p.PhoneKey).Version != p.Version {
			return conversation.Phone{}, conversation.ErrConflict
		}
		if m.phones == nil {
			m.phones = map[memoryKey]conversation.Phone{}
		}
		p.Version++
		m.phones[memoryKey{p.TwilioNumber, p.Item()}] = clonePhone(p)
		return p, nil
	})
}

// PutTag implements [conversation.Store].
func (m *MemoryConversations) PutTag(
	ctx context.Context, c conversation.Conversation, t conversation.TagUse,
) (conversation.Conversation, error) {
	return call(ctx, m, "PutTag", func() (conversation.Conversation, error) {
		if m.get(c.TwilioNumber, c.Customer).Version != c.Version || m.tags[t.Tag].Version != t.Version {
			return conversation.Conversation{}, conversation.ErrConflict
		}
		if m.tags == nil {
			m.tags = map[conversation.Tag]conversation.TagUse{}
		}
		t.Version++
		m.tags[t.Tag] = t
		return m.put(c), nil
	})
}

// TagUses implements [conversation.Store].
func (m *MemoryConversations) TagUses(ctx context.Context) ([]conversation.TagUse, error) {
	return call(ctx, m, "TagUses", func() ([]conversation.TagUse, error) {
		uses := make([]conversation.TagUse, 0, len(m.tags))
		// In an order, so that a simulation that is repeated sees the same.
		for _, tag := range slices.Sorted(maps.Keys(m.tags)) {
			uses = append(uses, m.tags[tag])
		}
		return uses, nil
	})
}

// ListConversations implements [conversation.Lister].
func (m *MemoryConversations) ListConversations(
	ctx context.Context, number, after sms.PhoneNumber, limit int,
) ([]conversation.Conversation, error) {
	return call(ctx, m, "ListConversations", func() ([]conversation.Conversation, error) {
		var found []conversation.Conversation
		for key, c := range m.conversations {
			if key.number == number && (after == "" || key.item > conversation.Item(after)) {
				found = append(found, c)
			}
		}
		slices.SortFunc(found, func(a, b conversation.Conversation) int {
			return strings.Compare(conversation.Item(a.Customer), conversation.Item(b.Customer))
		})
		return found[:min(len(found), max(limit, 1), conversation.MaxList)], nil
	})
}

// ListPhones implements [conversation.Lister].
func (m *MemoryConversations) ListPhones(ctx context.Context, number sms.PhoneNumber) ([]conversation.Phone, error) {
	return call(ctx, m, "ListPhones", func() ([]conversation.Phone, error) {
		var found []conversation.Phone
		for key, p := range m.phones {
			if key.number == number {
				found = append(found, clonePhone(p))
			}
		}
		slices.SortFunc(found, func(a, b conversation.Phone) int { return strings.Compare(a.Item(), b.Item()) })
		return found, nil
	})
}
