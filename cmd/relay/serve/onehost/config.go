// Package onehost builds the relay on one host: the same functions as on AWS, over SQLite, a JSON lines file and net/http. It is a
// composition root and decides nothing about texts.
package onehost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/onehost/certificates"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// Config is what a Relay is made of.
type Config struct {
	// Listen is the address of the front door, "127.0.0.1:8080"; with port 0 it uses a free port.
	Listen string
	// Certificates says by which domains Twilio reaches the relay without a proxy, and who certifies them: then the front door speaks TLS,
	// with certificates that are kept in the data folder. Without domains it does not.
	Certificates certificates.Config
	// Data is the folder of the database and of the audit log. It is made if it does not exist.
	Data string
	// Routes are written into the routing table at the start; later changes are kept.
	Routes []route.Route
	// AccountSid and AuthTokens (newest first) are Twilio's; the tokens check webhooks, and the first sends unless an
	// API key is set.
	AccountSid   string
	AuthTokens   []string
	APIKeySid    string
	APIKeySecret string
	// TwilioBaseURL is where Twilio's API is; empty means Twilio.
	TwilioBaseURL string
	// PublicBaseURLs are the URLs of this relay that Twilio was given; the first goes into StatusCallbacks. Empty means the front
	// door's own address, for trials.
	PublicBaseURLs []string
	// OperatorToken opens the operator routes; while it is empty they are closed. If others can reach the front door, it must have
	// at least minToken characters.
	OperatorToken string
	// AllowedOrigins are the origins that browsers may call from.
	AllowedOrigins []string
	// RetryBase, MaxAttempts and SendTimeout bound the attempts.
	RetryBase   time.Duration
	MaxAttempts int
	SendTimeout time.Duration
	// PacePair and PaceNumber are the pace limits; the zero value means no limit.
	PacePair   pace.Limit
	PaceNumber pace.Limit
	// ReconcileLooks and ReconcileInterval say how often, and with what pause, Twilio's list is searched again for a message whose
	// POST was not answered.
	ReconcileLooks    int
	ReconcileInterval time.Duration
	// Retention is how long the ledger keeps a text.
	Retention time.Duration
	// AuditRetention is how long the audit log keeps an entry, MediaRetention how long a copy of an attachment is kept. 0 means Retention, and
	// media.KeptFor.
	AuditRetention time.Duration
	MediaRetention time.Duration
	// DiskQuota is how large the data folder may become before people are told.
	DiskQuota datafolder.Quota
	// Backup says which backups the relay makes while it runs.
	Backup BackupConfig
	// Replica says where the relay keeps a replica of its folder while it runs.
	Replica ReplicaConfig
	// Notify are the places where the relay tells people what needs them, NotifyShow is what it shows there of texts; empty is ShowMasked.
	Notify     []notify.Target
	NotifyShow Show
	// Logger gets the relay's log.
	// Examine examines the relay for the console, as relay doctor does; with nil, the console does not show how the relay is.
	Examine func(ctx context.Context, opened *target.Target) ([]checkup.Finding, error)
	Logger  *slog.Logger
}

// auditRetention is how long the audit log keeps an entry.
func (c Config) auditRetention() time.Duration { return cmp.Or(c.AuditRetention, c.Retention) }

// Validate returns all problems of the configuration, or nil.
func (c Config) Validate() error {
	var problems []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	host, _, err := net.SplitHostPort(c.Listen)
	need(err == nil, "RELAY_LISTEN is not an address such as 127.0.0.1:8080")
	need(c.AccountSid != "", "TWILIO_ACCOUNT_SID is not set: it begins with AC and is on the first page of Twilio's console")
	need(c.AccountSid == "" || isAccountSid(c.AccountSid),
		"TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits, as on the first page of Twilio's console")
	for _, base := range c.PublicBaseURLs {
		before, _, found := strings.Cut(base, "/sms/")
		need(!found, "leave the path out of PUBLIC_BASE_URL: it must be %s", before)
	}
	need(len(c.AuthTokens) > 0, "TWILIO_AUTH_TOKEN is not set: without it the relay cannot tell a webhook from a forgery")
	need(!c.isReachable(host) || !slices.ContainsFunc(c.AuthTokens, isNotToken),
		"TWILIO_AUTH_TOKEN must be 32 hexadecimal digits, as on the first page of Twilio's console. Others can reach this relay, and may "+
			"know any other token")
	need(isSafeBase(c.TwilioBaseURL),
		"TWILIO_API_BASE_URL leaves this host with http: the Auth Token and customers' texts would be readable on the way; use https")
	need((c.APIKeySid == "") == (c.APIKeySecret == ""), "TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET belong together")
	need(err != nil || len(c.PublicBaseURLs) > 0 || twilio.IsLoopback(host),
		"PUBLIC_BASE_URL is not set: Twilio signs the URL that you gave it, such as https://relay.example.com")
	need(isVisible(c.OperatorToken), "RELAY_OPERATOR_TOKEN has a space or another character that an HTTP header cannot have")
	need(c.OperatorToken == "" || len(c.OperatorToken) >= minToken || !c.isReachable(host),
		"RELAY_OPERATOR_TOKEN has fewer than %d characters, and others can reach this relay and guess it: make one with openssl rand -hex 16",
		minToken)
	return errors.Join(problems...)
}

// minToken is the least length of an operator token that others could try to guess.
const minToken = 16

// isReachable reports whether others than this host can reach the front door: it listens for them, or a proxy passes on the requests
// to a public URL.
func (c Config) isReachable(host string) bool {
	return !twilio.IsLoopback(host) || slices.ContainsFunc(c.PublicBaseURLs, func(base string) bool {
		parsed, err := url.Parse(base)
		return err != nil || !twilio.IsLoopback(parsed.Hostname())
	})
}

// isNotToken reports whether a text cannot be an Auth Token of Twilio.
func isNotToken(text string) bool {
	return len(text) != 32 || strings.Trim(text, "0123456789abcdefABCDEF") != ""
}

// isSafeBase reports whether credentials may go to a base URL. Other checks refuse what is not a URL.
func isSafeBase(base string) bool {
	parsed, err := url.Parse(base)
	return err != nil || parsed.Scheme != "http" || twilio.IsLoopback(parsed.Hostname())
}

func isVisible(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func isAccountSid(text string) bool {
	digits, found := strings.CutPrefix(text, "AC")
	return found && len(digits) == 32 && strings.Trim(digits, "0123456789abcdef") == ""
}
