package twilio

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultBaseURL = "https://api.twilio.com"
	defaultTimeout = 8 * time.Second
)

// Config is what a Client needs. Its secrets must not be logged.
type Config struct {
	// AccountSid is the account that owns the senders: "AC" and 32 hexadecimal digits.
	AccountSid string
	// AuthToken is the account's, used if there is no API key.
	AuthToken string
	// APIKeySid ("SK…") and APIKeySecret are used instead of the Auth Token when they are set; both or neither.
	APIKeySid    string
	APIKeySecret string
	// Source has the credentials instead of the fields above, which are then empty. Nil means that they never change.
	Source CredentialsSource
	// BaseURL is where the API is, "https://api.twilio.com" if empty. It may have a path prefix. It may be http only on this
	// host.
	BaseURL string
	// Timeout bounds one HTTP exchange, its connection included; a context may end it earlier. 0 means 8 s.
	Timeout time.Duration
	// HTTPClient and Transport replace ours; one of them at most. Nil means a transport of the Client's own. Neither
	// may repeat a POST that was sent, and an HTTPClient's CheckRedirect is not used: redirects are never followed.
	HTTPClient *http.Client
	Transport  http.RoundTripper
}

// New returns a Client for the configuration, or an error that names everything that is wrong with it, by field and
// without its value.
func New(cfg Config) (*Client, error) {
	base, err := apiBase(cfg.BaseURL)
	if err := errors.Join(cfg.checkCredentials(), err, cfg.checkExchange()); err != nil {
		return nil, fmt.Errorf("twilio client: %w", err)
	}
	c := &Client{
		accountSid:  cfg.AccountSid,
		credentials: cfg.source(),
		base:        base,
		timeout:     cfg.Timeout,
		http:        cfg.httpClient(),
	}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	return c, nil
}

func (cfg Config) checkCredentials() error {
	var problems []error
	if !isSid(cfg.AccountSid, "AC") {
		problems = append(problems, errors.New("AccountSid is not AC and 32 hexadecimal digits"))
	}
	switch {
	case cfg.Source == nil:
		problems = append(problems, cfg.fixed().Check())
	case cfg.fixed() != Credentials{}:
		problems = append(problems, errors.New("both a Source and credentials are set"))
	}
	return errors.Join(problems...)
}

// fixed returns the credentials that are in the configuration itself.
func (cfg Config) fixed() Credentials {
	return Credentials{AuthToken: cfg.AuthToken, APIKeySid: cfg.APIKeySid, APIKeySecret: cfg.APIKeySecret}
}

func (cfg Config) source() CredentialsSource { //nolint:ireturn // there are two kinds.
	if cfg.Source == nil {
		return fixed(cfg.fixed())
	}
	return cfg.Source
}

func (cfg Config) checkExchange() error {
	var problems []error
	if cfg.Timeout < 0 {
		problems = append(problems, errors.New("the Timeout is negative"))
	}
	if cfg.HTTPClient != nil && cfg.Transport != nil {
		problems = append(problems, errors.New("both HTTPClient and Transport are set"))
	}
	return errors.Join(problems...)
}

// apiBase reads Config.BaseURL. Its error does not quote it.
func apiBase(text string) (*url.URL, error) {
	if text == "" {
		text = defaultBaseURL
	}
	base, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil {
		return nil, errors.New("BaseURL is no URL")
	}
	isHTTP := base.Scheme == "http" || base.Scheme == "https"
	if !isHTTP || base.Hostname() == "" || base.User != nil || strings.ContainsAny(text, "?#") {
		return nil, errors.New("BaseURL is not an http or https URL with a host and without user info, query and fragment")
	}
	if base.Scheme == "http" && !IsLoopback(base.Hostname()) {
		return nil, errors.New("BaseURL is http beyond this host: the credentials and what customers write would travel in the clear; use https")
	}
	return base, nil
}

// IsLoopback reports whether a host, a name or an address, is this one.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
