// Package certificates gets TLS certificates for the relay's own domains from a certificate authority (ACME, RFC 8555), keeps them in the
// data folder, and renews them while they are in use. certmagic does the work; here is how the relay uses it, and what it says of it.
package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
)

// Staging is the word for the directory of Let's Encrypt in which everybody may try things out: its certificates are trusted by nobody.
const Staging = "staging"

// Config says which certificates to get, and from whom.
type Config struct {
	// Domains are the names that the relay is reached by, one certificate each.
	Domains []string
	// Folder keeps keys, certificates and the account; only its owner may read it.
	Folder string
	// Directory is the authority's directory URL, or Staging; empty is Let's Encrypt's.
	Directory string
	// Roots is a PEM file with what signs the authority's own https, where the system does not know it; empty where it does.
	Roots string
	// Email is where the authority writes to, if it does; it may be empty.
	Email string
	// Profile is one of the authority's profiles, such as "shortlived"; empty is its default.
	Profile string
	// HTTPS and HTTP are the addresses that the relay listens on. The authority asks at port 443 and port 80 of the domain: whatever
	// stands in front has to pass these on. HTTP is empty where the relay does not listen for http: then only https shows whose the domain
	// is (tls-alpn-01), else http does, too (http-01).
	HTTPS, HTTP string
	// WithoutALPN leaves the proof to http.
	WithoutALPN bool
	// CheckInterval is how often to look whether a certificate is to be renewed; 0 is every ten minutes.
	CheckInterval time.Duration
	// Logger gets what happens.
	Logger *slog.Logger
}

// Keeper has the certificates of the domains.
type Keeper struct {
	config Config
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer

	mu sync.Mutex
	// failed is why a domain's certificate was not got the last time; without an entry it was.
	failed map[string]string
}

// New makes a Keeper, which does nothing before Start. Close it.
func New(config Config) (*Keeper, error) {
	k := &Keeper{config: config, failed: map[string]string{}}
	roots, err := readRoots(config.Roots)
	if err != nil {
		return nil, err
	}
	logger := bridge(config.Logger)
	k.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return k.magic, nil },
		RenewCheckInterval: config.CheckInterval, Logger: logger,
	})
	k.magic = certmagic.New(k.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: config.Folder}, DefaultServerName: config.Domains[0], OnEvent: k.learn, Logger: logger,
	})
	directory := config.Directory
	if directory == Staging {
		directory = certmagic.LetsEncryptStagingCA
	}
	k.issuer = certmagic.NewACMEIssuer(k.magic, certmagic.ACMEIssuer{
		CA: directory, Email: config.Email, Agreed: true, Profile: config.Profile, TrustedRoots: roots, Logger: logger,
		DisableHTTPChallenge: config.HTTP == "", DisableTLSALPNChallenge: config.WithoutALPN,
		AltHTTPPort: port(config.HTTP), AltTLSALPNPort: port(config.HTTPS),
	})
	k.magic.Issuers = []certmagic.Issuer{k.issuer}
	return k, nil
}

// readRoots reads a PEM file; without a path there is none to read.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // none is what the system knows.
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file.
	if err != nil {
		return nil, fmt.Errorf("read the authority's roots: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the authority's roots: %s has no certificate in PEM", path)
	}
	return roots, nil
}

// port returns an address' port, 0 if it has none.
func port(address string) int {
	_, digits, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(digits) // 0 is certmagic's own.
	return n
}

// Start takes the certificates that the folder has, and gets the others in the background, again and again until it has them: the relay
// does not wait. The front door has to be open, for the authority asks there.
func (k *Keeper) Start(ctx context.Context) error {
	if err := k.magic.ManageAsync(ctx, k.config.Domains); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	return nil
}

// Close ends what is under way.
func (k *Keeper) Close() error {
	k.cache.Stop()
	return nil
}

// TLS is how the front door speaks TLS. It offers HTTP/1.1 alone: the bound on connections is the bound on requests.
func (k *Keeper) TLS() *tls.Config {
	config := k.magic.TLSConfig()
	config.NextProtos = []string{"http/1.1", acmez.ACMETLS1Protocol}
	return config
}

// HTTP answers what comes without TLS: the authority's questions; people are sent to https; a webhook is refused, for what it says was
// readable on its way.
func (k *Keeper) HTTP() http.Handler {
	return k.issuer.HTTPChallengeHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This relay speaks https.", http.StatusForbidden)
			return
		}
		to := "https://" + k.domain(r.Host) + r.URL.RequestURI()
		http.Redirect(w, r, to, http.StatusPermanentRedirect) //nolint:gosec // only to a domain of the relay's own.
	}))
}

// domain is the one that was asked for, if it is the relay's, else its first.
func (k *Keeper) domain(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host = strings.ToLower(host); slices.Contains(k.config.Domains, host) {
		return host
	}
	return k.config.Domains[0]
}

// learn hears from certmagic how it went.
func (k *Keeper) learn(_ context.Context, event string, data map[string]any) error {
	domain, _ := data["identifier"].(string)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch event {
	case "cert_failed":
		err, _ := data["error"].(error)
		k.failed[domain] = reason(err)
	case "cert_obtained":
		delete(k.failed, domain)
	}
	return nil
}

// reason is an error in few words.
func reason(err error) string {
	if err == nil {
		return "no reason was given"
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	const most = 300
	return text[:min(len(text), most)]
}

// State is how it stands with one domain's certificate.
type State struct {
	Domain string
	// Until is when the certificate that is in use ends; zero if there is none.
	Until time.Time
	// Failed is why the last attempt to get another failed; empty if it did not.
	Failed string
}

// States are those of the domains, in their order.
func (k *Keeper) States() []State {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []State
	for _, domain := range k.config.Domains {
		s := State{Domain: domain, Failed: k.failed[domain]}
		for _, c := range k.cache.AllMatchingCertificates(domain) {
			if c.Leaf != nil && c.Leaf.NotAfter.After(s.Until) {
				s.Until = c.Leaf.NotAfter
			}
		}
		all = append(all, s)
	}
	return all
}

// Problem says what is wrong with a certificate at a time, empty if nothing is: there is none, it has ended, or it was not renewed though
// less than a week of it is left.
func (s State) Problem(now time.Time) string {
	const soon = 7 * 24 * time.Hour
	because := ""
	if s.Failed != "" {
		because = ": " + s.Failed
	}
	switch {
	case s.Until.IsZero() && s.Failed == "":
		return ""
	case s.Until.IsZero():
		return fmt.Sprintf("there is no certificate for %s yet, and Twilio cannot reach the relay%s", s.Domain, because)
	case !s.Until.After(now):
		return fmt.Sprintf("the certificate of %s has ended, and Twilio cannot reach the relay%s", s.Domain, because)
	case s.Failed != "" && s.Until.Sub(now) < soon:
		return fmt.Sprintf("the certificate of %s ends on %s and was not renewed%s", s.Domain, s.Until.UTC().Format(time.DateTime), because)
	default:
		return ""
	}
}
