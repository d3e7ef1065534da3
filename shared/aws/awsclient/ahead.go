package awsclient

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/shared/clock"
)

// Connect begins a connection to the host of an https URL, TLS and all, so that the first request to it finds one: a function that reads a
// secret at its start connects to its queue meanwhile. It sends no request, returns at once and cannot fail: who finds no connection makes
// one as always.
func Connect(ctx context.Context, cfg aws.Config, to url.URL) {
	if client, ok := cfg.HTTPClient.(*httpClient); ok && to.Scheme == "https" {
		port := to.Port()
		if port == "" {
			port = "443"
		}
		client.ahead.begin(ctx, net.JoinHostPort(to.Hostname(), port))
	}
}

// httpClient is the client that New makes.
type httpClient struct {
	http.Client

	ahead *aheadDialer
}

// maxAhead is how old a connection may be that nobody has used: the other side may have closed it since, and a request that finds that out
// has failed.
const maxAhead = 10 * time.Second

// aheadDialer makes connections, some of them before they are asked for.
type aheadDialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// now is wall time, which goes on while a function is frozen.
	now func() time.Time

	mu sync.Mutex
	// begun has a connection for each address that one was begun to and nobody has asked for.
	begun map[string]<-chan dialled
}

// dialled is what became of a connection that was begun, and when.
type dialled struct {
	connection net.Conn
	err        error
	at         time.Time
}

func newAheadDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) *aheadDialer {
	return &aheadDialer{dial: dial, now: clock.Wall(), begun: map[string]<-chan dialled{}}
}

// begin begins a connection for the first who asks for one to that address.
func (d *aheadDialer) begin(ctx context.Context, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.begun[address]; ok {
		return
	}
	made := make(chan dialled, 1)
	d.begun[address] = made
	go func() {
		connection, err := d.dial(context.WithoutCancel(ctx), "tcp", address)
		made <- dialled{connection, err, d.now()}
	}()
}

// dialTLS returns the connection that was begun, or makes one.
func (d *aheadDialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	made, ok := d.begun[address]
	delete(d.begun, address)
	d.mu.Unlock()
	if ok {
		// It is bounded as any other: by the time to connect, and the time for the handshake.
		if one := <-made; one.err == nil {
			if d.now().Sub(one.at).Abs() < maxAhead {
				return one.connection, nil
			}
			_ = one.connection.Close()
		}
	}
	return d.dial(ctx, network, address)
}
