// Command sender is the Lambda function that takes texts off the queue and sends them on. The work is in package
// delivery.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/awsclient"
	"quickdumpnow.com/smsrelay/shared/dynamo"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/secrets"
	"quickdumpnow.com/smsrelay/shared/sqs"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func main() {
	logger := lambdacontext.NewLogger()
	handler, err := newHandler(context.Background(), logger)
	if err != nil {
		logger.LogAttrs(context.Background(), slog.LevelError, "function not started", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartHandlerFunc(handler.Handle)
}

func newHandler(ctx context.Context, logger *slog.Logger) (*delivery.Handler, error) {
	c, err := readConfig(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	aws := awsclient.New(c.aws)
	credentials, err := c.credentials(ctx, secrets.New(aws, c.secrets))
	if err != nil {
		return nil, err
	}
	messages, err := twilio.New(credentials)
	if err != nil {
		return nil, err
	}
	return delivery.New(delivery.Config{
		Ledger:        dynamo.NewLedger(aws, dynamo.LedgerConfig{Table: c.ledgerTable, Retention: c.retention, Now: time.Now}),
		Routes:        route.NewCache(dynamo.NewRoutes(aws, c.routingTable), time.Now),
		Messages:      messages,
		Queue:         sqs.New(aws, c.queueURL),
		DeadLetters:   sqs.New(aws, c.deadLetterQueueURL),
		Policy:        c.policy(),
		PublicBaseURL: c.publicBaseURL(),
		SendTimeout:   c.sendTimeout,
		Retention:     c.retention,
		Concurrency:   groupsPerBatch,
		Now:           time.Now,
		Spread:        mathrand.Float64,
		NewClaimID:    rand.Text,
		Logger:        logger,
		Emit:          telemetry.NewEMF(os.Stdout, time.Now),
	}), nil
}

var errOtherAccount = errors.New("the secret belongs to another account than TWILIO_ACCOUNT_SID")

// credentials returns what to send with: the API key if there is one, else the Auth Token.
func (c config) credentials(ctx context.Context, vault *secrets.Vault) (twilio.Config, error) {
	t := twilio.Config{AccountSid: c.accountSid, BaseURL: c.twilioBaseURL, Timeout: c.sendTimeout}
	if c.secrets.APIKey != "" {
		key, err := vault.APIKey(ctx)
		if err == nil && key.AccountSid != c.accountSid {
			err = errOtherAccount
		}
		t.APIKeySid, t.APIKeySecret = key.Sid, key.Secret
		return t, err
	}
	tokens, err := vault.AuthTokens(ctx)
	if err == nil && tokens.AccountSid != c.accountSid {
		err = errOtherAccount
	}
	t.AuthToken = tokens.Current
	return t, err
}
