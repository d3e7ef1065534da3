package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/pace"
)

// Setting is one setting of the relay: an environment variable, and on the command line a flag of the same name.
type Setting struct {
	// Env is the variable's name.
	Env string
	// Fallback is the value if it is not set.
	Fallback string
	// Help says what it is for.
	Help string
	// Secret values are better kept off the command line, where other users of the host can read them.
	Secret bool
}

// Named returns those settings of all that have one of the names.
func Named(all []Setting, names ...string) []Setting {
	return slices.DeleteFunc(all, func(s Setting) bool { return !slices.Contains(names, s.Env) })
}

// The settings' names.
const (
	EnvAccountSid     = "TWILIO_ACCOUNT_SID"
	EnvAuthToken      = "TWILIO_AUTH_TOKEN"     //nolint:gosec // a variable's name, not a credential.
	EnvAPIKeySid      = "TWILIO_API_KEY_SID"    //nolint:gosec // a variable's name, not a credential.
	EnvAPIKeySecret   = "TWILIO_API_KEY_SECRET" //nolint:gosec // a variable's name, not a credential.
	EnvTwilioBaseURL  = "TWILIO_API_BASE_URL"
	EnvPublicBaseURL  = "PUBLIC_BASE_URL"
	EnvOperatorToken  = "RELAY_OPERATOR_TOKEN"
	EnvListen         = "RELAY_LISTEN"
	EnvDomain         = "RELAY_DOMAIN"
	EnvListenHTTP     = "RELAY_LISTEN_HTTP"
	EnvACMEDirectory  = "RELAY_ACME_DIRECTORY"
	EnvACMERoots      = "RELAY_ACME_ROOTS"
	EnvACMEEmail      = "RELAY_ACME_EMAIL"
	EnvACMEProfile    = "RELAY_ACME_PROFILE"
	EnvData           = "RELAY_DATA"
	EnvRoutes         = "RELAY_ROUTES"
	EnvAllowedOrigins = "RELAY_ALLOWED_ORIGINS"
	EnvRetryBase      = "RELAY_RETRY_BASE"
	EnvMaxAttempts    = "RELAY_MAX_ATTEMPTS"
	EnvSendTimeout    = "RELAY_SEND_TIMEOUT"
	EnvPacePair       = "RELAY_PACE_PAIR"
	EnvPaceNumber     = "RELAY_PACE_NUMBER"
	EnvLooks          = "RELAY_RECONCILE_LOOKS"
	EnvLookInterval   = "RELAY_RECONCILE_INTERVAL"
	EnvRetention      = "RELAY_RETENTION"
	EnvMediaRetention = "RELAY_MEDIA_RETENTION"
	EnvMediaBucket    = "RELAY_MEDIA_BUCKET"
	EnvAuditRetention = "RELAY_AUDIT_RETENTION"
	EnvDiskQuota      = "RELAY_DISK_QUOTA"
	EnvBackup         = "RELAY_BACKUP"
	EnvBackupEvery    = "RELAY_BACKUP_EVERY"
	EnvBackupKeep     = "RELAY_BACKUP_KEEP"
	EnvReplicate      = "RELAY_REPLICATE"
	EnvLogFormat      = "RELAY_LOG_FORMAT"
	EnvNotify         = "RELAY_NOTIFY"
	EnvNotifyShow     = "RELAY_NOTIFY_SHOW"
)

// defaultListen is where the relay listens for a proxy on this host.
const defaultListen = "127.0.0.1:8080"

// ServeSettings lists every setting, in the order in which help shows them.
func ServeSettings() []Setting {
	return slices.Concat(relaySettings(), retentionSettings(), []Setting{
		{
			Env: EnvLogFormat, Fallback: "auto",
			Help: "text, json, or auto: text on a terminal, the fields of the journal under systemd, and JSON elsewhere",
		},
	}, backupSettings(), notifySettings())
}

