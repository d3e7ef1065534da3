package twiliofake

import (
	"slices"
	"strings"
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
	optedOut  map[pair]bool
	recent    map[pair][]time.Time // when messages were created within the last loopWindow
}

// pair is one of our numbers and a phone.
type pair struct {
	ours, phone sms.PhoneNumber
}

func newStore() *store {
	return &store{bySid: map[string]*Message{}, optedOut: map[pair]bool{}, recent: map[pair][]time.Time{}}
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

func (st *store) get(sid string) (Message, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	message, found := st.bySid[sid]
	if !found {
		return Message{}, false
	}
	return message.clone(), true
}

// update changes a message under the lock and returns what it then is.
func (st *store) update(sid string, change func(*Message)) Message {
	st.mu.Lock()
	defer st.mu.Unlock()
	message := st.bySid[sid]
	change(message)
	return message.clone()
}

func (st *store) record(callback Callback) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.callbacks = append(st.callbacks, callback)
}

// heed remembers what an inbound text means for opting out: Twilio's default keywords, alone in the text, in any case.
func (st *store) heed(text Message) {
	st.mu.Lock()
	defer st.mu.Unlock()
	numbers := pair{ours: text.To, phone: text.From}
	switch strings.ToUpper(strings.TrimSpace(text.Body)) {
	case "STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL":
		st.optedOut[numbers] = true
	case "START", "YES", "UNSTOP":
		delete(st.optedOut, numbers)
	}
}

func (st *store) hasOptedOut(numbers pair) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.optedOut[numbers]
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
