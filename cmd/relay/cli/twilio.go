package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// TwilioSettings are the settings of commands that ask Twilio something themselves.
func TwilioSettings() []Setting {
	var asked []Setting
	for _, s := range ServeSettings() {
		switch s.Env {
		case EnvAccountSid, EnvAuthToken, EnvAPIKeySid, EnvAPIKeySecret, EnvTwilioBaseURL:
			asked = append(asked, s)
		}
	}
	return asked
}

// AddTwilio makes flags of them.
func AddTwilio(flags *pflag.FlagSet) {
	AddFlags(flags, TwilioSettings())
}

// ErrNoTwilio means that the settings name no Twilio account.
var ErrNoTwilio = errors.New("no Twilio account is set")

// OpenTwilio returns a client of the account in the settings. The error is ErrNoTwilio if they name none.
func (p Program) OpenTwilio(flags *pflag.FlagSet) (*twilio.Client, error) {
	r := env.New(LookupOf(TwilioSettings(), flags, p.Lookup))
	config := twilio.Config{
		AccountSid: r.String(EnvAccountSid, ""), APIKeySid: r.String(EnvAPIKeySid, ""), APIKeySecret: r.String(EnvAPIKeySecret, ""),
		BaseURL: r.String(EnvTwilioBaseURL, ""),
	}
	if tokens := r.List(EnvAuthToken); len(tokens) > 0 {
		config.AuthToken = tokens[0]
	}
	if config.AccountSid == "" {
		return nil, Hinted(ErrNoTwilio, "set TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or an API key (TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET)")
	}
	client, err := twilio.New(config)
	if err != nil {
		return nil, Usage(err)
	}
	return client, nil
}

// Unreachable words the error of a question to Twilio that no answer came to, with where it was asked; nil if there was an answer.
func (p Program) Unreachable(flags *pflag.FlagSet, err error) error {
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok || refused.HTTPStatus != 0 || refused.Code != 0 {
		return nil
	}
	base, set := LookupOf(TwilioSettings(), flags, p.Lookup)(EnvTwilioBaseURL)
	if !set {
		return Hinted(fmt.Errorf("cannot reach Twilio at https://api.twilio.com: %w", err), "check this host's connection to the internet")
	}
	return Hinted(fmt.Errorf("cannot reach Twilio at %s: %w", base, err), "that address is from "+EnvTwilioBaseURL+": check it")
}
