package signin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// OperatorName is the name by which the operator token signs in. No user has it.
const OperatorName = "operator"

// User is somebody who may sign in.
type User struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	// Phone is the user's own phone on duty, by its name in the routes or its number; empty without one.
	Phone string `json:"phone,omitempty"`
	// Password is its hash, see [Hash].
	Password string `json:"password"`
	// AddedAt is when the user was made, ChangedAt when the password was set. UTC.
	AddedAt   time.Time `json:"added_at"`
	ChangedAt time.Time `json:"changed_at"`
	// SignedOut is another word each time that the user is signed out everywhere; empty for one who never was.
	SignedOut string `json:"signed_out,omitempty"`
}

// secret is what the user's sessions are bound to: they end when it changes.
func (u User) secret() string { return u.Password + u.SignedOut }

var (
	// ErrNoUser means that there is no user of that name.
	ErrNoUser = errors.New("there is no such user")
	// ErrExists means that there is one already.
	ErrExists = errors.New("there is such a user already")
)

// named is what a user may be called. Each is a file's name, too, on all systems.
var named = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// ReadName reads a user's name as people type it. Capitals are small letters.
func ReadName(text string) (string, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	switch {
	case !named.MatchString(name):
		return "", errors.New("a user's name has 1 to 32 letters from a to z, digits, - and _")
	case name == OperatorName:
		return "", errors.New("operator is the name by which the operator token signs in")
	}
	return name, nil
}

// Users are the users of a relay: one file each, so that commands and the relay that runs can change them at the same time.
type Users struct {
	folder string
	disk   durable.Disk
}

// NewUsers returns the users in a folder, which need not exist.
func NewUsers(folder string) Users { return Users{folder: folder} }

const extension = ".json"

// Get returns a user. The error is [ErrNoUser] if there is none, also for a text that is no name.
func (u Users) Get(name string) (User, error) {
	name, err := ReadName(name)
	if err != nil {
		return User{}, ErrNoUser
	}
	var one User
	found, err := durable.ReadJSON(u.path(name), &one)
	switch {
	case err != nil:
		return User{}, fmt.Errorf("read the user %s: %w", name, err)
	case !found || one.Name != name:
		return User{}, ErrNoUser
	}
	return one, nil
}

func (u Users) path(name string) string { return filepath.Join(u.folder, name+extension) }

// List returns all users in the order of their names.
func (u Users) List() ([]User, error) {
	entries, err := os.ReadDir(u.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the users: %w", err)
	}
	all := []User{}
	for _, entry := range entries {
		name, isUser := strings.CutSuffix(entry.Name(), extension)
		if !isUser {
			continue
		}
		one, err := u.Get(name)
		switch {
		case errors.Is(err, ErrNoUser): // It was removed meanwhile.
		case err != nil:
			return nil, err
		default:
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Add makes a user of that name, role and phone. The error is [ErrExists] if there is one of that name.
func (u Users) Add(one User, password string, now time.Time) (User, error) {
	if _, err := u.Get(one.Name); !errors.Is(err, ErrNoUser) {
		if err == nil {
			err = ErrExists
		}
		return User{}, err
	}
	one.Password, one.AddedAt, one.ChangedAt = Hash(password), now.UTC().Round(0), now.UTC().Round(0)
	return one, u.put(one)
}

// Change gives a user another role or phone. The error is [ErrNoUser] if there is none.
func (u Users) Change(name string, edit func(*User)) (User, error) {
	one, err := u.Get(name)
	if err != nil {
		return User{}, err
	}
	edit(&one)
	return one, u.put(one)
}

// SignOut ends all sessions of a user. The error is [ErrNoUser] if there is none.
func (u Users) SignOut(name string) (User, error) {
	return u.Change(name, func(one *User) { one.SignedOut = rand.Text() })
}

// SetPassword gives a user another password, which ends the user's sessions. The error is [ErrNoUser] if there is none.
func (u Users) SetPassword(name, password string, now time.Time) (User, error) {
	one, err := u.Get(name)
	if err != nil {
		return User{}, err
	}
	one.Password, one.ChangedAt = Hash(password), now.UTC().Round(0)
	return one, u.put(one)
}

func (u Users) put(one User) error {
	if err := u.disk.WriteJSON(u.path(one.Name), one); err != nil {
		return fmt.Errorf("write the user %s: %w", one.Name, err)
	}
	return datafolder.GiveToOwner(filepath.Dir(u.folder), u.folder)
}

// Remove removes a user, which ends the user's sessions. The error is [ErrNoUser] if there is none.
func (u Users) Remove(name string) error {
	if _, err := u.Get(name); err != nil {
		return err
	}
	if err := os.Remove(u.path(name)); err != nil {
		return fmt.Errorf("remove the user %s: %w", name, err)
	}
	return u.disk.SyncFolder(u.folder)
}
