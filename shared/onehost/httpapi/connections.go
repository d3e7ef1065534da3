package httpapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// Connections bounds the connections that a server holds at once. When there are too many, the one that has waited longest
// without a request under way is closed, so that people who hold connections open do not shut the door on others; while each
// of them has a request under way, the next one waits.
//
//	server := &http.Server{ConnState: connections.Track}
//	server.Serve(connections.Listen(listener))
type Connections struct {
	most int

	mu sync.Mutex
	// freed rings when a connection is gone or begins to wait, and when the listener closes.
	freed *sync.Cond
	open  map[net.Conn]*connState
	turns uint64
}

// connState is the state of a connection.
type connState struct {
	// waits says that no request is under way, since says since when: a count that grows.
	waits bool
	since uint64
}

// NewConnections bounds them to most, at least 1.
func NewConnections(most int) *Connections {
	c := &Connections{most: max(most, 1), open: map[net.Conn]*connState{}}
	c.freed = sync.NewCond(&c.mu)
	return c
}

// Listen returns a listener that keeps the bound.
func (c *Connections) Listen(l net.Listener) net.Listener { return &boundListener{Listener: l, c: c} }

// Track is the server's ConnState.
func (c *Connections) Track(conn net.Conn, state http.ConnState) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[conn]
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		s.waits = false
	case http.StateIdle:
		c.turns++
		s.waits, s.since = true, c.turns
		c.freed.Broadcast()
	case http.StateNew, http.StateHijacked, http.StateClosed:
	}
}

// add registers a new connection. ok is false if the listener was closed meanwhile.
func (c *Connections) add(conn net.Conn, closed func() bool) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) >= c.most {
		if closed() {
			return false
		}
		if longest := c.longest(); longest != nil {
			// Its Close takes the lock, and this goroutine has it.
			delete(c.open, longest)
			_ = longest.(*boundConn).Conn.Close() //nolint:errcheck,forcetypeassert // nobody uses it, and add makes them all.
			continue
		}
		c.freed.Wait()
	}
	c.turns++
	c.open[conn] = &connState{waits: true, since: c.turns}
	return true
}

// longest returns the connection that has waited longest, nil if none waits.
func (c *Connections) longest() net.Conn {
	var found net.Conn
	var since uint64
	for conn, s := range c.open {
		if s.waits && (found == nil || s.since < since) {
			found, since = conn, s.since
		}
	}
	return found
}

func (c *Connections) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
	c.freed.Broadcast()
}

// boundListener is a listener that keeps the bound.
type boundListener struct {
	net.Listener
	c      *Connections
	closed bool // under c.mu
}

// Accept waits for a connection, and for room for it.
func (l *boundListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &boundConn{Conn: accepted, c: l.c}
	if !l.c.add(conn, func() bool { return l.closed }) {
		_ = accepted.Close() // Nobody uses it.
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close ends Accept.
func (l *boundListener) Close() error {
	l.c.mu.Lock()
	l.closed = true
	l.c.freed.Broadcast()
	l.c.mu.Unlock()
	return l.Listener.Close()
}

// boundConn is a connection that counts until it is closed.
type boundConn struct {
	net.Conn
	c    *Connections
	once sync.Once
}

// Close closes it, and makes room.
func (b *boundConn) Close() error {
	err := b.Conn.Close()
	b.once.Do(func() { b.c.remove(b) })
	return err
}

// CloseWrite lets the server end an answer so that the other side can still read it.
func (b *boundConn) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
