package awsclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// rootsPEM are the five certificates from which all of AWS's endpoints are signed (https://www.amazontrust.com/repository/). A
// function that trusts only these does not have to read the system's 140 or so at its first call, only to use one.
//
//go:embed roots.pem
var rootsPEM []byte

// amazonRoots makes the pool of Amazon's certificates.
func amazonRoots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(rootsPEM)
	return pool
}

// tlsDialer makes TLS connections to servers that Amazon's certificates verify or, if they do not, the system's: an endpoint
// may be private, in another partition of AWS, or one day signed by someone else.
type tlsDialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// roots returns the pool that is tried first, system the one that is tried then; a nil pool is the system's.
	roots, system func() *x509.CertPool
	// onlySystem is set once the second pool was needed: this client's other servers most likely need it, too.
	onlySystem atomic.Bool
}

func newTLSDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) *tlsDialer {
	return &tlsDialer{dial: dial, roots: sync.OnceValue(amazonRoots), system: func() *x509.CertPool { return nil }}
}

// dialTLS connects and shakes hands. If the first pool does not verify the server, it connects once more, so that crypto/tls
// itself verifies every handshake. It sends nothing before that.
func (d *tlsDialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	if d.onlySystem.Load() {
		return d.handshake(ctx, network, address, d.system())
	}
	connection, err := d.handshake(ctx, network, address, d.roots())
	var unverified *tls.CertificateVerificationError
	if !errors.As(err, &unverified) {
		return connection, err
	}
	if connection, err = d.handshake(ctx, network, address, d.system()); err == nil {
		d.onlySystem.Store(true)
	}
	return connection, err
}

func (d *tlsDialer) handshake(ctx context.Context, network, address string, roots *x509.CertPool) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	plain, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	secured := tls.Client(plain, &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	return secured, nil
}
