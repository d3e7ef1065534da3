package console

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// keptEvents is how many of the last changes are kept for pages whose connection was cut.
	keptEvents = 2048
	// maxWatchers is how many pages are told of changes at once; the others renew themselves by the clock.
	maxWatchers = 200
	// turnTime is how often one of all pages that are open is told to renew itself. A page takes a few milliseconds, so this is what all of
	// them together may cost, however many there are and however much happens.
	turnTime = 200 * time.Millisecond
	// restTime is how long a page rests after it was told.
	restTime = time.Second
	// beatTime is how often a connection on which nothing happens is tried, and its session looked at.
	beatTime = 25 * time.Second
)

// Event is a change that pages show.
type Event struct {
	// ID grows from change to change, over restarts too.
	ID int64
	// TwilioNumber and Customer are what it is about. An empty one may be about all.
	TwilioNumber, Customer sms.PhoneNumber
	// IsText: a text of the customer has come in.
	IsText bool
}

// Live tells pages that are open what has changed. It keeps the last changes: a page whose connection was cut is told what it missed, or
// that this is not known any more. It does nothing by itself while no page is open.
type Live struct {
	mu     sync.Mutex
	events []Event
	// before is the change before the first one that is kept, newest the last one.
	before, newest int64
	watchers       map[*watcher]bool
	// queue are the pages that wait for their turn; turns gives them theirs, and is nil while none has had one lately.
	queue   []*watcher
	turns   *time.Timer
	beat    *time.Timer
	isOver  bool
	closing chan struct{}
}

// NewLive returns a Live for the changes after newest.
func NewLive(newest int64) *Live {
	return &Live{before: newest, newest: newest, watchers: map[*watcher]bool{}, closing: make(chan struct{})}
}

// watcher is a page that is open.
type watcher struct {
	// number and customer are what the page is about; an empty one is all.
	number, customer sms.PhoneNumber
	// session is the token of the session.
	session string
	// isEnded: the person wants nothing live.
	isEnded atomic.Bool
	// rung says that there may be something to tell, turn that it is the page's turn.
	rung, turn chan struct{}
}

func (w *watcher) ring() {
	select {
	case w.rung <- struct{}{}:
	default: // it is awake.
	}
}

// wants reports whether the page shows the change.
func (w *watcher) wants(e Event) bool {
	return (w.number == "" || e.TwilioNumber == "" || w.number == e.TwilioNumber) &&
		(w.customer == "" || e.Customer == "" || sms.Same(w.customer, e.Customer))
}

// Tell tells of changes, in the order of their IDs. What was told before is passed over.
func (l *Live) Tell(events []Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if e.ID <= l.newest {
			continue
		}
		l.newest, l.events = e.ID, append(l.events, e)
		for w := range l.watchers {
			if w.wants(e) {
				w.ring()
			}
		}
	}
	if len(l.events) >= 2*keptEvents {
		forgotten := len(l.events) - keptEvents
		l.before, l.events = l.events[forgotten-1].ID, append([]Event(nil), l.events[forgotten:]...)
	}
}

// Newest is the last change that was told of: whatever is read after this call has all up to it.
func (l *Live) Newest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest
}

// since returns the changes after the given one that the page shows, and the last of all. isComplete is false if there were others that are
// not known any more.
func (l *Live) since(after int64, w *watcher) (found []Event, newest int64, isComplete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := len(l.events)
	for first > 0 && l.events[first-1].ID > after {
		first--
	}
	for _, e := range l.events[first:] {
		if w.wants(e) {
			found = append(found, e)
		}
	}
	return found, l.newest, after >= l.before && after <= l.newest
}

// errTooMany means that as many pages are open as are told of changes.
var errTooMany = errors.New("too many pages are open")

// join has a page told of changes, until leave.
func (l *Live) join(w *watcher) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isOver || len(l.watchers) >= maxWatchers {
		return errTooMany
	}
	w.rung, w.turn = make(chan struct{}, 1), make(chan struct{}, 1)
	l.watchers[w] = true
	if l.beat == nil {
		l.beat = time.AfterFunc(beatTime, l.ringAll)
	}
	return nil
}

func (l *Live) leave(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, w)
	l.queue = slices.DeleteFunc(l.queue, func(other *watcher) bool { return other == w })
	if len(l.watchers) == 0 && l.beat != nil {
		l.beat.Stop()
		l.beat = nil
	}
}

// ringAll has all pages look at their connections, again and again while there are any.
func (l *Live) ringAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		w.ring()
	}
	if l.beat != nil {
		l.beat.Reset(beatTime)
	}
}

// look has all pages look whether their sessions are over. There may be no Live.
func (l *Live) look() {
	if l != nil {
		l.ringAll()
	}
}

// end ends the connections of a session. There may be no Live.
func (l *Live) end(token string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		if w.session == token {
			w.isEnded.Store(true)
			w.ring()
		}
	}
}

// ask has a page wait for its turn.
func (l *Live) ask(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, w)
	if l.turns == nil {
		l.give()
	}
}

// give gives the page that has waited longest its turn, if there is one, and the next one the turn after.
func (l *Live) give() {
	if len(l.queue) == 0 {
		l.turns = nil
		return
	}
	l.queue[0].turn <- struct{}{}
	l.queue = l.queue[1:]
	l.turns = time.AfterFunc(turnTime, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.give()
	})
}

// Close ends all connections.
func (l *Live) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isOver {
		l.isOver = true
		close(l.closing)
	}
}
