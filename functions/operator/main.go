// Command operator is the Lambda function behind the operators' routes. The work is in package operations.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

func main() {
	logger := lambdacontext.NewLogger()
	emit := telemetry.NewEMF(os.Stdout, clock.Wall())
	handler, err := newHandler(logger, emit)
	if err != nil {
		logger.LogAttrs(context.Background(), slog.LevelError, "function not started", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartHandlerFunc(telemetry.CountColdStart("operator", emit, handler.Handle))
}

func newHandler(logger *slog.Logger, emit telemetry.Emit) (*operations.Handler, error) {
	c, err := readConfig(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	aws, now := awsclient.New(c.aws), clock.Wall()
	return operations.New(operations.Config{
		Queue:         sqs.New(aws, c.queueURL),
		Records:       dynamo.NewLedger(aws, dynamo.LedgerConfig{Table: c.ledgerTable, Retention: c.retention, Now: now}),
		Routes:        dynamo.NewRoutes(aws, c.routingTable),
		Conversations: dynamo.NewConversations(aws, c.conversationsTable),
		Trail:         cloudwatch.NewTrail(aws, c.auditLogGroup),
		Now:           now,
		NewID:         operations.NewID,
		Wait:          clock.Pause,
		Logger:        logger,
		Emit:          emit,
	}), nil
}
