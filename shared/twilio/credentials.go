package twilio

import (
	"context"
	"errors"
	"log/slog"
	"strings"
)

// Credentials are what a call authenticates with: the API key if one is set, otherwise the account's Auth Token. Neither
// String nor a log shows a secret.
type Credentials struct {
	// AuthToken is the account's.
	AuthToken string
	// APIKeySid ("SK…") and APIKeySecret are an API key's; both or neither.
	APIKeySid    string
	APIKeySecret string
}

// CredentialsSource has the credentials to use at this time, for those that are replaced while the relay runs.
type CredentialsSource interface {
	// Credentials returns those to use now.
	Credentials() Credentials
	// Instead returns credentials to use instead of those that Twilio has refused; ok is false if there are none. It decides
	// itself how often to look for them.
	Instead(ctx context.Context, refused Credentials) (others Credentials, ok bool)
}

// Check returns what is wrong with the credentials, by field and without its value.
func (c Credentials) Check() error {
	switch {
	case c.APIKeySid == "" && c.APIKeySecret == "":
		if strings.TrimSpace(c.AuthToken) == "" {
			return errors.New("neither AuthToken nor an API key is set")
		}
	case !isSid(c.APIKeySid, "SK"):
		return errors.New("APIKeySid is not SK and 32 hexadecimal digits")
	case strings.TrimSpace(c.APIKeySecret) == "":
		return errors.New("APIKeySid is set without APIKeySecret")
	}
	return nil
}

// String says which kind they are.
func (c Credentials) String() string {
	if c.APIKeySid != "" {
		return "API key " + c.APIKeySid
	}
	return "Auth Token"
}

// GoString says what String does.
func (c Credentials) GoString() string { return c.String() }

// LogValue says what String does.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// basic returns the user name and password of the account's Basic authentication.
func (c Credentials) basic(accountSid string) (username, password string) {
	if c.APIKeySid != "" {
		return c.APIKeySid, c.APIKeySecret
	}
	return accountSid, c.AuthToken
}

// fixed are credentials that nothing replaces.
type fixed Credentials

// Credentials implements CredentialsSource.
func (f fixed) Credentials() Credentials { return Credentials(f) }

// Instead implements CredentialsSource: there are no others.
func (f fixed) Instead(context.Context, Credentials) (Credentials, bool) { return Credentials{}, false }
