package browser

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// TestCutConnection: a page whose connection was cut shows, once it is there again, what came meanwhile, and says so to who cannot see it.
func TestCutConnection(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	w := newWire(t, s.relay)
	s.relay = "http://" + w.listener.Addr().String()
	office, phones := s.newTab(t), s.newTab(t)
	office.signIn("operator", operator)
	office.see("Nobody waits for an answer.")
	phones.open(s.twilio)
	office.expect("net::ERR_")
	office.expect("htmx:sse:error: network error")
	office.expect("Failed to fetch")
	w.cut()
	phones.writeOn(customer, "Is the gate open?")
	phones.arriveOn(bo, "Is the gate open?")
	if strings.Contains(office.text(), customer) {
		t.Fatal("the connection is not cut")
	}
	w.mend()
	office.arrive("New text from " + customer)
	office.arrive("goes out again")
}

// wire is the way from a browser to the relay, which can be cut.
type wire struct {
	listener net.Listener
	to       string

	mu sync.Mutex
	// open are both ends of what goes over it, nil while it is cut.
	open map[net.Conn]bool
}

// newWire returns a wire to the server at a URL.
func newWire(t *testing.T, url string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, to: strings.TrimPrefix(url, "http://"), open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for from, err := listener.Accept(); err == nil; from, err = listener.Accept() {
			all.Go(func() { w.carry(from) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
		all.Wait()
	})
	return w
}

// carry passes on what goes over one connection, in both directions.
func (w *wire) carry(from net.Conn) {
	to, err := net.Dial("tcp", w.to)
	if err != nil {
		_ = from.Close()
		return
	}
	w.mu.Lock()
	isCut := w.open == nil
	if !isCut {
		w.open[from], w.open[to] = true, true
	}
	w.mu.Unlock()
	if !isCut {
		var back sync.WaitGroup
		back.Go(func() { pass(from, to) })
		pass(to, from)
		back.Wait()
	}
	_, _ = from.Close(), to.Close()
}

// pass passes on what comes, until one end is closed. Then it closes the other.
func pass(to io.WriteCloser, from io.Reader) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}

// cut cuts all connections, and lets no other be made until mend.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := range w.open {
		_ = end.Close()
	}
	w.open = nil
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = map[net.Conn]bool{}
}
