// Package secrets is the relay's door to Secrets Manager: Twilio's credentials, in the JSON that the service's managed
// Twilio secrets have, so that their rotation can be switched on. A Vault asks the service each time, what is Kept is asked for
// again only when it proves wrong, and no error, log line or printed value of either shows a secret.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/shared/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// The stages of a secret's versions.
const (
	stageCurrent  = "AWSCURRENT"
	stagePending  = "AWSPENDING"
	stagePrevious = "AWSPREVIOUS"
)

// redacted stands for a secret wherever a value is printed.
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
}

// New returns the vault with the secrets that c names.
func New(cfg aws.Config, c Config) *Vault {
	return newVault(sdk.NewFromConfig(cfg), c)
}

func newVault(client api, c Config) *Vault { return &Vault{client: client, config: c} }

// AuthTokens are the auth tokens with which Twilio may sign at this time.
type AuthTokens struct {
	// AccountSid is the account that the tokens belong to.
	AccountSid string
	// Current is the token of AWSCURRENT, the one to authenticate with.
	Current string
	// All are the tokens to accept a signature of, each once, newest first: AWSPENDING, AWSCURRENT, AWSPREVIOUS. While
	// a token is being replaced Twilio may sign with either.
	All []string
}

// String shows the account alone.
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

// String shows the account and the key's Sid alone.
func (k APIKey) String() string { return "API key " + k.Sid + " of " + k.AccountSid + " " + redacted }

// GoString shows what String does.
func (k APIKey) GoString() string { return k.String() }

// LogValue shows what String does.
func (k APIKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// AuthTokens reads the auth tokens. AWSCURRENT must be there, the other stages need not; a token of another account
// is passed over. Errors are *fault.Error: Fatal if the secret is missing, forbidden or of another form.
func (v *Vault) AuthTokens(ctx context.Context) (AuthTokens, error) {
	stages := []string{stagePending, stageCurrent, stagePrevious}
	found, err := v.authTokens(ctx, stages)
	if err != nil {
		return AuthTokens{}, err
	}
	current := found[slices.Index(stages, stageCurrent)]
	tokens := AuthTokens{AccountSid: current.AccountSid, Current: current.AuthToken}
	for _, token := range found {
		if token.AuthToken != "" && token.AccountSid == current.AccountSid && !slices.Contains(tokens.All, token.AuthToken) {
			tokens.All = append(tokens.All, token.AuthToken)
		}
	}
	return tokens, nil
}

// authToken is the form of a TwilioAuthToken secret. It may hold more.
type authToken struct {
	AccountSid string `json:"accountSid"`
	AuthToken  string `json:"authToken"`
}

// authTokens reads the stages side by side. That of a missing one is zero.
func (v *Vault) authTokens(ctx context.Context, stages []string) ([]authToken, error) {
	found := make([]authToken, len(stages))
	failures := make([]error, len(stages))
	var group sync.WaitGroup
	for i, stage := range stages {
		group.Go(func() { found[i], failures[i] = v.authToken(ctx, stage) })
	}
	group.Wait()
	for i, stage := range stages {
		if stage != stageCurrent && errors.Is(failures[i], errMalformed) {
			// While a rotation is under way, a version may be half written. The current one still counts.
			found[i], failures[i] = authToken{}, nil
		}
	}
	return found, errors.Join(failures...)
}

func (v *Vault) authToken(ctx context.Context, stage string) (authToken, error) {
	var token authToken
	ok, err := v.read(ctx, v.config.AuthToken, stage, &token)
	if err != nil || !ok {
		return authToken{}, err
	}
	if token.AccountSid == "" || token.AuthToken == "" {
		return authToken{}, malformed(stage, "accountSid and authToken are not both set")
	}
	return token, nil
}

// APIKey reads the API key of AWSCURRENT. Errors are those of AuthTokens.
func (v *Vault) APIKey(ctx context.Context) (APIKey, error) {
	var key struct {
		AccountSid string `json:"accountSid"`
		Sid        string `json:"apiKeySid"`
		Secret     string `json:"apiKeySecret"`
	}
	if _, err := v.read(ctx, v.config.APIKey, stageCurrent, &key); err != nil {
		return APIKey{}, err
	}
	if key.AccountSid == "" || key.Sid == "" || key.Secret == "" {
		return APIKey{}, malformed(stageCurrent, "accountSid, apiKeySid and apiKeySecret are not all set")
	}
	return APIKey(key), nil
}

// read reads one stage of a secret into a struct. ok is false if a stage that may be missing is.
func (v *Vault) read(ctx context.Context, secret, stage string, into any) (ok bool, err error) {
	out, err := v.client.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: &secret, VersionStage: &stage})
	if err != nil {
		if code, _ := awsclient.Code(err); code == "ResourceNotFoundException" && stage != stageCurrent {
			return false, nil
		}
		return false, awsclient.Call{Name: "Secrets Manager GetSecretValue " + stage, Kind: kindOfCode}.Fault(err)
	}
	// The cause is left out: it may quote the secret.
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), into) != nil {
		return false, malformed(stage, "it is not the JSON of a managed Twilio secret")
	}
	return true, nil
}

var errMalformed = errors.New("malformed")

// malformed returns the fault of a secret that someone has to mend.
func malformed(stage, problem string) error {
	return &fault.Error{Kind: fault.Fatal, Err: fmt.Errorf("Twilio secret, %s: %w: %s", stage, errMalformed, problem)} //nolint:staticcheck // Twilio is a name.
}

// kindOfCode knows Secrets Manager's own error codes.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "DecryptionFailure", "InvalidRequestException", "InvalidParameterException":
		// The key is disabled, the secret marked for deletion, the name no name.
		return fault.Fatal, true
	default:
		return fault.Unknown, false
	}
}
