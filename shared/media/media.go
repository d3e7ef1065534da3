// Package media is about pictures and other attachments: what the relay keeps of them to pass them on, how much fits into one text,
// which types it offers, and how a text mentions what does not fit. It is not where they are kept (shared/aws/mediabucket,
// shared/onehost/mediafolder), and it does not talk to Twilio (shared/twilio).
package media

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"
)

// Token names a kept item: 128 random bits as 32 hexadecimal digits in lower case. Who knows it can read the item, as Twilio must.
type Token string

// NewToken returns a token that nobody can guess.
func NewToken() Token {
	var random [16]byte
	_, _ = rand.Read(random[:]) // It never fails: see its documentation.
	return Token(hex.EncodeToString(random[:]))
}

// IsValid reports whether the token has the form of one.
func (t Token) IsValid() bool {
	return len(t) == 32 && strings.Trim(string(t), "0123456789abcdef") == ""
}

// String shows how a token begins, for logs: the whole of it opens the item.
func (t Token) String() string { return string(t[:min(len(t), 6)]) + "…" }

// Item is one attachment that is kept.
type Item struct {
	Token Token
	// ContentType is one that is Offered.
	ContentType string
	// Size is in bytes, from 1 to MaxTotal.
	Size int64
	// Name is the file name that a phone shows, see FileName.
	Name string
	// ExpiresAt is when the item is no longer found. It is kept to the second.
	ExpiresAt time.Time
}

const (
	// MaxItems is how many attachments Twilio takes with one message.
	MaxItems = 10
	// MaxTotal is how many bytes they may have together. Twilio takes 5 MB for a message with its words.
	MaxTotal = 5_000_000
	// KeptFor is how long an item is kept: longer than a queue holds a text (12 days), Twilio a message (10 hours) and an hour more.
	KeptFor = 14 * 24 * time.Hour
	// MinKept is the least that may be chosen instead: longer than the longest MaxAge of a text (3 days), and Twilio's hours. A text that
	// waits for longer, because it is held, has its attachments fetched again.
	MinKept = 4 * 24 * time.Hour
	// MaxKept is the most that may be chosen: whoever has an item's address can open it.
	MaxKept = 90 * 24 * time.Hour
)

var (
	// ErrNotFound means that nothing is kept under the token, or not any longer.
	ErrNotFound = errors.New("no such attachment, or it has expired")
	// ErrTooLarge means that the content has more bytes than its limit.
	ErrTooLarge = errors.New("the attachment is too large")
	// ErrCutShort means that the content has fewer bytes than its Size says.
	ErrCutShort = errors.New("the attachment was not read to its end")
)

// Store keeps items until they expire. Errors other than those named are *fault.Error.
type Store interface {
	// Put keeps a new item with its content, which has item.Size bytes. Once it has returned nil the item survives a crash and a power
	// cut. If the content fails, has fewer bytes (ErrCutShort) or more (ErrTooLarge), that is the error and nothing is kept. After another
	// error the token is not used. Kind Quota means that there is no room.
	Put(ctx context.Context, item Item, content io.Reader) error
	// Look returns what is known about an item, or ErrNotFound.
	Look(ctx context.Context, token Token) (Item, error)
	// Open is Look with the content, which the caller closes.
	Open(ctx context.Context, token Token) (Item, io.ReadCloser, error)
}

// Content is an attachment that is being read. The reader ends with an error if it is cut short, and with ErrTooLarge at its limit.
type Content struct {
	io.ReadCloser

	// ContentType is what its server says; it may be empty.
	ContentType string
	// Size is in bytes, -1 if the server does not say.
	Size int64
}

// Source fetches attachments from where Twilio keeps them.
type Source interface {
	// FetchMedia opens the attachment at one of Twilio's URLs, of which at most limit bytes are read. Errors have a *fault.Error in their
	// chain, and are never Unknown: a read can be repeated. If the attachment is larger than the limit, the error is a *TooLargeError.
	FetchMedia(ctx context.Context, url string, limit int64) (Content, error)
}

// TooLargeError is ErrTooLarge with what is known about the attachment.
type TooLargeError struct {
	ContentType string
	// Size is in bytes, 0 if it is not known.
	Size int64
}

// Error says that it is too large.
func (e *TooLargeError) Error() string { return ErrTooLarge.Error() }

// Unwrap returns ErrTooLarge.
func (e *TooLargeError) Unwrap() error { return ErrTooLarge }

// Exactly returns a reader of the content that fails with ErrCutShort before size bytes. If there are more, it fails with ErrTooLarge
// before it has given out the last of them: what comes after it never has the whole. Stores read through it.
func Exactly(content io.Reader, size int64) *Exact { return &Exact{content: content, left: size} }

// Exact reads content of a known size.
type Exact struct {
	content io.Reader
	left    int64
	ended   bool
	err     error
}

// Err returns why the content could not be read, nil if it could. It tells such an error from one of whatever the content is written to.
func (e *Exact) Err() error { return e.err }

// Read implements io.Reader.
func (e *Exact) Read(p []byte) (int, error) {
	switch {
	case e.err != nil:
		return 0, e.err
	case e.ended:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n, err := 0, error(nil)
	if e.left > 0 {
		n, err = e.content.Read(p[:min(int64(len(p)), e.left)])
	}
	e.left -= int64(n)
	if errors.Is(err, io.EOF) && e.left > 0 {
		err = ErrCutShort
	}
	if e.left == 0 && (err == nil || errors.Is(err, io.EOF)) {
		err = e.expectEnd(err)
	}
	if err != nil {
		e.err = err
		return 0, err
	}
	return n, nil
}

// expectEnd reads on until the end, of which err may have told.
func (e *Exact) expectEnd(err error) error {
	var more [1]byte
	for err == nil {
		var n int
		if n, err = e.content.Read(more[:]); n > 0 {
			return ErrTooLarge
		}
	}
	e.ended = errors.Is(err, io.EOF)
	if e.ended {
		return nil
	}
	return err
}
