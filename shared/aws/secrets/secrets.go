// Package secrets is the relay's door to Secrets Manager: Twilio's credentials, in the JSON that the service's managed
// Twilio secrets have, so that their rotation can be switched on. A Vault asks the service each time. A Kept
// secret is read again only when it proves wrong. No error, log line or printed value of either shows a secret.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// The stages of a secret's versions.
const (
	stageCurrent  = "AWSCURRENT"
	stagePending  = "AWSPENDING"
	stagePrevious = "AWSPREVIOUS"
)

// redacted replaces a secret wherever a value is printed.
const redacted = "[redacted]"

// api is the part of the SDK's client that a Vault uses.
type api interface {
	GetSecretValue(context.Context, *sdk.GetSecretValueInput, ...func(*sdk.Options)) (*sdk.GetSecretValueOutput, error)
}

// Config says which secrets are whose, by name or ARN.
type Config struct {
	// AuthToken is the secret of type TwilioAuthToken: {"accountSid", "authToken"}.
	AuthToken string
	// APIKey is the secret of type TwilioApiKey: {"accountSid", "apiKeySid", "apiKeySecret"}.
	APIKey string
}

// Vault reads Twilio's credentials. It is safe for concurrent use.
type Vault struct {
	client api
	config Config
	// onlyCurrent means that AWSCURRENT alone is read.
	onlyCurrent bool
}

// New returns the vault with the secrets that c names.
func New(cfg aws.Config, c Config) *Vault {
	return newVault(sdk.NewFromConfig(cfg), c)
}

func newVault(client api, c Config) *Vault { return &Vault{client: client, config: c} }

// Current returns the vault as it is outside of rotations: it reads AWSCURRENT alone, in one call, and takes the other stages for
// missing.
func (v *Vault) Current() *Vault {
	return &Vault{client: v.client, config: v.config, onlyCurrent: true}
}

// AuthTokens are the auth tokens that Twilio may sign with and accept at this time.
type AuthTokens struct {
	// AccountSid is the account that the tokens belong to.
	AccountSid string
	// Current is the token of AWSCURRENT, the one to authenticate with.
	Current string
	// Pending is the token of AWSPENDING, empty if it is Current or there is none. Once Twilio has promoted it, which may be
	// minutes before AWSCURRENT names it, Twilio accepts no other.
	Pending string
	// All are the tokens whose signatures to accept, each once, newest first: AWSPENDING, AWSCURRENT, AWSPREVIOUS. While a token
	// is being replaced Twilio may sign with either.
	All []string
}

// String shows only the account.
func (t AuthTokens) String() string { return "auth tokens of " + t.AccountSid + " " + redacted }

// GoString shows what String does.
func (t AuthTokens) GoString() string { return t.String() }

// LogValue shows what String does.
func (t AuthTokens) LogValue() slog.Value { return slog.StringValue(t.String()) }

// APIKey is a key to Twilio's API.
type APIKey struct {
	// AccountSid is the account that the key belongs to.
	AccountSid string
	// Sid and Secret are the key's.
	Sid    string
	Secret string
}

// String shows only the account and the key's Sid.
func (k APIKey) String() string { return "API key " + k.Sid + " of " + k.AccountSid + " " + redacted }

// GoString shows what String does.
func (k APIKey) GoString() string { return k.String() }

