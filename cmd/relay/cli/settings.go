package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
)

// setting is one setting of the relay: an environment variable, and on the command line a flag of the same name.
type setting struct {
	// env is the variable's name.
	env string
	// fallback is the value if it is not set.
	fallback string
	// help says what it is for.
	help string
	// secret values are better kept off the command line, where other users of the host can read them.
	secret bool
}

// The settings' names.
const (
	envAccountSid     = "TWILIO_ACCOUNT_SID"
	envAuthToken      = "TWILIO_AUTH_TOKEN"     //nolint:gosec // a variable's name, not a credential.
	envAPIKeySid      = "TWILIO_API_KEY_SID"    //nolint:gosec // a variable's name, not a credential.
	envAPIKeySecret   = "TWILIO_API_KEY_SECRET" //nolint:gosec // a variable's name, not a credential.
	envTwilioBaseURL  = "TWILIO_API_BASE_URL"
	envPublicBaseURL  = "PUBLIC_BASE_URL"
	envOperatorToken  = "RELAY_OPERATOR_TOKEN"
	envListen         = "RELAY_LISTEN"
	envData           = "RELAY_DATA"
	envRoutes         = "RELAY_ROUTES"
	envAllowedOrigins = "RELAY_ALLOWED_ORIGINS"
	envRetryBase      = "RELAY_RETRY_BASE"
	envMaxAttempts    = "RELAY_MAX_ATTEMPTS"
	envSendTimeout    = "RELAY_SEND_TIMEOUT"
	envPacePair       = "RELAY_PACE_PAIR"
	envPaceNumber     = "RELAY_PACE_NUMBER"
	envLooks          = "RELAY_RECONCILE_LOOKS"
	envLookInterval   = "RELAY_RECONCILE_INTERVAL"
	envRetention      = "RELAY_RETENTION"
	envLogFormat      = "RELAY_LOG_FORMAT"
)

// settings lists every setting, in the order in which help shows them.
func settings() []setting {
	return []setting{
		{env: envAccountSid, help: "Twilio account, AC and 32 hexadecimal digits"},
		{env: envAuthToken, help: "Auth Token, or several separated by commas, newest first, while one is rotated", secret: true},
		{env: envAPIKeySid, help: "API key to send with instead of the Auth Token"},
		{env: envAPIKeySecret, help: "that key's secret", secret: true},
		{env: envTwilioBaseURL, help: "where Twilio's API is, for trials against relay fake-twilio (default Twilio's own)"},
		{env: envPublicBaseURL, help: "the URL Twilio was given for this relay, without /sms/…; or several separated by commas (default the address it listens on, if that is this host only)"},
		{env: envOperatorToken, help: "bearer token of POST /sms/relay, GET /sms/status and GET /sms/status/text, 16 characters or more unless only this host reaches them; while it is not set, they are closed", secret: true},
		{env: envListen, fallback: "127.0.0.1:8080", help: "address to listen on"},
		{env: envData, fallback: "./relay-data", help: "folder of the database and of the audit log"},
		{env: envRoutes, help: "a maintenance.json whose routes are put at the start, but not over later changes"},
		{env: envAllowedOrigins, help: "origins that browsers may call from, separated by commas"},
		{env: envRetryBase, fallback: written(delivery.DefaultRetryBase), help: "pause after the first failed attempt; it doubles with each further one"},
		{env: envMaxAttempts, fallback: strconv.Itoa(delivery.DefaultMaxAttempts), help: "attempts before a text goes to the dead-letter queue"},
		{env: envSendTimeout, fallback: written(delivery.DefaultSendTimeout), help: fmt.Sprintf(
			"longest wait for Twilio's answer, %s to %s", written(delivery.MinSendTimeout), written(delivery.MaxSendTimeout),
		)},
		{env: envPacePair, fallback: pace.DefaultPair, help: "most messages from one Twilio number to one phone, such as 10/30s, or off"},
		{env: envPaceNumber, fallback: pace.DefaultNumber, help: "most segments from one Twilio number, such as 1/1s, or off; a route's PaceNumber comes first"},
		{env: envLooks, fallback: strconv.Itoa(delivery.DefaultReconcileLooks), help: fmt.Sprintf(
			"how often, after a first look, Twilio is asked what became of a message whose sending was not answered, %d to %d",
			delivery.MinReconcileLooks, delivery.MaxReconcileLooks,
		)},
		{env: envLookInterval, fallback: written(delivery.DefaultReconcileInterval), help: fmt.Sprintf(
			"time between those looks, %s to %s", written(delivery.MinReconcileInterval), written(delivery.MaxReconcileInterval),
		)},
		{env: envRetention, fallback: written(ledger.DefaultRetention), help: fmt.Sprintf(
			"how long the ledger keeps a text, %s (%d days) or more", written(ledger.MinRetention), ledger.MinRetention/(24*time.Hour),
		)},
		{env: envLogFormat, fallback: "auto", help: "text, json, or auto: text on a terminal and JSON elsewhere"},
	}
}

// written is a duration as people write it: 9600h, not 9600h0m0s.
func written(d time.Duration) string { return route.Duration(d).String() }

// flag returns the setting's flag: TWILIO_ACCOUNT_SID is --twilio-account-sid, RELAY_LISTEN is --listen.
func (s setting) flag() string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s.env, "RELAY_"), "_", "-"))
}

// usage returns the flag's help.
func (s setting) usage() string {
	text := s.help + " [" + s.env
	if s.secret {
		text += ", better set there"
	}
	return text + "]"
}

// addFlags makes a flag of each of the given settings.
func addFlags(flags *pflag.FlagSet, given []setting) {
	for _, s := range given {
		if s.env == envAWS {
			flags.Bool(s.flag(), false, s.usage())
			continue
		}
		flags.String(s.flag(), s.fallback, s.usage())
	}
}

// settingLookup finds a setting: on the command line, else in the environment, else its fallback.
func settingLookup(flags *pflag.FlagSet, environment func(string) (string, bool)) func(string) (string, bool) {
	return lookupOf(settings(), flags, environment)
}

// lookupOf finds one of the given settings in the same way.
func lookupOf(known []setting, flags *pflag.FlagSet, environment func(string) (string, bool)) func(string) (string, bool) {
	byEnv := map[string]setting{}
	for _, s := range known {
		byEnv[s.env] = s
	}
	return func(name string) (string, bool) {
		s, known := byEnv[name]
		if !known {
			return "", false
		}
		if f := flags.Lookup(s.flag()); f != nil && f.Changed {
			return f.Value.String(), true
		}
		if value, ok := environment(name); ok && value != "" {
			return value, true
		}
		return s.fallback, s.fallback != ""
	}
}

// asTyped names the settings in an error as they were given: those of the command line by their flags.
func asTyped(err error, flags *pflag.FlagSet) error {
	words := err.Error()
	for _, s := range settings() {
		if f := flags.Lookup(s.flag()); f != nil && f.Changed {
			words = regexp.MustCompile(`\b`+s.env+`\b`).ReplaceAllLiteralString(words, "--"+s.flag())
		}
	}
	return errors.New(words)
}

// settingError words what is wrong with the settings.
func settingError(err error) error {
	return usageError{fmt.Errorf("settings:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))}
}