// relaySettings are those of what the relay does with texts, and where.
func relaySettings() []Setting {
	return []Setting{
		{Env: EnvAccountSid, Help: "Twilio account, AC and 32 hexadecimal digits"},
		{Env: EnvAuthToken, Help: "Auth Token; while you replace it, several separated by commas, newest first", Secret: true},
		{Env: EnvAPIKeySid, Help: "API key, to send with instead of the Auth Token"},
		{Env: EnvAPIKeySecret, Help: "the secret of that API key", Secret: true},
		{Env: EnvTwilioBaseURL, Help: "address of Twilio's API, for trials with relay fake-twilio (default: Twilio's own)"},
		{Env: EnvPublicBaseURL, Help: "the URL of this relay that you gave Twilio, without /sms/…; several separated by commas (default: the " +
			"listen address, if only this host can reach it)"},
		{Env: EnvOperatorToken, Help: "bearer token for POST /sms/relay, POST /sms/reply, GET /sms/status, GET /sms/status/text, " +
			"GET /sms/search, /sms/contacts, /sms/blocks and /sms/conversations, 16 characters or more unless only this host can reach them; " +
			"without a token they are closed", Secret: true},
		{Env: EnvDomain, Help: "the relay's own domain, such as relay.example.com; several separated by commas. Then it speaks https, on port " +
			"443 of all addresses unless you set the listen address, with a certificate that it gets by itself (you agree to the terms of " +
			"the authority)"},
		{Env: EnvListen, Fallback: defaultListen, Help: "address to listen on"},
		{Env: EnvListenHTTP, Fallback: ":80", Help: "with a domain: address for http, where the authority asks whose the domain is, and people " +
			"are sent to https; off leaves the asking to https"},
		{Env: EnvACMEDirectory, Help: "with a domain: directory URL of the certificate authority, or staging for Let's Encrypt's trial " +
			"(default: Let's Encrypt)"},
		{Env: EnvACMERoots, Help: "with a domain: PEM file of what signs the authority's own https, if this host does not trust it"},
		{Env: EnvACMEEmail, Help: "with a domain: where the authority writes to, if it does"},
		{Env: EnvACMEProfile, Help: "with a domain: one of the authority's profiles, such as shortlived"},
		{Env: EnvData, Fallback: "./relay-data", Help: "folder of the database and the audit log"},
		{Env: EnvRoutes, Help: "a maintenance.json whose routes are written at the start; later changes are kept"},
		{Env: EnvAllowedOrigins, Help: "web origins that browsers may call from, separated by commas"},
		{
			Env: EnvRetryBase, Fallback: duration.Text(delivery.DefaultRetryBase),
			Help: "pause after the first failed attempt; each further pause is twice as long",
		},
		{Env: EnvMaxAttempts, Fallback: strconv.Itoa(delivery.DefaultMaxAttempts), Help: "attempts before a text goes to the dead-letter queue"},
		{Env: EnvSendTimeout, Fallback: duration.Text(delivery.DefaultSendTimeout), Help: fmt.Sprintf(
			"how long to wait for Twilio's answer, %s to %s", duration.Text(delivery.MinSendTimeout), duration.Text(delivery.MaxSendTimeout),
		)},
		{
			Env: EnvPacePair, Fallback: pace.DefaultPair,
			Help: "at most this many messages from one Twilio number to one phone, such as 10/30s, or off",
		},
		{
			Env: EnvPaceNumber, Fallback: pace.DefaultNumber,
			Help: "at most this many segments from one Twilio number, such as 1/1s, or off; a route's PaceNumber overrides it",
		},
		{Env: EnvLooks, Fallback: strconv.Itoa(delivery.DefaultReconcileLooks), Help: fmt.Sprintf(
			"how many more times to search Twilio's list for a message when Twilio did not answer, %d to %d",
			delivery.MinReconcileLooks, delivery.MaxReconcileLooks,
		)},
		{Env: EnvLookInterval, Fallback: duration.Text(delivery.DefaultReconcileInterval), Help: fmt.Sprintf(
			"time between those searches, %s to %s", duration.Text(delivery.MinReconcileInterval), duration.Text(delivery.MaxReconcileInterval),
		)},
	}
}

