package twilio

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// brittle is a dialer whose connections can be broken from outside, without a byte written and without the
// transport's knowing: what a Lambda finds when it wakes, or a gateway leaves behind that forgot the connection.
type brittle struct {
	mu    sync.Mutex
	conns []*brittleConn
	// refuse makes further dials fail.
	refuse atomic.Bool
}

type brittleConn struct {
	net.Conn
	broken atomic.Bool
}

func (c *brittleConn) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: errors.New("broken pipe")}
	}
	return c.Conn.Write(p)
}

func (b *brittle) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if b.refuse.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	wrapped := &brittleConn{Conn: conn}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns = append(b.conns, wrapped)
	return wrapped, nil
}

func (b *brittle) breakAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.conns {
		conn.broken.Store(true)
	}
}

// newBrittleClient returns a client that has sent one message, so that its next goes out on a used connection.
func newBrittleClient(t *testing.T, s *server) (*Client, *brittle) {
	t.Helper()
	b := &brittle{}
	c := newClient(t, s.URL, func(c *Config) { c.Transport = &http.Transport{DialContext: b.dial} })
	if _, err := c.Create(t.Context(), outbound); err != nil {
		t.Fatalf("the first message: %v", err)
	}
	return c, b
}

// Go's transport repeats the POST by itself here, on a second connection, because it wrote nothing to the first.
func TestCreateOnABrokenConnectionIsSentOnce(t *testing.T) {
	for name, body := range map[string]string{"a short body": "Hi", "one that needs several writes": strings.Repeat("ü", 1600)} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, answer(201, message(t, nil)))
			c, b := newBrittleClient(t, s)
			b.breakAll()
			second := outbound
			second.Body = body
			if _, err := c.Create(t.Context(), second); err != nil {
				t.Errorf("Create(): %v", err)
			}
			requests := s.seen()
			if len(requests) != 2 || requests[1].form.Get("Body") != body {
				t.Errorf("%d requests reached the server, want 2, the second with its whole body", len(requests))
			}
			if len(b.conns) != 2 {
				t.Errorf("%d connections were made, want 2: nothing was repeated", len(b.conns))
			}
		})
	}
}

// The first try read the body and could not write it; the repeat never got a connection. Nothing was sent.
func TestCreateWhoseRepeatCannotConnectIsNotSent(t *testing.T) {
	s := serve(t, answer(201, message(t, nil)))
	c, b := newBrittleClient(t, s)
	b.breakAll()
	b.refuse.Store(true)
	if got := createFails(t.Context(), t, c); got.Kind != fault.NotSent {
		t.Errorf("Create() is %s, want not_sent", got)
	}
	if len(s.seen()) != 1 {
		t.Errorf("%d requests reached the server, want the first alone", len(s.seen()))
	}
}

// The repeat was sent and not answered: that nothing was written to the first connection no longer matters.
func TestCreateWhoseRepeatIsDroppedIsUnknown(t *testing.T) {
	var count atomic.Int32
	whole := message(t, nil)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) > 1 {
			drop(w, r)
		}
		answer(201, whole)(w, r)
	})
	c, b := newBrittleClient(t, s)
	b.breakAll()
	if got := createFails(t.Context(), t, c); got.Kind != fault.Unknown {
		t.Errorf("Create() is %s, want unknown", got)
	}
	if len(s.seen()) != 2 {
		t.Errorf("%d requests reached the server, want 2", len(s.seen()))
	}
}

// The server takes the request on the used connection and closes it without an answer. To the transport it looks
// like an idle connection that was closed just then, and it would repeat a request that it holds to be idempotent.
func TestCreateOnAUsedConnectionThatIsClosedIsUnknown(t *testing.T) {
	var count atomic.Int32
	whole := message(t, nil)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) > 1 {
			drop(w, r)
		}
		answer(201, whole)(w, r)
	})
	c, b := newBrittleClient(t, s)
	if got := createFails(t.Context(), t, c); got.Kind != fault.Unknown {
		t.Errorf("Create() is %s, want unknown", got)
	}
	if len(s.seen()) != 2 || len(b.conns) != 1 {
		t.Errorf("%d requests on %d connections reached the server, want 2 on 1", len(s.seen()), len(b.conns))
	}
}

// A transport may still be at work when it has given the call up. What it has not begun to send, it never sends.
func TestNothingIsSentAfterTheCallHasEnded(t *testing.T) {
	late := make(chan *http.Request, 1)
	slow := roundTrip(func(r *http.Request) (*http.Response, error) {
		late <- r
		return nil, errors.New("given up")
	})
	got := createFails(t.Context(), t, newClient(t, "", func(c *Config) { c.Transport = slow }))
	if got.Kind != fault.NotSent {
		t.Fatalf("Create() is %s, want not_sent", got)
	}
	request := <-late
	if body, err := io.ReadAll(request.Body); len(body) != 0 || !errors.Is(err, errSealed) {
		t.Errorf("the body gives %d bytes and %v after the call, want none and errSealed", len(body), err)
	}
	if again, err := request.GetBody(); !errors.Is(err, errSealed) {
		t.Errorf("GetBody() = %v, %v after the call, want errSealed", again, err)
	}
}

func TestOutgoing(t *testing.T) {
	o := &outgoing{text: "To=x"}
	first, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(first); string(text) != "To=x" || err != nil {
		t.Errorf("the body is %q, %v", text, err)
	}
	second, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, errSealed) {
		t.Errorf("the reader before the rewind gives %v, want errSealed", err)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Errorf("Close(): %v", err)
	}
	if o.seal() {
		t.Error("seal() reports bytes that were read before the rewind")
	}
}

// TestTransportSpeaksHTTP11, with a server that would rather speak HTTP/2: there, one connection that breaks takes all messages with
// it that are under way.
func TestTransportSpeaksHTTP11(t *testing.T) {
	t.Parallel()
	spoken := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { spoken <- r.Proto }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport := newTransport()
	trusted, ok := server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("the server's client has no *http.Transport")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	response, err := (&http.Client{Transport: transport}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	transport.CloseIdleConnections()
	if got := <-spoken; got != "HTTP/1.1" {
		t.Errorf("the relay speaks %s, want HTTP/1.1", got)
	}
}
