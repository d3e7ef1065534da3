package httpapi_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

// bounded serves under a bound of connections, and returns its address. A request of /slow is under way until release is closed.
func bounded(t *testing.T, most int) (address string, under, release chan struct{}) {
	t.Helper()
	connections := httpapi.NewConnections(most)
	under, release = make(chan struct{}, 100), make(chan struct{})
	server := &http.Server{
		ReadHeaderTimeout: time.Minute, ConnState: connections.Track,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				under <- struct{}{}
				<-release
			}
			w.WriteHeader(http.StatusNoContent)
		}),
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(connections.Listen(inner)) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return inner.Addr().String(), under, release
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a request on the connection.
func ask(t *testing.T, conn net.Conn, path string) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: relay\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
}

func answered(t *testing.T, conn net.Conn) error {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusNoContent {
		t.Errorf("status %d", response.StatusCode)
	}
	return response.Body.Close()
}

// People who hold connections open do not shut the door on others.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	address, _, _ := bounded(t, 4)
	first := dial(t, address)
	ask(t, first, "/")
	if err := answered(t, first); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		dial(t, address)
	}
	for range 5 {
		conn := dial(t, address)
		ask(t, conn, "/")
		if err := answered(t, conn); err != nil {
			t.Errorf("behind 41 idle connections: %v", err)
		}
	}
	if err := answered(t, first); err == nil {
		t.Error("the connection that waited longest is still open")
	}
}

// A request that is under way is not cut off for another: the other waits.
func TestRequestsUnderWayAreNotCutOff(t *testing.T) {
	address, under, release := bounded(t, 2)
	slow := []net.Conn{dial(t, address), dial(t, address)}
	for _, conn := range slow {
		ask(t, conn, "/slow")
		<-under
	}
	late := dial(t, address)
	ask(t, late, "/")
	close(release)
	for i, conn := range append(slow, late) {
		if err := answered(t, conn); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}

// The same holds for a connection that is encrypted.
func TestEncryptedRequestsUnderWayAreNotCutOff(t *testing.T) {
	connections := httpapi.NewConnections(1)
	under, release := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			under <- struct{}{}
			<-release
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	server.Listener, server.Config.ConnState = connections.Listen(server.Listener), connections.Track
	server.StartTLS()
	t.Cleanup(server.Close)
	transport, _ := server.Client().Transport.(*http.Transport) // httptest makes no others.
	trusted := transport.TLSClientConfig.Clone()
	trusted.ServerName = "example.com"
	var asked []net.Conn
	for _, path := range []string{"/slow", "/"} {
		conn := tls.Client(dial(t, server.Listener.Addr().String()), trusted)
		asked = append(asked, conn)
		if path == "/slow" {
			ask(t, conn, path)
			<-under
			continue
		}
		go func() { _, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n") }()
	}
	time.Sleep(20 * time.Millisecond) // The other is at the door, if it is to be let in too early.
	close(release)
	for i, conn := range asked {
		if err := answered(t, conn); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}

// A server that stops does not wait for room.
func TestStopWhileFull(t *testing.T) {
	address, under, release := bounded(t, 1)
	ask(t, dial(t, address), "/slow")
	<-under
	dial(t, address)
	t.Cleanup(func() { close(release) })
}
