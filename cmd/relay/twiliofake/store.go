package twiliofake

import (
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// store holds the account's messages in memory.
type store struct {
	mu        sync.Mutex
	messages  []*Message // in order of creation
	bySid     map[string]*Message
	callbacks []Callback
	optedOut  map[pair]OptOut
	recent    map[pair][]time.Time // when messages were created within the last loopWindow
	bell      *bell
}

// pair is one of our numbers and a phone.
type pair struct {
	ours, phone sms.PhoneNumber
}

// newStore makes an empty store. It rings the bell that it is given at each change.
func newStore() *store {
	return &store{bySid: map[string]*Message{}, optedOut: map[pair]OptOut{}, recent: map[pair][]time.Time{}}
}

// Messages returns copies of all messages, inbound and outbound, in order of creation.
func (s *Server) Messages() []Message { return s.store.all() }

// Callbacks returns the status callbacks that were delivered or given up, in that order.
func (s *Server) Callbacks() []Callback {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	copies := slices.Clone(s.store.callbacks)
	for i := range copies {
		copies[i].Params = cloneValues(copies[i].Params)
	}
	return copies
}

func (st *store) all() []Message {
	st.mu.Lock()
	defer st.mu.Unlock()
	copies := make([]Message, 0, len(st.messages))
	for _, message := range st.messages {
		copies = append(copies, message.clone())
	}
	return copies
}

// add reports whether the message is new.
func (st *store) add(message Message) bool {
	defer st.bell.ring()
	st.mu.Lock()
	defer st.mu.Unlock()
	if _, found := st.bySid[message.Sid]; found {
		return false
	}
	stored := message.clone()
	st.messages = append(st.messages, &stored)
	st.bySid[message.Sid] = &stored
	return true
}

// lastFrom returns which of the numbers a phone has had to do with last, and whether it knows any.
func (st *store) lastFrom(numbers []Member, phone sms.PhoneNumber) (sms.PhoneNumber, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, message := range slices.Backward(st.messages) {
		ours := message.Ours()
		if message.Phone() == phone && slices.ContainsFunc(numbers, func(m Member) bool { return m.PhoneNumber == ours }) {
			return ours, true
		}
	}
	return "", false
}

func (st *store) get(sid string) (Message, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	message, found := st.bySid[sid]
	if !found {
		return Message{}, false
	}
	return message.clone(), true
}

// update changes a message under the lock and returns what it then is, and whether there is such a message.
func (st *store) update(sid string, change func(*Message)) (Message, bool) {
	defer st.bell.ring()
	st.mu.Lock()
	defer st.mu.Unlock()
	message, found := st.bySid[sid]
	if !found {
		return Message{}, false
	}
	change(message)
	return message.clone(), true
}

func (st *store) record(callback Callback) {
	defer st.bell.ring()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.callbacks = append(st.callbacks, callback)
}

// loopWindow is the time within which Twilio counts a pair's messages.
const loopWindow = 30 * time.Second

// count enters a message of the pair and returns how many were created within loopWindow, this one among them.
func (st *store) count(numbers pair, created time.Time) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	inWindow := slices.DeleteFunc(st.recent[numbers], func(at time.Time) bool { return created.Sub(at) >= loopWindow })
	st.recent[numbers] = append(inWindow, created)
	return len(st.recent[numbers])
}
