// Package cloudformation is the relay's door to CloudFormation: it brings the answer of a custom resource to the address
// that CloudFormation gave for it. It reads no requests and decides no answer (functions/seed-routes does). The address
// is signed. Anyone who has it can answer, so no error of this package shows it.
package cloudformation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/cfn"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// maxAnswer is the most that CloudFormation reads of an answer, in bytes.
const maxAnswer = 4096

// The bounds of one answer: at most 6 attempts, of 3 seconds each, with 7.75 seconds of pauses between them.
const (
	attempts       = 6
	attemptTimeout = 3 * time.Second
	firstPause     = 250 * time.Millisecond
)

// Responder brings answers to CloudFormation. It is safe for concurrent use.
type Responder struct{ client *http.Client }

// NewResponder returns a Responder over transport; nil is one that uses no proxy.
func NewResponder(transport http.RoundTripper) *Responder {
	if transport == nil {
		transport = &http.Transport{TLSHandshakeTimeout: attemptTimeout}
	}
	return &Responder{client: &http.Client{
		Transport: transport,
		Timeout:   attemptTimeout,
		// The address is valid on one host only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send puts the answer to the address. It tries again as long as that may help and ctx lasts, so the same answer may arrive
// twice. A Reason that makes the answer longer than CloudFormation reads is cut. Errors are *fault.Error: Permanent if
// CloudFormation refuses the answer, else Transient.
func (r *Responder) Send(ctx context.Context, address string, answer cfn.Response) error {
	body, err := encode(answer)
	if err != nil {
		return &fault.Error{Kind: fault.Permanent, Err: fmt.Errorf("encode the answer to CloudFormation: %w", err)}
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		failure := r.put(ctx, address, body)
		if failure == nil {
			return nil
		}
		if failure.Kind == fault.Permanent || attempt == attempts || !wait(ctx, pause) {
			return failure
		}
		pause *= 2
	}
}

// wait reports whether ctx lasted for as long as the pause.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// put makes one attempt.
func (r *Responder) put(ctx context.Context, address string, body []byte) *fault.Error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(body))
	if err != nil {
		// The cause quotes the address.
		return &fault.Error{Kind: fault.Permanent, Err: errors.New("answer CloudFormation: its address is no URL")}
	}
	// The signature covers an empty Content-Type, and Go adds none by itself.
	answer, err := r.client.Do(request)
	if err != nil {
		return &fault.Error{Kind: fault.Transient, Err: fmt.Errorf("answer CloudFormation: %w", withoutAddress(err))}
	}
	// What S3 says does not matter, and it says little.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	_ = answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &fault.Error{Kind: kindOf(answer.StatusCode), HTTPStatus: answer.StatusCode, Err: errors.New("answer CloudFormation: refused")}
}

// withoutAddress returns the error of a request without its address.
func withoutAddress(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return errors.New("no answer")
}

// kindOf says for a status other than 200 whether another attempt may help.
func kindOf(status int) fault.Kind {
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return fault.Transient
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		return fault.Permanent
	default:
		return fault.Transient
	}
}

// encode writes the answer as CloudFormation reads it, with as much of its Reason as there is room for.
func encode(answer cfn.Response) ([]byte, error) {
	for {
		var body bytes.Buffer
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(answer); err != nil {
			return nil, err
		}
		over := body.Len() - maxAnswer
		if over <= 0 {
			return body.Bytes(), nil
		}
		if answer.Reason == "" {
			return nil, fmt.Errorf("it has %d bytes without a reason, more than %d", body.Len(), maxAnswer)
		}
		// A byte of text is up to six of JSON.
		answer.Reason = cut(answer.Reason, len(answer.Reason)-over/6)
	}
}

// ellipsis replaces what was cut.
const ellipsis = "…"

// cut shortens a text to less than limit bytes, between two characters, with an ellipsis if there is room for it.
func cut(text string, limit int) string {
	end := limit - len(ellipsis) - 1
	if end <= 0 {
		return ""
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
