package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// How long a session lasts.
const (
	// MaxIdle is how long it lasts without a request.
	MaxIdle = 12 * time.Hour
	// MaxAge is how long it lasts at most.
	MaxAge = 7 * 24 * time.Hour
	// seenStep is how exactly the file says when a session was last used.
	seenStep = 5 * time.Minute
	// maxSessions is how many there may be of one user: another one ends the one that was used least lately.
	maxSessions = 20
	// tokenSize is how many random bytes a session's token has.
	tokenSize = 32
)

// session is somebody who is signed in.
type session struct {
	// User is the name, Bound what the session is bound to: it ends when the user has another password, or was signed out everywhere.
	User  string `json:"user"`
	Bound string `json:"bound"`
	// BeganAt and SeenAt are when it began and was last used. UTC.
	BeganAt time.Time `json:"began_at"`
	SeenAt  time.Time `json:"seen_at"`
}

// isOver reports whether the session has ended by itself. One from the future has, too: who knows how old it is.
func (s session) isOver(now time.Time) bool {
	return now.Sub(s.SeenAt) > MaxIdle || now.Sub(s.BeganAt) > MaxAge || s.SeenAt.Sub(now) > 2*seenStep || s.BeganAt.Sub(now) > 2*seenStep
}

// sessions are those of all users, by the hashes of their tokens, in memory and in a file: whoever reads the file cannot sign in with it.
type sessions struct {
	mu   sync.Mutex
	all  map[string]session
	file string
	disk durable.Disk
}

// openSessions reads the file. If it cannot be read, nobody is signed in any more.
func openSessions(file string, now time.Time) (*sessions, error) {
	s := &sessions{all: map[string]session{}, file: file}
	_, err := durable.ReadJSON(file, &s.all)
	if err != nil || s.all == nil {
		s.all = map[string]session{}
	}
	for id, one := range s.all {
		if one.isOver(now) {
			delete(s.all, id)
		}
	}
	return s, err
}

// idOf is what is stored of a token.
func idOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// bindingOf is what is stored of the secret that a session is bound to.
func bindingOf(secret string) string { return idOf("bound to " + secret) }

// begin makes a session that survives a restart.
func (s *sessions) begin(user, secret string, now time.Time) (token string, err error) {
	random := make([]byte, tokenSize)
	_, _ = rand.Read(random) // it never fails: the program ends before it would.
	token = base64.RawURLEncoding.EncodeToString(random)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(user, now)
	now = now.UTC().Round(0)
	s.all[idOf(token)] = session{User: user, Bound: bindingOf(secret), BeganAt: now, SeenAt: now}
	if err := s.write(); err != nil {
		delete(s.all, idOf(token))
		return "", err
	}
	return token, nil
}

// makeRoom drops the sessions that are over, and of a user who has too many the one that was used least lately.
func (s *sessions) makeRoom(user string, now time.Time) {
	count, oldest := 0, ""
	for id, one := range s.all {
		if one.isOver(now) {
			delete(s.all, id)
			continue
		}
		if one.User != user {
			continue
		}
		if count++; oldest == "" || one.SeenAt.Before(s.all[oldest].SeenAt) {
			oldest = id
		}
	}
	if count >= maxSessions {
		delete(s.all, oldest)
	}
}

func (s *sessions) write() error {
	if err := s.disk.WriteJSON(s.file, s.all); err != nil {
		return fmt.Errorf("write the sessions: %w", err)
	}
	return nil
}

// find returns the session of a token, and if that is a use, notes it. What cannot be noted is not lost before a restart.
func (s *sessions) find(token string, isUse bool, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := idOf(token)
	one, known := s.all[id]
	if !known || one.isOver(now) {
		return session{}, false
	}
	if isUse && now.Sub(one.SeenAt) >= seenStep {
		one.SeenAt = now.UTC().Round(0)
		s.all[id] = one
		_ = s.write() // see above.
	}
	return one, true
}

// end ends one session, endAll all of a user. They are over in memory even if the error says that the file could not be written.
func (s *sessions) end(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.all[idOf(token)]; !known {
		return nil
	}
	delete(s.all, idOf(token))
	return s.write()
}

func (s *sessions) endAll(user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, one := range s.all {
		if one.User == user {
			delete(s.all, id)
		}
	}
	return s.write()
}

// FormToken is what each form of a session's pages carries, and nobody can know who has only made the browser send a request. It is made
// of the session's token, and says nothing of it.
func FormToken(token string) string {
	sum := hmac.New(sha256.New, []byte(token))
	_, _ = sum.Write([]byte("a form of the console")) // a hash takes everything.
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

// IsFormToken reports whether a form carried the token of the session.
func IsFormToken(token, given string) bool {
	return subtle.ConstantTimeCompare([]byte(FormToken(token)), []byte(given)) == 1
}
