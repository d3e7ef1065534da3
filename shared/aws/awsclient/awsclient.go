// Package awsclient decides once how the relay talks to AWS: region, credentials, time limits, retries, and what kind of fault
// an answer is. Each door (shared/aws/sqs, shared/aws/dynamo, shared/aws/cloudwatch, shared/aws/secrets) makes its own
// service's client from the [aws.Config] made here, so that a binary links the services it uses and no others. It does not
// look anything up: no environment, no profile, no instance metadata.
package awsclient

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// The defaults of a Config bound a call that never gets an answer to three attempts of two seconds and the pauses
// between them, well within the 15 seconds after which Twilio gives a webhook up.
const (
	DefaultAttemptTimeout = 2 * time.Second
	defaultMaxAttempts    = 3
	maxBackoff            = 300 * time.Millisecond
)

// Config says how to reach AWS.
type Config struct {
	// Region is where the services are, such as "us-east-1".
	Region string
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials. SessionToken is empty for a user's own key.
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	// Endpoint replaces the services' own addresses, for an emulator; empty means AWS itself.
	Endpoint string
	// AttemptTimeout limits one attempt of a call, including its answer; 0 means DefaultAttemptTimeout.
	AttemptTimeout time.Duration
	// MaxAttempts is how often a call is tried in all; 0 means three times.
	MaxAttempts int
	// HTTPClient makes the requests; nil means one that keeps connections, follows no redirects and uses no proxy.
	HTTPClient aws.HTTPClient
}

// New returns the SDK's configuration for the services' clients. Clients made from one configuration share its
// connections.
func New(cfg Config) aws.Config {
	if cfg.AttemptTimeout == 0 {
		cfg.AttemptTimeout = DefaultAttemptTimeout
	}
	if cfg.MaxAttempts == 0 {
		cfg.MaxAttempts = defaultMaxAttempts
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = newHTTPClient()
	}
	out := aws.Config{
		Region:      cfg.Region,
		Credentials: cfg.credentials(),
		HTTPClient:  cfg.HTTPClient,
		Retryer:     cfg.retryer,
		APIOptions:  []func(*middleware.Stack) error{AttemptTimeout(cfg.AttemptTimeout)},
	}
	if cfg.Endpoint != "" {
		out.BaseEndpoint = aws.String(cfg.Endpoint)
	}
	return out
}

// credentials returns a provider of the credentials given, which do not change while the process lives.
func (cfg Config) credentials() aws.CredentialsProviderFunc {
	return func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     cfg.AccessKeyID,
			SecretAccessKey: cfg.SecretAccessKey,
			SessionToken:    cfg.SessionToken,
			Source:          "awsclient",
		}, nil
	}
}

// retryer returns the SDK's standard retries: timeouts, lost connections, throttling and the service's own failures,
// after short pauses.
func (cfg Config) retryer() aws.Retryer { //nolint:ireturn // aws.Config wants the interface
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = cfg.MaxAttempts
		o.MaxBackoff = maxBackoff
	})
}

// connectTimeout limits the time to connect, and then the time for the handshake.
const connectTimeout = time.Second

// newHTTPClient returns a client for a few hosts and many requests.
func newHTTPClient() *httpClient {
	const idleConnections, idle = 32, 50 * time.Second
	dialer := net.Dialer{Timeout: connectTimeout}
	ahead := newAheadDialer(newTLSDialer(dialer.DialContext).dialTLS)
	return &httpClient{ahead: ahead, Client: http.Client{
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			DialTLSContext:      ahead.dialTLS,
			MaxIdleConnsPerHost: idleConnections,
			IdleConnTimeout:     idle,
		},
		// A signed request is valid for one host only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}
