// Command media is the Lambda function from which Twilio fetches the attachments of texts. The work is in package offering.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/media/offering"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/clock"
)

func main() {
	logger := lambdacontext.NewLogger()
	handler, err := newHandler(logger)
	if err != nil {
		logger.LogAttrs(context.Background(), slog.LevelError, "function not started", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartHandlerFunc(handler.Handle)
}

func newHandler(logger *slog.Logger) (*offering.Handler, error) {
	c, err := readConfig(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	now := clock.Wall()
	return offering.New(offering.Config{Store: mediabucket.New(awsclient.New(c.aws), c.bucket, now), Now: now, Logger: logger}), nil
}
