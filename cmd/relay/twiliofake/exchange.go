package twiliofake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// ExchangeKind says who asked whom.
type ExchangeKind string

// The kinds of exchanges.
const (
	// ExchangeAPI is a request of the application to Twilio's API.
	ExchangeAPI ExchangeKind = "api"
	// ExchangeWebhook is a text that came in, posted to the application; ExchangeFallback the same to the fallback URL.
	ExchangeWebhook  ExchangeKind = "webhook"
	ExchangeFallback ExchangeKind = "fallback"
	// ExchangeCallback is a status callback.
	ExchangeCallback ExchangeKind = "callback"
	// ExchangeMedia is a request for an attachment that a message names.
	ExchangeMedia ExchangeKind = "media"
)

// Exchange is one request with its answer: of the application to the fake, or of the fake to the application.
type Exchange struct {
	// ID counts from 1.
	ID   int          `json:"id"`
	At   time.Time    `json:"at"`
	Kind ExchangeKind `json:"kind"`
	// Method and URL are the request's; URL is without its fragment, and as it was signed.
	Method string `json:"method"`
	URL    string `json:"url"`
	// MessageSid is the message that it is about, "" if it is about none.
	MessageSid string `json:"message_sid"`
	// Params are the parameters of the request.
	Params url.Values `json:"params"`
	// User is who asked the API: an Account SID or the SID of an API key. Passwords are not kept.
	User string `json:"user"`
	// Signature is the X-Twilio-Signature that the fake sent, and SignatureVerifies what a check of it with the Auth Token says.
	Signature         string `json:"signature"`
	SignatureVerifies bool   `json:"signature_verifies"`
	// Tries are the answers of all tries, in order: a status such as "503", or why there was none.
	Tries []string `json:"tries"`
	// StatusCode, ContentType and Answer are the last answer's; StatusCode is 0 if none came.
	StatusCode  int    `json:"status_code"`
	ContentType string `json:"content_type"`
	Answer      string `json:"answer"`
	// Accepted says whether the one who was asked did what was asked, ErrorCode is Twilio's code if not.
	Accepted  bool `json:"accepted"`
	ErrorCode int  `json:"error_code"`
	// Verdict says it in words.
	Verdict string `json:"verdict"`
}

// maxAnswerKept is how much of an answer is kept for people, in bytes.
const maxAnswerKept = 16 << 10

// exchanges are the last ones.
type exchanges struct {
	keep int

	mu   sync.Mutex
	made int
	last []Exchange
}

// add keeps an exchange, and forgets the oldest one if there are too many.
func (e *exchanges) add(exchange Exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made++
	exchange.ID = e.made
	exchange.Answer = exchange.Answer[:min(len(exchange.Answer), maxAnswerKept)]
	if len(e.last) >= e.keep {
		e.last = slices.Delete(e.last, 0, 1)
	}
	e.last = append(e.last, exchange)
}

func (e *exchanges) all() []Exchange {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.last)
}

func (e *exchanges) clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = nil
}

// Exchanges returns the last requests and callbacks that the filter matches, the oldest first, and whether there are older ones.
func (s *Server) Exchanges(wanted ExchangeFilter) (found []Exchange, more bool) {
	for _, exchange := range slices.Backward(s.exchanges.all()) {
		if !wanted.matches(exchange) {
			continue
		}
		if wanted.Limit > 0 && len(found) == wanted.Limit {
			more = true
			break
		}
		found = append(found, exchange)
	}
	slices.Reverse(found)
	return found, more
}

// ExchangeFilter says which exchanges are wanted. The zero value wants all.
type ExchangeFilter struct {
	Kind       ExchangeKind
	MessageSid string
	// Refused wants only those that were not accepted.
	Refused bool
	// Text is anywhere in the URL, the parameters, the answer or the verdict, in any case.
	Text string
	// Before and After are IDs: only older ones, and only newer ones. Limit is how many, the newest of them. Zero is no limit.
	Before, After, Limit int
}

func (f ExchangeFilter) matches(e Exchange) bool {
	switch {
	case f.Kind != "" && e.Kind != f.Kind, f.MessageSid != "" && e.MessageSid != f.MessageSid, f.Refused && e.Accepted,
		f.Before > 0 && e.ID >= f.Before, e.ID <= f.After:
		return false
	case f.Text == "":
		return true
	}
	texts := []string{e.URL, e.Answer, e.Verdict, e.MessageSid}
	for name, values := range e.Params {
		texts = append(append(texts, name), values...)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(f.Text)) })
}

// keepExchange keeps an exchange for people, unless nobody looks.
func (s *Server) keepExchange(exchange Exchange) {
	if s.cfg.Exchanges == 0 {
		return
	}
	exchange.At = s.cfg.Now().UTC()
	s.exchanges.add(exchange)
	s.bell.ring()
}

// verifies checks the signature of a form that was posted to the URL, as an application would.
func (s *Server) verifies(target string, params url.Values, signed string) bool {
	parsed, err := url.Parse(target)
	if err != nil {
		return false
	}
	base, _, _ := strings.Cut(target, "?")
	base = strings.TrimSuffix(base, parsed.EscapedPath())
	validator, err := signature.NewValidator([]string{base}, []string{s.cfg.AuthToken})
	return err == nil && validator.Validate(signature.Request{
		Method: http.MethodPost, Path: parsed.EscapedPath(), RawQuery: parsed.RawQuery,
		ContentType: "application/x-www-form-urlencoded", Body: []byte(params.Encode()), Signature: signed,
	}) == nil
}
