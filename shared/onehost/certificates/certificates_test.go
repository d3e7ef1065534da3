package certificates_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	root = "../../.."
	// domain is one that nobody can have.
	domain = "relay.test"

	patience = 20 * time.Second
)

// host has the addresses of a relay, and the authority that asks there. A Keeper may come and go.
type host struct {
	t             *testing.T
	secure, plain net.Listener
	pebble        *relaytest.Pebble
	folder        string
	// domain is the host's alone: certmagic knows what is under way by the domain, in the whole process.
	domain string
}

func newHost(t *testing.T, programs string, validity time.Duration) *host {
	t.Helper()
	h := &host{t: t, folder: filepath.Join(t.TempDir(), "certificates"), domain: strings.ToLower(rand.Text()) + ".test"}
	for _, l := range []*net.Listener{&h.secure, &h.plain} {
		var err error
		if *l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*l).Close() })
	}
	h.pebble = relaytest.StartPebble(t, programs, h.plain.Addr().String(), h.secure.Addr().String(), validity)
	return h
}

// config is that of a Keeper with both challenges.
func (h *host) config() certificates.Config {
	return certificates.Config{
		Domains: []string{h.domain}, Folder: h.folder, Directory: h.pebble.Directory, Roots: h.pebble.Roots, Email: "owner@relay.test",
		HTTPS: h.secure.Addr().String(), HTTP: h.plain.Addr().String(), CheckInterval: time.Second, Logger: slog.New(slog.DiscardHandler),
	}
}

// serve lets a Keeper work, and serves with it until stop is called or the test ends.
func (h *host) serve(config certificates.Config) (k *certificates.Keeper, stop func()) {
	h.t.Helper()
	k, err := certificates.New(config)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	secure := &http.Server{Handler: hello, TLSConfig: k.TLS(), ReadHeaderTimeout: time.Second, ErrorLog: quiet}
	plain := &http.Server{Handler: k.HTTP(), ReadHeaderTimeout: time.Second, ErrorLog: quiet}
	for _, l := range []net.Listener{h.secure, h.plain} {
		if err := deadline(l, time.Time{}); err != nil {
			h.t.Fatal(err)
		}
	}
	go func() { _ = secure.ServeTLS(unclosed{h.secure}, "", "") }()
	go func() { _ = plain.Serve(unclosed{h.plain}) }()
	if err := k.Start(ctx); err != nil {
		h.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(secure.Close(), plain.Close(), k.Close()); err != nil {
			h.t.Error(err)
		}
	}
	h.t.Cleanup(stop)
	return k, stop
}

// unclosed is a listener that another server takes over.
type unclosed struct{ net.Listener }

// Close leaves it open; it ends what waits in Accept.
func (u unclosed) Close() error {
	return deadline(u.Listener, time.Now())
}

func deadline(l net.Listener, at time.Time) error {
	tcp, _ := l.(*net.TCPListener) // newHost makes no others.
	return tcp.SetDeadline(at)
}

// shown is the certificate that a client of the domain is shown, if the authority signed it.
func (h *host) shown() (*x509.Certificate, error) {
	dialer := tls.Dialer{Config: &tls.Config{ServerName: h.domain, RootCAs: h.pebble.Issuer(), MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(h.t.Context(), "tcp", h.secure.Addr().String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()             //nolint:errcheck // nothing was written.
	secured, _ := conn.(*tls.Conn) // The dialer makes no others.
	return secured.ConnectionState().PeerCertificates[0], nil
}

// until waits for what is to become true.
func until(t *testing.T, what string, limit time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, limit)
}

// hasOne waits for the first certificate.
func hasOne(t *testing.T, k *certificates.Keeper) certificates.State {
	t.Helper()
	until(t, "a certificate", patience, func() bool { return !k.States()[0].Until.IsZero() })
	return k.States()[0]
}

// TestWithAnAuthority gets certificates from Pebble.
func TestWithAnAuthority(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an authority, and waits for more than a minute")
	}
	t.Parallel()
	programs := relaytest.BuildPebble(t, root)
	for name, change := range map[string]func(*certificates.Config){
		"by http alone": func(c *certificates.Config) { c.WithoutALPN = true },
		"by ALPN alone": func(c *certificates.Config) { c.HTTP = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, programs, 24*time.Hour)
			config := h.config()
			change(&config)
			k, _ := h.serve(config)
			hasOne(t, k)
			if c, err := h.shown(); err != nil || c.VerifyHostname(h.domain) != nil {
				t.Errorf("a client is shown %v, %v", c, err)
			}
			h.keepsItsKeys()
		})
	}
	for name, play := range map[string]func(t *testing.T, programs string){
		"after a restart, without the authority": restarted, "renewed": renewed, "while the authority is away": away,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, programs)
		})
	}
}

// restarted serves on with the certificate of before.
func restarted(t *testing.T, programs string) {
	t.Helper()
	h := newHost(t, programs, 24*time.Hour)
	k, stop := h.serve(h.config())
	hasOne(t, k)
	before, err := h.shown()
	if err != nil {
		t.Fatal(err)
	}
	stop()
	h.pebble.Leave()
	k, _ = h.serve(h.config())
	if s := hasOne(t, k); !s.Until.Equal(before.NotAfter) || s.Failed != "" {
		t.Errorf("after the restart: %+v, want the certificate until %v", s, before.NotAfter)
	}
	if c, err := h.shown(); err != nil || !c.Equal(before) {
		t.Errorf("after the restart a client is shown %v, %v", c, err)
	}
}

