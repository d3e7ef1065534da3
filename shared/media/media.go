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

// Exactly returns a reader of the content that fails with ErrCutShort before size bytes, and with ErrTooLarge after them. Stores read
// through it.
func Exactly(content io.Reader, size int64) io.Reader { return &exact{content: content, left: size} }

// exact counts what is still to come.
type exact struct {
	content io.Reader
	left    int64
}

// Read reads at most one byte too many, to see that there is none.
func (e *exact) Read(p []byte) (int, error) {
	if int64(len(p)) > e.left+1 {
		p = p[:e.left+1]
	}
	n, err := e.content.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return 0, ErrTooLarge
	case errors.Is(err, io.EOF) && e.left > 0:
		return n, ErrCutShort
	default:
		return n, err
	}
}
