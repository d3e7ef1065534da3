package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The lengths that a password may have, in bytes.
const (
	MinPassword = 12
	MaxPassword = 256
)

// cost is what one hash costs.
type cost struct {
	// memory is in KiB.
	memory  uint32
	passes  uint32
	threads uint8
}

// present is what OWASP asks of argon2id at least, in memory as small as a small host has: 19 MiB.
func present() cost { return cost{memory: 19456, passes: 2, threads: 1} }

// The bounds of a stored hash. Somebody who can write it must not be able to use up the host's memory.
const (
	maxMemory = 64 << 10
	maxPasses = 10
	saltSize  = 16
	keySize   = 32
)

// CheckPassword returns why a text cannot be a password. Which characters it has is up to the person.
func CheckPassword(password string) error {
	switch {
	case len(password) < MinPassword:
		return fmt.Errorf("a password has %d characters or more: several words are easy to remember", MinPassword)
	case len(password) > MaxPassword:
		return fmt.Errorf("a password has at most %d bytes", MaxPassword)
	case !utf8.ValidString(password) || strings.ContainsAny(password, "\x00\r\n"):
		return errors.New("a password is one line of text")
	}
	return nil
}

// Hash returns the password's hash in PHC's string form, $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH, with a salt of its own.
func Hash(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // it never fails: the program ends before it would.
	return present().write(salt, present().key(password, salt))
}

func (c cost) key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, keySize)
}

func (c cost) write(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// errHash means that a stored hash is not one that [Hash] made.
var errHash = errors.New("the stored hash of the password cannot be read")

func parseHash(text string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); err != nil ||
		c.memory > maxMemory || c.passes == 0 || c.passes > maxPasses || c.threads != 1 {
		return c, nil, nil, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < saltSize || len(key) != keySize {
		return c, nil, nil, errHash
	}
	return c, salt, key, nil
}

// nobodys is a hash that is no password's, and takes as long to compare as one that is.
func nobodys() string { return present().write(make([]byte, saltSize), make([]byte, keySize)) }

// matches reports whether the hash is the password's. The error says that the hash cannot be read.
func matches(hash, password string) (bool, error) {
	c, salt, key, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	// The memory of one hash is given back before the next one: several of them, not collected yet, are too much for a small host.
	defer debug.FreeOSMemory()
	return subtle.ConstantTimeCompare(key, c.key(password, salt)) == 1, nil
}

// turns lets one at a time compute a hash, because each needs 19 MiB, and a few more wait.
type turns struct {
	// places has room for those who wait and the one whose turn it is.
	places chan struct{}
	turn   chan struct{}
}

// maxWaiting is how many may wait for their turn, which is less than a second for all of them.
const maxWaiting = 16

func newTurns() turns { return turns{make(chan struct{}, maxWaiting+1), make(chan struct{}, 1)} }

// take waits for a turn. done ends it. The error is [ErrBusy] if too many wait already, or the context's.
func (t turns) take(ctx context.Context) (done func(), err error) {
	select {
	case t.places <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn; <-t.places }, nil
	case <-ctx.Done():
		<-t.places
		return nil, ctx.Err()
	}
}
