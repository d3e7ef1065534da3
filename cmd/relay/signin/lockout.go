package signin

import (
	"net/netip"
	"sync"
	"time"
)

// The bounds of the lock-out.
const (
	// freeOfUser and freeOfSource are how often somebody may be wrong before they have to wait. Several people share an address.
	freeOfUser   = 4
	freeOfSource = 19
	// maxDelay is the longest that anybody has to wait.
	maxDelay = 15 * time.Minute
	// forgetAfter is how long after the last failure all of them are forgotten.
	forgetAfter = time.Hour
	// maxTries is how many users and addresses are remembered.
	maxTries = 4096
)

// delayAfter is how long after the last failure nobody may try again: not at all at first, then a second, and twice as long each time.
func delayAfter(failures, free int) time.Duration {
	over := failures - free
	switch {
	case over <= 0:
		return 0
	case over > 10:
		return maxDelay
	}
	return min(time.Second<<(over-1), maxDelay)
}

// key is whom the lock-out counts failures of: a user's name as it was typed, whether there is such a user or not, or an address.
type key struct {
	isSource bool
	name     string
}

func (k key) free() int {
	if k.isSource {
		return freeOfSource
	}
	return freeOfUser
}

// keysOf are those of one try. The operator token cannot be guessed, so strangers must not be able to keep its holder out.
func keysOf(name, source string) []key {
	if name == OperatorName {
		return []key{{true, sourceOf(source)}}
	}
	return []key{{false, name}, {true, sourceOf(source)}}
}

// sourceOf is the address that counts: of IPv6 the network of 64 bits, because one host has all addresses in it.
func sourceOf(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	at = at.Unmap().WithZone("")
	if at.Is6() {
		if network, err := at.Prefix(64); err == nil {
			return network.String()
		}
	}
	return at.String()
}

// tries are the failures of one key.
type tries struct {
	failures int
	last     time.Time
}

// lockout remembers failures, in bounded memory and not over a restart.
type lockout struct {
	mu  sync.Mutex
	all map[key]tries
}

func newLockout() *lockout { return &lockout{all: map[key]tries{}} }

// wait is how long the keys' next try has to wait.
func (l *lockout) wait(keys []key, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		if t, known := l.all[k]; known && !t.isOver(now) {
			wait = max(wait, min(t.last.Add(delayAfter(t.failures, k.free())).Sub(now), maxDelay))
		}
	}
	return wait
}

func (t tries) isOver(now time.Time) bool { return now.Sub(t.last) > forgetAfter }

// failed counts a failure.
func (l *lockout) failed(keys []key, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		t, known := l.all[k]
		if !known {
			l.makeRoom(now)
		}
		if t.isOver(now) {
			t.failures = 0
		}
		l.all[k] = tries{t.failures + 1, now}
	}
}

// makeRoom forgets those that are over, and if there are none, the one whose last failure is the oldest.
func (l *lockout) makeRoom(now time.Time) {
	if len(l.all) < maxTries {
		return
	}
	var oldest key
	var at time.Time
	for k, t := range l.all {
		if t.isOver(now) {
			delete(l.all, k)
			continue
		}
		if at.IsZero() || t.last.Before(at) {
			oldest, at = k, t.last
		}
	}
	if len(l.all) >= maxTries {
		delete(l.all, oldest)
	}
}

// succeeded forgets the failures of the user, but not those of the address: somebody may sign in as himself to guess the passwords of
// others in between.
func (l *lockout) succeeded(keys []key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		if !k.isSource {
			delete(l.all, k)
		}
	}
}