// retentionSettings are those of how long things are kept. How many backups are kept is one of the backups' own.
func retentionSettings() []Setting {
	return []Setting{
		{Env: EnvRetention, Fallback: duration.Text(ledger.DefaultRetention), Help: fmt.Sprintf(
			"how long the ledger keeps a text, %s to %s", duration.Text(ledger.MinRetention), duration.Text(ledger.MaxRetention),
		)},
		{Env: EnvMediaRetention, Fallback: duration.Text(media.KeptFor), Help: fmt.Sprintf(
			"how long a copy of an attachment is kept, %s to %s", duration.Text(media.MinKept), duration.Text(media.MaxKept),
		)},
		{Env: EnvAuditRetention, Help: fmt.Sprintf(
			"how long the audit log keeps an entry, %s to %s (default: as long as the ledger keeps a text)",
			duration.Text(ledger.MinRetention), duration.Text(ledger.MaxRetention),
		)},
		{Env: EnvDiskQuota, Help: "how large the data folder may become, such as 20GB, 100MB or more: people are told at four fifths of it, " +
			"and nothing is refused (default: no limit)"},
	}
}

// notifySettings are those of what people are told.
func notifySettings() []Setting {
	return []Setting{
		{
			Env: EnvNotify, Secret: true, Help: "URLs where the relay tells people what needs them, separated by spaces: ntfy://, slack://, " +
				"generic://, smtp://; relay notify test tries them",
		},
		{
			Env: EnvNotifyShow, Fallback: "masked",
			Help: "what it shows there of texts: masked numbers, numbers (in full), or words (what customers wrote, too)",
		},
	}
}

// backupSettings are those of the backups.
func backupSettings() []Setting {
	return []Setting{
		{Env: EnvBackup, Help: "where relay serve puts backups while it runs: a folder, or s3://bucket/prefix, with the access of the AWS " +
			"command line (default: it makes none)"},
		{Env: EnvBackupEvery, Fallback: "1h", Help: "time between two backups, 1m or more"},
		{Env: EnvBackupKeep, Fallback: "24,7d", Help: "which backups stay: how many of the newest, and for how many days one each"},
		{Env: EnvReplicate, Help: "where relay serve keeps a replica of the data folder, which is a second behind: a folder, or " +
			"s3://bucket/prefix, with the access of the AWS command line; Linux only (default: it keeps none)"},
	}
}

// Flag returns the setting's flag: TWILIO_ACCOUNT_SID is --twilio-account-sid, RELAY_LISTEN is --listen.
func (s Setting) Flag() string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s.Env, "RELAY_"), "_", "-"))
}

// usage returns the flag's help.
func (s Setting) usage() string {
	text := s.Help + " [" + s.Env
	if s.Secret {
		text += ", safer there than on the command line"
	}
	return text + "]"
}

// AddFlags makes a flag of each of the given settings.
func AddFlags(flags *pflag.FlagSet, given []Setting) {
	for _, s := range given {
		if s.Env == EnvAWS {
			flags.Bool(s.Flag(), false, s.usage())
			continue
		}
		flags.String(s.Flag(), s.Fallback, s.usage())
	}
}

// LookupOf finds one of the given settings in the same way.
func LookupOf(known []Setting, flags *pflag.FlagSet, environment func(string) (string, bool)) func(string) (string, bool) {
	byEnv := map[string]Setting{}
	for _, s := range known {
		byEnv[s.Env] = s
	}
	return func(name string) (string, bool) {
		s, known := byEnv[name]
		if !known {
			return "", false
		}
		value := s.Fallback
		if given, ok := environment(name); ok && given != "" {
			value = given
		}
		if f := flags.Lookup(s.Flag()); f != nil && f.Changed {
			value = f.Value.String()
		}
		return value, value != ""
	}
}
