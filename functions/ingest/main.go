// Command ingest is the Lambda function behind the webhooks that Twilio calls. The work is in package webhook.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

func main() {
	started := clock.Wall()()
	logger := lambdacontext.NewLogger()
	emit := telemetry.NewEMF(os.Stdout, clock.Wall())
	handler, err := newHandler(context.Background(), logger, started, emit)
	if err != nil {
		logger.LogAttrs(context.Background(), slog.LevelError, "function not started", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartHandlerFunc(telemetry.CountColdStart("ingest", emit, handler.Handle))
}

func newHandler(ctx context.Context, logger *slog.Logger, started time.Time, emit telemetry.Emit) (*webhook.Handler, error) {
	c, err := readConfig(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	aws, now := awsclient.New(c.aws), clock.Wall()
	sqs.Connect(ctx, aws) // While the secret is read.
	tokens, err := secrets.New(aws, c.secrets).KeepAuthTokens(ctx, now, logger)
	if err != nil {
		return nil, fmt.Errorf("read the Auth Token: %w", err)
	}
	verifier, err := signature.NewRotating(c.publicBaseURLs, tokens)
	if err != nil {
		return nil, err
	}
	return webhook.New(webhook.Config{
		Queue: sqs.New(aws, c.queueURL), Verifier: verifier,
		Now: now, Started: started, Build: telemetry.ReadBuild(),
		Logger: logger, Emit: emit,
	}), nil
}
