package awsclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// dialling is a client whose connections are counted, and may fail.
type dialling struct {
	*httpClient

	dials atomic.Int64
	fails atomic.Bool
	// begun gets a value when a connection was made or has failed.
	begun chan struct{}
}

func newDialling(a authority) *dialling {
	c := &dialling{begun: make(chan struct{}, 10)}
	var plain net.Dialer
	secure := newTLSDialer(plain.DialContext)
	secure.roots = a.pool
	ahead := newAheadDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		defer func() { c.begun <- struct{}{} }()
		c.dials.Add(1)
		if c.fails.Load() {
			return nil, errors.New("refused")
		}
		return secure.dialTLS(ctx, network, address)
	})
	c.httpClient = &httpClient{ahead: ahead, Client: http.Client{Transport: &http.Transport{DialTLSContext: ahead.dialTLS}}}
	return c
}

func mustParse(t *testing.T, text string) url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return *parsed
}

// TestConnectAhead: the first request finds the connection that was begun, and nothing was sent on it before.
func TestConnectAhead(t *testing.T) {
	a := newAuthority(t, "amazon")
	s := a.serve(t, "127.0.0.1", time.Now().Add(time.Hour))
	c := newDialling(a)
	config := aws.Config{HTTPClient: c.httpClient}
	Connect(t.Context(), config, mustParse(t, s.URL))
	Connect(t.Context(), config, mustParse(t, s.URL)) // One is enough.
	<-c.begun
	if s.requests.Load() != 0 || c.dials.Load() != 1 {
		t.Errorf("%d requests and %d connections before the first request", s.requests.Load(), c.dials.Load())
	}
	for range 2 {
		if err := get(t, &c.Client, s.URL); err != nil {
			t.Error(err)
		}
	}
	if s.requests.Load() != 2 || c.dials.Load() != 1 {
		t.Errorf("%d requests on %d connections, want 2 on the one that was begun", s.requests.Load(), c.dials.Load())
	}
}

// TestNoUseOfAConnectionAhead: one that failed, and one that is old, costs nobody more than a connection of his own.
func TestNoUseOfAConnectionAhead(t *testing.T) {
	a := newAuthority(t, "amazon")
	s := a.serve(t, "127.0.0.1", time.Now().Add(time.Hour))
	for name, spoil := range map[string]func(c *dialling){
		"failed":           func(c *dialling) { c.fails.Store(false) },
		"old":              func(c *dialling) { c.ahead.now = func() time.Time { return time.Now().Add(maxAhead) } },
		"of a clock ahead": func(c *dialling) { c.ahead.now = func() time.Time { return time.Now().Add(-2 * maxAhead) } },
	} {
		t.Run(name, func(t *testing.T) {
			c := newDialling(a)
			c.fails.Store(name == "failed")
			made := make(chan struct{})
			now := c.ahead.now
			c.ahead.now = func() time.Time { defer close(made); return now() }
			Connect(t.Context(), aws.Config{HTTPClient: c.httpClient}, mustParse(t, s.URL))
			<-made
			c.ahead.now = now
			spoil(c)
			if err := get(t, &c.Client, s.URL); err != nil || c.dials.Load() != 2 {
				t.Errorf("error %v after %d connections, want none after 2", err, c.dials.Load())
			}
		})
	}
}

// TestNothingToConnectAheadWith: a client of the caller's own, and an emulator without TLS, are left alone.
func TestNothingToConnectAheadWith(t *testing.T) {
	c := newDialling(newAuthority(t, "amazon"))
	Connect(t.Context(), aws.Config{HTTPClient: http.DefaultClient}, mustParse(t, "https://127.0.0.1:1"))
	Connect(t.Context(), aws.Config{HTTPClient: c.httpClient}, mustParse(t, "http://127.0.0.1:1"))
	if c.dials.Load() != 0 || len(c.ahead.begun) != 0 {
		t.Errorf("%d connections", c.dials.Load())
	}
	if _, ok := New(Config{}).HTTPClient.(*httpClient); !ok {
		t.Error("the usual client cannot connect ahead")
	}
}