// renewed has another certificate before the first ends.
func renewed(t *testing.T, programs string) {
	t.Helper()
	h := newHost(t, programs, 15*time.Second)
	k, _ := h.serve(h.config())
	first := hasOne(t, k).Until
	until(t, "another certificate before the first ends", time.Until(first), func() bool { return k.States()[0].Until.After(first) })
	if c, err := h.shown(); err != nil || !c.NotAfter.After(first) {
		t.Errorf("a client is shown %v, %v", c, err)
	}
}

// away says that a renewal failed, and gets the certificate when the authority is back.
func away(t *testing.T, programs string) {
	t.Helper()
	h := newHost(t, programs, 30*time.Second)
	k, _ := h.serve(h.config())
	first := hasOne(t, k)
	h.pebble.Leave()
	until(t, "a renewal that fails", time.Until(first.Until), func() bool { return k.States()[0].Failed != "" })
	s := k.States()[0]
	if problem := s.Problem(time.Now()); !strings.Contains(problem, h.domain) || !strings.Contains(problem, "was not renewed") {
		t.Errorf("the problem is %q", problem)
	}
	h.pebble.Return()
	until(t, "a certificate of the authority that is back", 3*time.Minute, func() bool { return k.States()[0].Until.After(s.Until) })
	if s = k.States()[0]; s.Failed != "" || s.Problem(time.Now()) != "" {
		t.Errorf("when the authority is back: %+v", s)
	}
	if _, err := h.shown(); err != nil {
		t.Error(err)
	}
}

// keepsItsKeys wants nothing in the folder that others may read.
func (h *host) keepsItsKeys() {
	h.t.Helper()
	err := filepath.WalkDir(h.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			h.t.Errorf("others may read %s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
}

// TestWithoutTLS asks what a Keeper answers without TLS.
func TestWithoutTLS(t *testing.T) {
	t.Parallel()
	k, err := certificates.New(certificates.Config{
		Domains: []string{domain, "other.test"}, Folder: t.TempDir(), HTTP: "127.0.0.1:80", HTTPS: "127.0.0.1:443",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close() //nolint:errcheck // it has nothing under way.
	for _, tt := range []struct {
		method, host, target string
		status               int
		location             string
	}{
		{http.MethodGet, domain, "/sms/health?x=1", http.StatusPermanentRedirect, "https://relay.test/sms/health?x=1"},
		{http.MethodGet, "OTHER.test:80", "/", http.StatusPermanentRedirect, "https://other.test/"},
		{http.MethodHead, "elsewhere.test", "/", http.StatusPermanentRedirect, "https://relay.test/"},
		{http.MethodGet, domain, "//elsewhere.test/", http.StatusPermanentRedirect, "https://relay.test//elsewhere.test/"},
		{http.MethodPost, domain, "/sms/inbound", http.StatusForbidden, ""},
		{
			http.MethodGet, domain, "/.well-known/acme-challenge/nobody-asked-for-this", http.StatusPermanentRedirect,
			"https://relay.test/.well-known/acme-challenge/nobody-asked-for-this",
		},
	} {
		request := httptest.NewRequestWithContext(t.Context(), tt.method, tt.target, http.NoBody)
		request.Host = tt.host
		answer := httptest.NewRecorder()
		k.HTTP().ServeHTTP(answer, request)
		if answer.Code != tt.status || answer.Header().Get("Location") != tt.location {
			t.Errorf("%s %s of %s: %d, %q; want %d, %q", tt.method, tt.target, tt.host, answer.Code, answer.Header().Get("Location"), tt.status,
				tt.location)
		}
	}
}

// TestProblem says what is wrong, in words for people.
func TestProblem(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		state certificates.State
		want  string
	}{
		"none is there yet": {certificates.State{Domain: domain}, ""},
		"none was got": {
			certificates.State{Domain: domain, Failed: "no answer"},
			"there is no certificate for relay.test yet, and Twilio cannot reach the relay: no answer",
		},
		"all is well":           {certificates.State{Domain: domain, Until: now.Add(time.Hour)}, ""},
		"not renewed, for long": {certificates.State{Domain: domain, Until: now.Add(8 * 24 * time.Hour), Failed: "no answer"}, ""},
		"not renewed, for an hour": {
			certificates.State{Domain: domain, Until: now.Add(time.Hour), Failed: "no answer"},
			"the certificate of relay.test ends on 2026-11-29 13:00:00 and was not renewed: no answer",
		},
		"ended": {
			certificates.State{Domain: domain, Until: now, Failed: "no answer"},
			"the certificate of relay.test has ended, and Twilio cannot reach the relay: no answer",
		},
	} {
		if got := tt.state.Problem(now); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestRootsThatCannotBeRead refuses to start with them.
func TestRootsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".not"} {
		if _, err := certificates.New(certificates.Config{Domains: []string{domain}, Folder: t.TempDir(), Roots: path}); err == nil {
			t.Errorf("%s is taken for roots", path)
		}
	}
}
