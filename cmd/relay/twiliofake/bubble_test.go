package twiliofake_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// bubble is an account without a network, for tests whose time is synctest's.
type bubble struct {
	*twiliofake.Server
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inBubble posts webhooks through the given function; nil fails them all.
func inBubble(t *testing.T, post roundTrip, changes ...func(*twiliofake.Config)) bubble {
	t.Helper()
	if post == nil {
		post = func(*http.Request) (*http.Response, error) { return nil, errors.New("no network") }
	}
	cfg := validConfig()
	cfg.Client = &http.Client{Transport: post}
	for _, change := range changes {
		change(&cfg)
	}
	server, err := twiliofake.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return bubble{server}
}

// create returns the HTTP status.
func (b bubble) create(t *testing.T, params url.Values) int {
	t.Helper()
	target := "/2010-04-01/Accounts/" + accountSid + "/Messages.json"
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(params.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(accountSid, authToken)
	recorded := httptest.NewRecorder()
	b.ServeHTTP(recorded, request)
	return recorded.Code
}

// What a webhook may do in a bubble, as a net/http transport would report it.

func connected(r *http.Request) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
}

func answering(status int) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		connected(r)
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Request: r,
			Body: io.NopCloser(strings.NewReader("<Response/>")),
		}, nil
	}
}

// answeringAfter connects after one pause and answers 200 after another, unless the request is given up first.
func answeringAfter(connect, read time.Duration) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		if err := sleep(r.Context(), connect); err != nil {
			return nil, err
		}
		connected(r)
		if err := sleep(r.Context(), read); err != nil {
			return nil, err
		}
		return answering(http.StatusOK)(r)
	}
}

func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func refusing(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

func failingTLS(*http.Request) (*http.Response, error) {
	return nil, &tls.CertificateVerificationError{Err: errors.New("expired")}
}

func resetting(r *http.Request) (*http.Response, error) {
	connected(r)
	return nil, io.ErrUnexpectedEOF
}

// inTurn answers the first request as the first says, and so on; the last one stays.
func inTurn(count *int, turns ...roundTrip) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		turn := turns[min(*count, len(turns)-1)]
		*count++
		return turn(r)
	}
}
