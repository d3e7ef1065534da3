package onehost

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// operatorToken opens the operators' routes of relays in tests.
const operatorToken = "a-token-of-operators"

// started opens a relay that talks to nobody, and runs it until the test ends or stop is called, which returns Run's error.
func started(t *testing.T, edit func(r *Relay)) (r *Relay, stop func() error) {
	t.Helper()
	return startedOn(t, t.TempDir(), edit)
}

// startedOn does the same on a data folder that may hold something.
func startedOn(t *testing.T, folder string, edit func(r *Relay)) (r *Relay, stop func() error) {
	t.Helper()
	return startedWith(t, quietConfig(folder), edit)
}

// quietConfig is that of a relay that talks to nobody.
func quietConfig(folder string) Config {
	return Config{
		Listen: "127.0.0.1:0", Data: folder, AccountSid: "AC00000000000000000000000000000001", AuthTokens: []string{hexToken},
		OperatorToken: operatorToken,
		TwilioBaseURL: "http://127.0.0.1:1", RetryBase: time.Second, MaxAttempts: 3, SendTimeout: time.Second,
		ReconcileLooks: 1, ReconcileInterval: time.Second, Retention: 400 * time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
}

// startedWith does it with a configuration.
func startedWith(t *testing.T, config Config, edit func(r *Relay)) (r *Relay, stop func() error) {
	t.Helper()
	r, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, func() error {
		cancel()
		return <-ran
	}
}

// A path is read as it came, and a browser need not guess what an answer is.
func TestPathsAtTheDoor(t *testing.T) {
	r, _ := started(t, nil)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/sms/health", 200},
		{"GET", "/metrics", 200},
		{"POST", "/metrics", 404},
		{"GET", "//sms/health", 404},
		{"POST", "//sms/inbound", 404},
		{"POST", "/sms//inbound", 404},
		{"GET", "/sms/../sms/health", 404},
		{"GET", "//metrics", 404},
		{"GET", "/", 404},
		{"POST", "/sms/inbound", 415},
		{"GET", "/sms/status", 401},
		{"GET", "/sms/status/text", 401},
		{"GET", "/sms/search", 401},
		{"POST", "/sms/reply", 401},
		{"OPTIONS", "/sms/inbound", 204},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, r.URL(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Path, request.URL.Opaque = "", tt.path
		if strings.HasPrefix(tt.path, "//") {
			request.URL.Opaque = "//" + r.door.listener.Addr().String() + tt.path
		}
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != tt.want || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %d, %v; want %d, nosniff", tt.method, tt.path, response.StatusCode, response.Header, tt.want)
		}
	}
}

// Who has sent half a request when the relay stops was promised nothing: the relay ends, and ends well.
func TestHalfARequestEndsWithTheRelay(t *testing.T) {
	logs := &bytes.Buffer{}
	r, stop := started(t, func(r *Relay) {
		r.drain = 50 * time.Millisecond
		r.config.Logger = slog.New(slog.NewTextHandler(logs, nil))
	})
	conn, err := net.Dial("tcp", r.door.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	// The server says that the body may come once the handler wants it.
	if _, err := fmt.Fprint(conn, "POST /sms/inbound HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server says %q, %v", line, err)
	}
	if _, err := fmt.Fprint(conn, "MessageSid="); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if !strings.Contains(logs.String(), "requests that did not end were cut off") {
		t.Errorf("the log does not say that a request was cut off:\n%s", logs)
	}
}
