package relaytest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Pebble is a certificate authority on loopback, which takes every domain to be on this host. It is built from the module of
// testing/acme.
type Pebble struct {
	// Directory is the authority's directory URL, and Roots a PEM file with what signed its own https.
	Directory, Roots string

	t                *testing.T
	programs, folder string
	// front is where the authority is reached while it is not away, address its own; management and nameserver are those of the programs.
	front, address, management, nameserver string
	leave                                  func()
}

// BuildPebble builds the programs, and returns the folder that they are in.
func BuildPebble(t *testing.T, root string) string {
	t.Helper()
	folder := t.TempDir()
	const from = "github.com/letsencrypt/pebble/v2/cmd/"
	args := []string{"build", "-o", folder + string(filepath.Separator), from + "pebble", from + "pebble-challtestsrv"}
	command := exec.CommandContext(t.Context(), "go", args...) //nolint:gosec // The arguments are a test's own.
	command.Dir = filepath.Join(root, "testing", "acme")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build Pebble: %v\n%s", err, out)
	}
	return folder
}

// StartPebble starts an authority, of the programs in the folder, that asks at these addresses whose a domain is, and whose certificates
// hold for so long.
func StartPebble(t *testing.T, programs, httpAddress, httpsAddress string, validity time.Duration) *Pebble {
	t.Helper()
	p := &Pebble{
		t: t, programs: programs, folder: t.TempDir(), front: FreeAddress(t), address: FreeAddress(t), nameserver: FreeAddress(t),
		management: FreeAddress(t),
	}
	p.Directory, p.Roots = "https://"+p.front+"/dir", filepath.Join(p.folder, "https.pem")
	p.certifyItself()
	retryAfter := map[string]int{"authz": 1, "order": 1}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": p.address, "managementListenAddress": p.management,
		"httpPort": portOf(t, httpAddress), "tlsPort": portOf(t, httpsAddress),
		"certificate": p.Roots, "privateKey": filepath.Join(p.folder, "https.key"), "retryAfter": retryAfter, "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "default", "validityPeriod": int(validity.Seconds())}},
	}})
	if err == nil {
		err = os.WriteFile(filepath.Join(p.folder, "config.json"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.run(filepath.Join(programs, "pebble-challtestsrv"), "-dnsserver", p.nameserver, "-management", FreeAddress(t), "-http01", "",
		"-https01", "", "-tlsalpn01", "", "-doh", "", "-defaultIPv6", "")
	p.start()
	p.Return()
	return p
}

// start starts the authority itself.
func (p *Pebble) start() {
	p.t.Helper()
	p.run(filepath.Join(p.programs, "pebble"), "-config", filepath.Join(p.folder, "config.json"), "-dnsserver", p.nameserver)
	for range 100 {
		if _, err := p.get("https://" + p.management + "/roots/0"); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Fatal("the authority does not start")
}

// Return lets the authority be reached, again after Leave.
func (p *Pebble) Return() {
	p.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(p.t.Context(), "tcp", p.front)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	p.leave = func() {
		cancel()
		_ = l.Close()
	}
	p.t.Cleanup(p.leave)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go passOn(ctx, conn, p.address)
		}
	}()
}

// Leave lets nobody reach the authority: who tries is refused, and who is connected is cut off.
func (p *Pebble) Leave() { p.leave() }

// passOn copies both ways until the context ends.
func passOn(ctx context.Context, conn net.Conn, address string) {
	other, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		_ = conn.Close()
		return
	}
	closeBoth := func() {
		_ = conn.Close()
		_ = other.Close()
	}
	defer context.AfterFunc(ctx, closeBoth)()
	go func() {
		_, _ = io.Copy(other, conn)
		closeBoth()
	}()
	_, _ = io.Copy(conn, other)
	closeBoth()
}

// run starts a program, which ends with the test.
func (p *Pebble) run(program string, args ...string) {
	p.t.Helper()
	var said bytes.Buffer
	command := exec.CommandContext(p.t.Context(), program, args...) //nolint:gosec // BuildPebble built it.
	command.Stdout, command.Stderr = &said, &said
	command.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = command.Wait() // The test's context has ended, and killed it.
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", filepath.Base(program), said.String())
		}
	})
}

// Issuer is what the authority signs certificates with, at the moment.
func (p *Pebble) Issuer() *x509.CertPool {
	p.t.Helper()
	text, err := p.get("https://" + p.management + "/roots/0")
	if err != nil {
		p.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		p.t.Fatalf("the authority's root is no certificate: %s", text)
	}
	return pool
}

func (p *Pebble) get(url string) ([]byte, error) {
	own, err := os.ReadFile(p.Roots)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(own)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read.
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	return io.ReadAll(response.Body)
}

// certifyItself writes a key and a certificate for the authority's own https.
func (p *Pebble) certifyItself() {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the authority's own"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		p.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		p.Roots: {Type: "CERTIFICATE", Bytes: signed}, filepath.Join(p.folder, "https.key"): {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

// FreeAddress is an address of this host that nobody listens on at the moment.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was written.
	return l.Addr().String()
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return resolved.Port
}
