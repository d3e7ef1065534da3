package awsclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// certificates returns those of a file in PEM.
func certificates(t *testing.T, text []byte) []*x509.Certificate {
	t.Helper()
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return all
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, certificate)
	}
}

// TestAmazonRoots holds the certificates against the fingerprints that Amazon Trust Services publishes. They outlive the code by
// a good while, or this test says so in time.
func TestAmazonRoots(t *testing.T) {
	want := map[string]string{
		"Amazon Root CA 1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
		"Amazon Root CA 2": "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
		"Amazon Root CA 3": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
		"Amazon Root CA 4": "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
		"Starfield Services Root Certificate Authority - G2": "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
	}
	soon := time.Now().AddDate(2, 0, 0)
	for _, c := range certificates(t, rootsPEM) {
		name, sum := c.Subject.CommonName, sha256.Sum256(c.Raw)
		if got := hex.EncodeToString(sum[:]); got != want[name] {
			t.Errorf("%s has the fingerprint %s, want %q", name, got, want[name])
		}
		delete(want, name)
		if !c.IsCA || c.CheckSignatureFrom(c) != nil {
			t.Errorf("%s is no root", name)
		}
		if c.NotAfter.Before(soon) {
			t.Errorf("%s ends %s, in less than two years: take those that follow it in", name, c.NotAfter.Format(time.DateOnly))
		}
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

// TestSystemTrustsAmazonRoots: the shorter list vouches for nobody whom the system would not trust.
func TestSystemTrustsAmazonRoots(t *testing.T) {
	if _, err := os.Stat(systemBundle); err != nil {
		t.Skip("this system has no bundle of certificates")
	}
	for _, c := range certificates(t, rootsPEM) {
		if _, err := c.Verify(x509.VerifyOptions{}); err != nil {
			t.Errorf("the system does not trust %s: %v", c.Subject.CommonName, err)
		}
	}
}

// authority signs the certificates of servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return authority{certificate: sign(t, template, template, key, key), key: key}
}

func sign(t *testing.T, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// server is a TLS server on loopback that counts how often someone connects, and what reaches its handler.
type server struct {
	*httptest.Server

	connections, requests atomic.Int64
}

// serve starts a server whose certificate is for that address and ends at that time.
func (a authority) serve(t *testing.T, address string, until time.Time) *server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, IPAddresses: []net.IP{net.ParseIP(address)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, key, a.key)
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.requests.Add(1) }))
	s.Config.ErrorLog = nil
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12,
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// clientOf trusts one authority first, and another after that. It keeps no connections.
func clientOf(t *testing.T, first, system authority) *http.Client {
	t.Helper()
	var plain net.Dialer
	dialer := newTLSDialer(plain.DialContext)
	dialer.roots, dialer.system = first.pool, system.pool
	return &http.Client{Transport: &http.Transport{DialTLSContext: dialer.dialTLS, DisableKeepAlives: true}}
}

func get(t *testing.T, client *http.Client, url string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// TestWhoVouchesForAServer: one of the first pool costs one connection, one that only the system trusts two, but only the first time.
// One that neither trusts, or whose certificate is not for this server or is over, gets no request.
func TestWhoVouchesForAServer(t *testing.T) {
	amazon, system, nobody := newAuthority(t, "amazon"), newAuthority(t, "system"), newAuthority(t, "nobody")
	const here, elsewhere = "127.0.0.1", "127.0.0.9"
	later, earlier := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		by          authority
		address     string
		until       time.Time
		connections int64
		answered    bool
	}{
		"Amazon's":                 {amazon, here, later, 3, true},
		"the system's":             {system, here, later, 4, true},
		"nobody's":                 {nobody, here, later, 6, false},
		"Amazon's of another host": {amazon, elsewhere, later, 6, false},
		"Amazon's that is over":    {amazon, here, earlier, 6, false},
		"the system's of another":  {system, elsewhere, later, 6, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := tt.by.serve(t, tt.address, tt.until), clientOf(t, amazon, system)
			for range 3 {
				err := get(t, client, s.URL)
				var unverified *tls.CertificateVerificationError
				if tt.answered != (err == nil) || !tt.answered && !errors.As(err, &unverified) {
					t.Errorf("error %v, answered %v is wanted", err, tt.answered)
				}
			}
			if got := s.connections.Load(); got != tt.connections {
				t.Errorf("%d connections for 3 requests, want %d", got, tt.connections)
			}
			if got := s.requests.Load(); (got == 3) != tt.answered || (got == 0) == tt.answered {
				t.Errorf("%d requests reached the server", got)
			}
		})
	}
}

// TestServerThatDoesNotShakeHands does not hold a call for longer than any other server may take to be connected to, and is
// tried once only.
func TestServerThatDoesNotShakeHands(t *testing.T) {
	var network net.ListenConfig
	listener, err := network.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nobody waits for it.
	var dials atomic.Int64
	dialer := newTLSDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		var plain net.Dialer
		return plain.DialContext(ctx, network, address)
	})
	began := time.Now()
	if _, err := dialer.dialTLS(t.Context(), "tcp", listener.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of a deadline", err)
	}
	if took := time.Since(began); took < connectTimeout || took > 5*connectTimeout || dials.Load() != 1 {
		t.Errorf("gave up after %v and %d connections", took, dials.Load())
	}
}

// TestDefaultDialer: the client that everybody gets has Amazon's pool first and the system's after it, and is of HTTP/1.1 as before.
func TestDefaultDialer(t *testing.T) {
	dialer := newTLSDialer(nil)
	if !dialer.roots().Equal(amazonRoots()) || dialer.system() != nil {
		t.Error("the pools are not Amazon's and the system's")
	}
	transport, ok := newHTTPClient().Transport.(*http.Transport)
	if !ok || transport.DialTLSContext == nil || transport.ForceAttemptHTTP2 {
		t.Errorf("transport %+v", transport)
	}
}

// systemBundle is where Debian and its kin keep the system's certificates, all in one file, as Amazon Linux does.
const systemBundle = "/etc/ssl/certs/ca-certificates.crt"

// BenchmarkRoots is what each pool costs the first TLS call of a process. (Go makes the system's once a process; here it is made
// each time, from the same file.)
func BenchmarkRoots(b *testing.B) {
	b.Run("amazon", func(b *testing.B) {
		for b.Loop() {
			amazonRoots()
		}
	})
	b.Run("system", func(b *testing.B) {
		if _, err := os.Stat(systemBundle); err != nil {
			b.Skip("this system has no bundle of certificates")
		}
		for b.Loop() {
			bundle, err := os.ReadFile(systemBundle)
			if err != nil {
				b.Fatal(err)
			}
			x509.NewCertPool().AppendCertsFromPEM(bundle)
		}
	})
}