// LogValue shows what String does.
func (k APIKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// AuthTokens reads the auth tokens. AWSCURRENT must exist, the other stages need not; a token of another account is ignored.
// Errors are *fault.Error: Fatal if the secret is missing, forbidden or of another form.
func (v *Vault) AuthTokens(ctx context.Context) (AuthTokens, error) {
	found, err := readStages[authToken](ctx, v, v.config.AuthToken, stagePending, stageCurrent, stagePrevious)
	if err != nil {
		return AuthTokens{}, err
	}
	pending, current := found[0], found[1]
	tokens := AuthTokens{AccountSid: current.AccountSid, Current: current.AuthToken}
	if pending.AccountSid == current.AccountSid && pending.AuthToken != current.AuthToken {
		tokens.Pending = pending.AuthToken
	}
	for _, token := range found {
		if token.AuthToken != "" && token.AccountSid == current.AccountSid && !slices.Contains(tokens.All, token.AuthToken) {
			tokens.All = append(tokens.All, token.AuthToken)
		}
	}
	return tokens, nil
}

// APIKeys reads the API keys to send with, the preferred one first: that of AWSCURRENT, then that of AWSPENDING if it is
// another key of the same account. Errors are those of AuthTokens.
func (v *Vault) APIKeys(ctx context.Context) ([]APIKey, error) {
	found, err := readStages[apiKey](ctx, v, v.config.APIKey, stagePending, stageCurrent)
	if err != nil {
		return nil, err
	}
	pending, current := found[0], found[1]
	keys := []APIKey{APIKey(current)}
	if pending.AccountSid == current.AccountSid && pending != current {
		keys = append(keys, APIKey(pending))
	}
	return keys, nil
}

// form is the JSON of a managed secret. A secret may hold more.
type form[F any] interface {
	comparable
	// trimmed returns it without the spaces and newlines around its values, which an editor or a shell left there. On one host
	// they are removed from the environment's values, too.
	trimmed() F
	// missing says which fields are not set, "" if all are.
	missing() string
}

// authToken is the form of a TwilioAuthToken secret.
type authToken struct {
	AccountSid string `json:"accountSid"`
	AuthToken  string `json:"authToken"`
}

func (t authToken) trimmed() authToken {
	return authToken{AccountSid: strings.TrimSpace(t.AccountSid), AuthToken: strings.TrimSpace(t.AuthToken)}
}

func (t authToken) missing() string {
	if t.AccountSid == "" || t.AuthToken == "" {
		return "accountSid and authToken are not both set"
	}
	return ""
}

// apiKey is the form of a TwilioApiKey secret.
type apiKey struct {
	AccountSid string `json:"accountSid"`
	Sid        string `json:"apiKeySid"`
	Secret     string `json:"apiKeySecret"`
}

func (k apiKey) trimmed() apiKey {
	return apiKey{AccountSid: strings.TrimSpace(k.AccountSid), Sid: strings.TrimSpace(k.Sid), Secret: strings.TrimSpace(k.Secret)}
}

func (k apiKey) missing() string {
	if k.AccountSid == "" || k.Sid == "" || k.Secret == "" {
		return "accountSid, apiKeySid and apiKeySecret are not all set"
	}
	return ""
}

// readStages reads stages of a secret; a missing one is zero. It reads them one after the other, in the order in which a
// version moves through them: if it read them at the same time, both readings could miss a version that moves in between.
func readStages[F form[F]](ctx context.Context, v *Vault, secret string, stages ...string) ([]F, error) {
	found := make([]F, len(stages))
	for i, stage := range stages {
		if v.onlyCurrent && stage != stageCurrent {
			continue
		}
		one, err := readStage[F](ctx, v, secret, stage)
		switch {
		case err == nil:
			found[i] = one
		case stage != stageCurrent && errors.Is(err, errMalformed):
			// During a rotation a version may be half written. The current one still counts.
		default:
			return nil, err
		}
	}
	return found, nil
}

// readStage reads one stage of a secret; if an optional stage is missing, the result is zero.
func readStage[F form[F]](ctx context.Context, v *Vault, secret, stage string) (F, error) { //nolint:ireturn // F is a struct.
	var none, found F
	out, err := v.client.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: &secret, VersionStage: &stage})
	if err != nil {
		if code, _ := awsclient.Code(err); code == "ResourceNotFoundException" && stage != stageCurrent {
			return none, nil
		}
		return none, awsclient.Call{Name: "Secrets Manager GetSecretValue " + stage, Kind: kindOfCode}.Fault(err)
	}
	// The cause is left out: it may quote the secret.
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &found) != nil {
		return none, malformed(stage, "it is not the JSON of a managed Twilio secret")
	}
	found = found.trimmed()
	if missing := found.missing(); missing != "" {
		return none, malformed(stage, missing)
	}
	return found, nil
}

var errMalformed = errors.New("malformed")

// malformed returns the fault of a secret that someone has to fix.
func malformed(stage, problem string) error {
	return &fault.Error{
		Kind: fault.Fatal,
		Err:  fmt.Errorf("secret of Twilio, %s: %w: %s", stage, errMalformed, problem),
	}
}

// kindOfCode knows Secrets Manager's own error codes.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "DecryptionFailure", "InvalidRequestException", "InvalidParameterException":
		// The key is disabled, the secret is marked for deletion, or the name is not valid.
		return fault.Fatal, true
	default:
		return fault.Unknown, false
	}
}
