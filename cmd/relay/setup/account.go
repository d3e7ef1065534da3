package setup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// firstOf returns the first of several Auth Tokens: Twilio signs with it.
func firstOf(tokens string) string {
	first, _, _ := strings.Cut(tokens, ",")
	return strings.TrimSpace(first)
}

// openAccount returns a client of an account that Twilio says is active.
func openAccount(ctx context.Context, config twilio.Config) (*twilio.Client, error) {
	client, err := twilio.New(config)
	if err != nil {
		return nil, cli.Usage(err)
	}
	account, err := client.Account(ctx)
	refused, _ := errors.AsType[*fault.Error](err)
	switch {
	case err == nil && account.Status != "active":
		return nil, cli.Hinted(fmt.Errorf("the account %s is %s", account.Sid, account.Status), "Twilio's console says why on its first page")
	case err == nil:
		return client, nil
	case refused != nil && refused.Kind == fault.Fatal:
		return nil, cli.Hinted(fmt.Errorf("Twilio refuses this account and token: %w", err), //nolint:staticcheck // Twilio is a name.
			"copy both from Twilio's console (Account, API keys & tokens), the Live credentials")
	default:
		return nil, cli.Hinted(fmt.Errorf("cannot reach Twilio: %w", err), "check this host's connection to the internet, then run this again")
	}
}
