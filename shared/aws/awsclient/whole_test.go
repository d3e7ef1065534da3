package awsclient

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// counted is a connection that counts how often it is written to.
type counted struct {
	net.Conn

	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestShortBodiesAreWrittenWithTheirHeaders, whatever reads them; longer ones are not copied.
func TestShortBodiesAreWrittenWithTheirHeaders(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = w.Write(body)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	var writes atomic.Int64
	client := newHTTPClient()
	client.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return counted{connection, &writes}, err
	}}
	for _, tt := range []struct {
		length  int
		isWhole bool
	}{{1, true}, {3000, true}, {maxWhole, false}, {maxWhole + 1, false}} {
		body := strings.Repeat("x", tt.length)
		opaque := struct{ io.Reader }{strings.NewReader(body)}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, opaque)
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = int64(tt.length)
		writes.Store(0)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(answer) != body {
			t.Errorf("%d bytes of %d arrived, error %v", len(answer), tt.length, err)
		}
		if (writes.Load() == 1) != tt.isWhole {
			t.Errorf("%d bytes were written with their headers in %d writes", tt.length, writes.Load())
		}
	}
}

// TestABodyThatEndsEarlyIsNotSent: the service would wait for the rest.
func TestABodyThatEndsEarlyIsNotSent(t *testing.T) {
	four := struct{ io.Reader }{strings.NewReader("four")}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1", four)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 5
	response, err := newHTTPClient().Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "read the request's body") {
		t.Errorf("error %v", err)
	}
}
