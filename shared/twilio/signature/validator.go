package signature

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
)

// What Validate finds wrong with a request, for the operator's log. A stranger is told none of it.
var (
	// ErrNoSignature says that there was no X-Twilio-Signature at all: hardly a request of Twilio's.
	ErrNoSignature = errors.New("no X-Twilio-Signature")
	// ErrMismatch says that no token makes this signature for this request under any base URL: a forgery, or a
	// PUBLIC_BASE_URL or TWILIO_AUTH_TOKEN that is not the one Twilio has.
	ErrMismatch = errors.New("signature does not match")
	// ErrNoBodyHash says that a body of JSON came without bodySHA256 in the query, so that nothing vouches for it.
	ErrNoBodyHash = errors.New("JSON body without bodySHA256")
	// ErrBodyHash says that the URL was signed but the body does not have the hash in the URL.
	ErrBodyHash = errors.New("body does not match bodySHA256")
	// ErrContent says that Twilio does not send such a request: another method than GET and POST, a GET with a body,
	// a POST of neither a form nor JSON, or a path that does not begin with a slash.
	ErrContent = errors.New("no request that Twilio signs")
)

// Request is what the check of a signature needs of a webhook request, exactly as Twilio made it.
type Request struct {
	// Method is "GET" or "POST".
	Method string
	// Path is the undecoded path behind the base URL, "/sms/inbound".
	Path string
	// RawQuery is the undecoded query without its question mark. Empty if there is none.
	RawQuery string
	// ContentType is the header of that name; parameters such as a charset do not matter.
	ContentType string
	// Body is the body's bytes; a gateway's base64 is already undone.
	Body []byte
	// Signature is the header X-Twilio-Signature.
	Signature string
}

// Validator checks that webhook requests were signed by Twilio. It never looks at the Host header, which a stranger
// chooses: the URL is one of the base URLs that Twilio was given, and the request's path and query. It is safe for
// use by several goroutines.
type Validator struct {
	bases [][]byte
	keys  []signingKey
	// checks are those that are not under way: each has room that the next one can use.
	checks sync.Pool
}

type signingKey struct {
	scheme scheme
	secret []byte
}

// NewValidator returns a Validator for webhooks under any of baseURLs, signed with any of tokens. A base URL is absolute, may
// have user info, a port and a path prefix (all taken as they are written, because all are signed), and has no query; a
// fragment (Twilio's connection overrides) and one trailing slash are removed. Tokens are used as they are, including spaces
// at their ends. The error names all problems at once. A base URL and a token are required, and a blank token is refused: with
// an empty key anyone can sign. No error quotes a URL or a token.
func NewValidator(baseURLs, tokens []string) (*Validator, error) {
	bases, err := allSignedBases(baseURLs)
	problems := []error{err}
	if len(baseURLs) == 0 {
		problems = append(problems, errors.New("no base URL"))
	}
	if len(tokens) == 0 {
		problems = append(problems, errors.New("no auth token"))
	}
	keys := make([]signingKey, 0, len(tokens))
	for i, token := range tokens {
		if strings.TrimSpace(token) == "" {
			problems = append(problems, fmt.Errorf("auth token %d of %d is blank", i+1, len(tokens)))
		}
		keys = append(keys, signingKey{scheme: hmacSHA1{}, secret: []byte(token)})
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("check of webhook signatures: %w", err)
	}
	return &Validator{bases: bases, keys: keys}, nil
}

// check is one check of a request, and the room for it. A check needs no other memory, because anybody may ask for one.
type check struct {
	form reading
	// tail is what follows the base URL in the text that Twilio signs.
	tail []byte
	// given is the signature of the request.
	given []byte
	// macs have one hash for each key.
	macs         []hash.Hash
	sum, encoded []byte
}

func (v *Validator) newCheck() *check {
	if c, ok := v.checks.Get().(*check); ok {
		return c
	}
	c := &check{}
	for _, key := range v.keys {
		c.macs = append(c.macs, key.scheme.MAC(key.secret))
	}
	return c
}

