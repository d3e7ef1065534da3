package main

import (
	"errors"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// twilioSettings are those with which a command asks Twilio something on its own.
func twilioSettings() []setting {
	var asked []setting
	for _, s := range settings() {
		switch s.env {
		case envAccountSid, envAuthToken, envAPIKeySid, envAPIKeySecret, envTwilioBaseURL:
			asked = append(asked, s)
		}
	}
	return asked
}

// addTwilio makes flags of them.
func addTwilio(flags *pflag.FlagSet) {
	addFlags(flags, twilioSettings())
}

// errNoTwilio means that the settings say nothing of a Twilio account.
var errNoTwilio = errors.New("no Twilio account is set")

// openTwilio returns a client of the account that the settings say. The error is errNoTwilio if they say none.
func (p program) openTwilio(flags *pflag.FlagSet) (*twilio.Client, error) {
	r := env.New(lookupOf(twilioSettings(), flags, p.lookup))
	config := twilio.Config{
		AccountSid: r.String(envAccountSid, ""), APIKeySid: r.String(envAPIKeySid, ""), APIKeySecret: r.String(envAPIKeySecret, ""),
		BaseURL: r.String(envTwilioBaseURL, ""),
	}
	if tokens := r.List(envAuthToken); len(tokens) > 0 {
		config.AuthToken = tokens[0]
	}
	if config.AccountSid == "" {
		return nil, hintedError{errNoTwilio, "set TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or an API key (TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET)"}
	}
	client, err := twilio.New(config)
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}
