package doctor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/doctor/alarms"
	"quickdumpnow.com/smsrelay/cmd/relay/doctor/lambda"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// The settings that name the secrets.
const (
	EnvAuthTokenSecret = "RELAY_AUTH_TOKEN_SECRET" //nolint:gosec // a variable's name, not a credential.
	EnvAPIKeySecretID  = "RELAY_API_KEY_SECRET"    //nolint:gosec // a variable's name, not a credential.
)

// secretSettings lists them. Their fallbacks are the README's names.
func secretSettings() []cli.Setting {
	return []cli.Setting{
		{Env: EnvAuthTokenSecret, Fallback: "sms-relay/twilio-auth-token", Help: "on AWS, the secret with the Auth Token, by name or ARN"},
		{
			Env: EnvAPIKeySecretID, Fallback: "sms-relay/twilio-api-key",
			Help: "on AWS, the secret with the API key, by name or ARN; leave it out if there is no key",
		},
	}
}

// Settings lists the settings that only the doctor reads.
func Settings() []cli.Setting { return secretSettings() }

// setAWS fills in what the checks need of AWS, and reads Twilio's credentials from the secrets unless the settings have them.
func (p program) setAWS(ctx context.Context, flags *pflag.FlagSet, relay *Relay) error {
	r := env.New(cli.LookupOf(slices.Concat(cli.TargetSettings(), secretSettings(), examSettings()), flags, p.Lookup))
	cfg, err := awsprofile.Load(ctx, awsprofile.Config{Profile: r.String(cli.EnvProfile, ""), Region: r.String(cli.EnvRegion, "")})
	if err != nil {
		return cli.WithTargetHint(err, true)
	}
	stack := &AWS{
		QueueName: r.String(cli.EnvQueue, ""), RoutingTable: r.String(cli.EnvRoutingTable, ""), LedgerTable: r.String(cli.EnvLedgerTable, ""),
		ConversationsTable: r.String(cli.EnvConversationsTable, ""),
		AuthTokenSecret:    r.String(EnvAuthTokenSecret, ""), APIKeySecret: r.String(EnvAPIKeySecretID, ""),
		Table: func(ctx context.Context, name string) (dynamo.Description, error) {
			return dynamo.Describe(ctx, cfg, name)
		},
		Queue:    func(ctx context.Context, name string) (sqs.Settings, error) { return describeQueue(ctx, cfg, name) },
		BackedUp: func(ctx context.Context, name string) (bool, error) { return dynamo.BackedUp(ctx, cfg, name) },
		ChangedAt: func(ctx context.Context, secret string) (time.Time, error) {
			return secrets.ChangedAt(ctx, cfg, secret)
		},
		Functions: lambda.New(cfg), Watch: alarms.New(cfg),
	}
	if stack.APIKeySecret == "none" {
		stack.APIKeySecret = ""
	}
	vault := secrets.New(cfg, secrets.Config{AuthToken: stack.AuthTokenSecret, APIKey: stack.APIKeySecret})
	stack.CheckSecrets = func(ctx context.Context) error { return checkSecrets(ctx, vault, stack.APIKeySecret != "") }
	relay.AWS = stack
	if relay.Twilio == nil {
		takeSecrets(ctx, vault, r, relay)
	}
	return nil
}

func describeQueue(ctx context.Context, cfg aws.Config, name string) (sqs.Settings, error) {
	found, err := sqs.Find(ctx, cfg, name)
	if err != nil {
		return sqs.Settings{}, err
	}
	return found.Describe(ctx)
}

// checkSecrets reads both secrets as the functions do.
func checkSecrets(ctx context.Context, vault *secrets.Vault, hasKey bool) error {
	tokens, err := vault.AuthTokens(ctx)
	if err != nil || !hasKey {
		return err
	}
	keys, err := vault.APIKeys(ctx)
	if err == nil && keys[0].AccountSid != tokens.AccountSid {
		return errors.New("the Auth Token and the API key belong to different accounts")
	}
	return err
}

// takeSecrets uses the credentials in the secrets. The check secrets-shape says what is wrong with them.
func takeSecrets(ctx context.Context, vault *secrets.Vault, r *env.Reader, relay *Relay) {
	tokens, err := vault.AuthTokens(ctx)
	if err != nil {
		return
	}
	client, err := twilio.New(twilio.Config{
		AccountSid: tokens.AccountSid, AuthToken: tokens.Current,
		BaseURL: r.String(cli.EnvTwilioBaseURL, ""),
	})
	if err != nil {
		return
	}
	relay.Twilio, relay.WithToken = client, client
	// The current one comes first: it is what Twilio has now, unless a rotation is under way.
	relay.AuthTokens = []string{tokens.Current}
}