// Validate returns nil if Twilio signed the request, and otherwise ErrNoSignature, ErrMismatch, ErrNoBodyHash, ErrBodyHash,
// ErrForm or ErrContent. It tries every base URL with every token, and always needs the same time, whichever of them match.
func (v *Validator) Validate(r Request) error {
	if r.Signature == "" {
		return ErrNoSignature
	}
	if r.Path != "" && r.Path[0] != '/' {
		return ErrContent
	}
	c := v.newCheck()
	defer v.checks.Put(c)
	c.begin(r)
	switch partSigned(r) {
	case signedURL:
		return v.match(c)
	case signedForm:
		return v.validateForm(c, r)
	case signedHash:
		return v.validateJSON(c, r)
	case signedNothing:
	}
	return ErrContent
}

// signedPart is what of a request its signature covers.
type signedPart int

const (
	signedNothing signedPart = iota
	signedURL
	signedForm // the URL and the form in the body
	signedHash // the URL, which holds the body's hash
)

func partSigned(r Request) signedPart {
	switch {
	case r.Method == http.MethodGet && len(r.Body) == 0:
		return signedURL
	case r.Method != http.MethodPost:
		return signedNothing
	case IsForm(r.ContentType):
		return signedForm
	case hasMediaType(r.ContentType, "application/json"):
		return signedHash
	default:
		return signedNothing
	}
}

// IsForm reports whether a request of this Content-Type is a form: Validate then checks its parameters.
func IsForm(contentType string) bool {
	return hasMediaType(contentType, "application/x-www-form-urlencoded")
}

func hasMediaType(contentType, mediaType string) bool {
	name, _, _ := strings.Cut(contentType, ";")
	name = strings.TrimSpace(name)
	return name == mediaType || strings.EqualFold(name, mediaType)
}

func (v *Validator) validateForm(c *check, r Request) error {
	if err := c.form.read(r.Body); err != nil {
		return err
	}
	c.tail = c.form.appendSigned(c.tail)
	return v.match(c)
}

// validateJSON checks the hash of the body as well, which is what ties it to the signed URL.
func (v *Validator) validateJSON(c *check, r Request) error {
	claimed, found := bodyHash(r.RawQuery)
	if !found {
		return ErrNoBodyHash
	}
	if err := v.match(c); err != nil {
		return err
	}
	sum := sha256.Sum256(r.Body)
	var actual [2 * sha256.Size]byte
	hex.Encode(actual[:], sum[:])
	if subtle.ConstantTimeCompare(actual[:], []byte(claimed)) != 1 {
		return ErrBodyHash
	}
	return nil
}

// bodyHash returns the first bodySHA256 of a raw query. Twilio writes it without escapes; an escaped one is not
// found, and the request then refused.
func bodyHash(rawQuery string) (claimed string, found bool) {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if claimed, found = strings.CutPrefix(pair, "bodySHA256="); found {
			return claimed, true
		}
	}
	return "", false
}

// begin notes the part of the signed URL that follows the base URL, and the signature.
func (c *check) begin(r Request) {
	c.tail = append(c.tail[:0], r.Path...)
	if r.RawQuery != "" {
		c.tail = append(c.tail, '?')
		c.tail = append(c.tail, r.RawQuery...)
	}
	c.given = append(c.given[:0], r.Signature...)
}

// match returns ErrMismatch if no key and base URL give the signature. It does not return early, so its time does not
// show which key or base URL is right.
func (v *Validator) match(c *check) error {
	matches := 0
	for _, mac := range c.macs {
		for _, base := range v.bases {
			mac.Reset()
			mac.Write(base)
			mac.Write(c.tail)
			c.sum = mac.Sum(c.sum[:0])
			c.encoded = base64.StdEncoding.AppendEncode(c.encoded[:0], c.sum)
			matches |= subtle.ConstantTimeCompare(c.encoded, c.given)
		}
	}
	if matches != 1 {
		return ErrMismatch
	}
	return nil
}
