package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// newClient returns the client that sends with the credentials of the vault, whatever they are at the time. It reads those of AWSCURRENT,
// and the others when Twilio refuses them.
func (c config) newClient(ctx context.Context, vault *secrets.Vault, now func() time.Time, logger *slog.Logger) (*twilio.Client, error) {
	of := func(vault *secrets.Vault) secrets.Reader[[]twilio.Credentials] {
		return func(ctx context.Context) ([]twilio.Credentials, error) { return c.credentials(ctx, vault) }
	}
	kept, err := secrets.Keep(ctx, of(vault.Current()), of(vault), slices.Equal, now, logger)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return twilio.New(twilio.Config{
		AccountSid: c.accountSid, Source: &credentialsSource{kept: kept}, BaseURL: c.twilioBaseURL, Timeout: c.sendTimeout,
	})
}

var errOtherAccount = errors.New("the secret belongs to another account than TWILIO_ACCOUNT_SID")

// credentials reads the credentials to send with, in order of preference: the API keys if there is a secret with one, else the
// Auth Tokens. There is at least one, and all of them are complete.
func (c config) credentials(ctx context.Context, vault *secrets.Vault) ([]twilio.Credentials, error) {
	read := c.authTokens
	if c.secrets.APIKey != "" {
		read = c.apiKeys
	}
	found, err := read(ctx, vault)
	if err != nil {
		return nil, err
	}
	if err := found[0].Check(); err != nil {
		return nil, err
	}
	// Another one is not in force yet. Anyone who rotates the secret has to find out what is wrong with it.
	return slices.DeleteFunc(found, func(one twilio.Credentials) bool { return one.Check() != nil }), nil
}

func (c config) apiKeys(ctx context.Context, vault *secrets.Vault) ([]twilio.Credentials, error) {
	keys, err := vault.APIKeys(ctx)
	if err != nil {
		return nil, err
	}
	var found []twilio.Credentials
	for _, key := range keys {
		if key.AccountSid != c.accountSid {
			return nil, errOtherAccount
		}
		found = append(found, twilio.Credentials{APIKeySid: key.Sid, APIKeySecret: key.Secret})
	}
	return found, nil
}

func (c config) authTokens(ctx context.Context, vault *secrets.Vault) ([]twilio.Credentials, error) {
	tokens, err := vault.AuthTokens(ctx)
	if err != nil {
		return nil, err
	}
	if tokens.AccountSid != c.accountSid {
		return nil, errOtherAccount
	}
	found := []twilio.Credentials{{AuthToken: tokens.Current}}
	if tokens.Pending != "" {
		found = append(found, twilio.Credentials{AuthToken: tokens.Pending})
	}
	return found, nil
}

// renewTimeout bounds the wait for newer credentials. It leaves most of an exchange's time to the exchange.
const renewTimeout = 3 * time.Second

// credentialsSource chooses among the credentials of the secret. There are two to choose from while they are being
// replaced: Twilio and the secret do not change at the same moment, and Twilio may be minutes ahead.
type credentialsSource struct {
	kept *secrets.Kept[[]twilio.Credentials]

	mu sync.Mutex
	// refused are those that Twilio has refused, the last one last. A text that was slow may be refused with older ones than others were.
	refused []twilio.Credentials
}

// maxRefused is how many are remembered: more than a secret has at a time, and those of the rotation before.
const maxRefused = 4

// Credentials implements twilio.CredentialsSource.
func (s *credentialsSource) Credentials() twilio.Credentials {
	kept, _ := s.kept.Value()
	s.mu.Lock()
	defer s.mu.Unlock()
	return best(kept, s.refused)
}

// Instead implements twilio.CredentialsSource. The secret is read again unless it has been since the refused ones were.
func (s *credentialsSource) Instead(ctx context.Context, refused twilio.Credentials) (others twilio.Credentials, ok bool) {
	s.note(refused)
	kept, generation := s.kept.Value()
	if slices.Contains(kept, refused) {
		ctx, cancel := context.WithTimeout(ctx, renewTimeout)
		defer cancel()
		kept, _, _ = s.kept.Renew(ctx, generation)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	others = best(kept, s.refused)
	return others, others != refused
}

// note remembers that Twilio has refused these credentials.
func (s *credentialsSource) note(refused twilio.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = slices.DeleteFunc(s.refused, func(one twilio.Credentials) bool { return one == refused })
	s.refused = append(s.refused, refused)
	s.refused = s.refused[max(0, len(s.refused)-maxRefused):]
}

// best returns the first credentials that were not refused; else those whose refusal is the longest ago: they may have been fixed at
// Twilio.
func best(all, refused []twilio.Credentials) twilio.Credentials {
	oldest, at := all[0], len(refused)
	for _, one := range all {
		i := slices.Index(refused, one)
		if i < 0 {
			return one
		}
		if i < at {
			oldest, at = one, i
		}
	}
	return oldest
}
