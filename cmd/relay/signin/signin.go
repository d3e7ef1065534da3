package signin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrWrong means that the name or the password is wrong. Nobody is told which.
	ErrWrong = errors.New("the name or the password is wrong")
	// ErrBusy means that too many people sign in at once.
	ErrBusy = errors.New("too many people sign in at once")
	// ErrNotSignedIn means that a token is of no session: it has ended, or never was one.
	ErrNotSignedIn = errors.New("nobody is signed in")
)

// LockedError means that somebody was wrong too often. It is the same for names that there are and that there are not.
type LockedError struct{ Wait time.Duration }

// Error says how long to wait.
func (e LockedError) Error() string {
	return "wrong too often: wait " + e.Wait.Round(time.Second).String()
}

// Person is somebody who is signed in.
type Person struct {
	Name string
	Role Role
	// Phone is the person's own phone on duty, by its name in the routes or its number; empty without one.
	Phone string
}

// Config is what a Door is made of.
type Config struct {
	Users Users
	// SessionsFile keeps the sessions over a restart.
	SessionsFile string
	// OperatorToken signs in as an owner, by the name of [OperatorName]; empty signs in nobody.
	OperatorToken string
	// Operator is the name for the record of whoever has the token; OperatorName if it is empty.
	Operator string
	Now      func() time.Time
}

// Door lets people in.
type Door struct {
	Config
	sessions *sessions
	lockout  *lockout
	turns    turns
}

// Open returns a door. If the file of the sessions cannot be read, the door is open all the same, nobody is signed in, and err says why.
func Open(c Config) (*Door, error) {
	kept, err := openSessions(c.SessionsFile, c.Now())
	if err != nil {
		err = fmt.Errorf("read the sessions: everybody has to sign in again: %w", err)
	}
	return &Door{Config: c, sessions: kept, lockout: newLockout(), turns: newTurns()}, err
}

// IsOpen reports whether there is anybody who could sign in.
func (d *Door) IsOpen() (bool, error) {
	if d.OperatorToken != "" {
		return true, nil
	}
	all, err := d.Users.List()
	return len(all) > 0, err
}

// SignIn begins a session; source is the address that the request came from. The error is [ErrWrong], [LockedError], [ErrBusy], or says
// that something could not be read or written.
func (d *Door) SignIn(ctx context.Context, typed, password, source string) (token string, p Person, err error) {
	name := strings.ToLower(strings.TrimSpace(typed))
	if len(name) > MaxPassword || len(password) > MaxPassword {
		return "", Person{}, ErrWrong
	}
	// One at a time also means that nobody can try twice before the first failure counts.
	done, err := d.turns.take(ctx)
	if err != nil {
		return "", Person{}, err
	}
	defer done()
	keys := keysOf(name, source)
	if wait := d.lockout.wait(keys, d.Now()); wait > 0 {
		return "", Person{}, LockedError{wait}
	}
	p, secret, err := d.check(name, password)
	if errors.Is(err, ErrWrong) {
		d.lockout.failed(keys, d.Now())
	}
	if err != nil {
		return "", Person{}, err
	}
	d.lockout.succeeded(keys)
	token, err = d.sessions.begin(name, secret, d.Now())
	return token, p, err
}

// check returns who has that password, and the secret that the session is bound to.
func (d *Door) check(name, password string) (p Person, secret string, err error) {
	if name == OperatorName {
		if !same(password, d.OperatorToken) {
			return Person{}, "", ErrWrong
		}
		return d.operator(), d.OperatorToken, nil
	}
	user, err := d.Users.Get(name)
	if errors.Is(err, ErrNoUser) {
		user, err = User{Password: nobodys()}, nil
	}
	if err != nil {
		return Person{}, "", err
	}
	isRight, err := matches(user.Password, password)
	switch {
	case err != nil:
		return Person{}, "", err
	case !isRight || user.Name == "":
		return Person{}, "", ErrWrong
	}
	return Person{user.Name, user.Role, user.Phone}, user.secret(), nil
}

// operator is whoever has the operator token.
func (d *Door) operator() Person { return Person{Name: cmp.Or(d.Operator, OperatorName), Role: Owner} }

// same compares two secrets in constant time. An empty one is like no other.
func same(given, wanted string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return wanted != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// Who returns whose session a token is of. The user's role counts as it is now, and a session whose user is gone, has another password
// since or was signed out everywhere, has ended. The error is [ErrNotSignedIn], or says that the user could not be read.
func (d *Door) Who(token string) (Person, error) { return d.who(token, true) }

// Watches is Who for a page that renews itself: it keeps no session alive.
func (d *Door) Watches(token string) (Person, error) { return d.who(token, false) }

func (d *Door) who(token string, isUse bool) (Person, error) {
	if token == "" {
		return Person{}, ErrNotSignedIn
	}
	s, found := d.sessions.find(token, isUse, d.Now())
	if !found {
		return Person{}, ErrNotSignedIn
	}
	p, secret := d.operator(), d.OperatorToken
	if s.User != OperatorName {
		user, err := d.Users.Get(s.User)
		if errors.Is(err, ErrNoUser) {
			return Person{}, ErrNotSignedIn
		}
		if err != nil {
			return Person{}, err
		}
		p, secret = Person{user.Name, user.Role, user.Phone}, user.secret()
	}
	if secret == "" || s.Bound != bindingOf(secret) {
		return Person{}, ErrNotSignedIn
	}
	return p, nil
}

// SignOut ends a session.
func (d *Door) SignOut(token string) error { return d.sessions.end(token) }

// SignOutEverywhere ends all sessions of a user, or of whoever has the operator token.
func (d *Door) SignOutEverywhere(name string) error {
	if name == d.operator().Name {
		return d.sessions.endAll(OperatorName)
	}
	_, err := d.Users.SignOut(name)
	if errors.Is(err, ErrNoUser) {
		err = nil // whoever is gone is out.
	}
	return errors.Join(err, d.sessions.endAll(name))
}
