// Command sender is the Lambda function that gets texts from the queue and sends them. The work is in package delivery.
package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func main() {
	logger := lambdacontext.NewLogger()
	emit := telemetry.NewEMF(os.Stdout, clock.Wall())
	handler, err := newHandler(context.Background(), logger, emit)
	if err != nil {
		logger.LogAttrs(context.Background(), slog.LevelError, "function not started", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartHandlerFunc(telemetry.CountColdStart("sender", emit, handler.Handle))
}

func newHandler(ctx context.Context, logger *slog.Logger, emit telemetry.Emit) (*delivery.Handler, error) {
	c, err := readConfig(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	aws, now := awsclient.New(c.aws), clock.Wall()
	dynamo.Connect(ctx, aws) // While the secret is read.
	messages, err := c.newClient(ctx, secrets.New(aws, c.secrets), now, logger)
	if err != nil {
		return nil, err
	}
	queue, timers := sqs.New(aws, c.queueURL), sqs.New(aws, c.timerQueueURL)
	records := dynamo.NewLedger(aws, dynamo.LedgerConfig{Table: c.ledgerTable, Retention: c.retention, Now: now})
	return delivery.New(delivery.Config{
		Ledger:        records,
		Records:       records,
		Routes:        route.NewCache(dynamo.NewRoutes(aws, c.routingTable), now),
		Conversations: dynamo.NewConversations(aws, c.conversationsTable),
		Customers:     dynamo.NewConversations(aws, c.conversationsTable),
		Messages:      messages,
		Attachments: media.Keeper{
			Source: messages, Store: mediabucket.New(aws, c.mediaBucket, now), MaxItem: mediabucket.MaxItem, Now: now,
		},
		MediaBaseURL:      c.mediaBaseURL,
		Pace:              dynamo.NewPace(aws, c.paceTable),
		PacePair:          c.pacePair,
		PaceNumber:        c.paceNumber,
		Queue:             queue,
		Done:              queue,
		Answers:           queue,
		TimerQueue:        timers,
		Timers:            timers,
		DeadLetters:       sqs.New(aws, c.deadLetterQueueURL),
		Policy:            retry.NewPolicy(c.retryBase, c.maxAttempts),
		ReceiptFault:      twilio.ClassifyReceipt,
		ReconcileLooks:    c.reconcileLooks,
		ReconcileInterval: c.reconcileInterval,
		PublicBaseURL:     c.publicBaseURL(),
		SendTimeout:       c.sendTimeout,
		Retention:         c.retention,
		Concurrency:       groupsPerBatch,
		Now:               now,
		Spread:            mathrand.Float64,
		NewClaimID:        rand.Text,
		Logger:            logger,
		Emit:              emit,
	}), nil
}
