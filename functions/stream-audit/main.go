// Command stream-audit is the Lambda function that writes each change of the ledger, the routing table and the conversations to the
// audit log. The work is in package audit.
package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/s3"
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
	lambda.StartHandlerFunc(telemetry.CountColdStart("stream-audit", emit, handler.Handle))
}

func newHandler(logger *slog.Logger, emit telemetry.Emit) (*audit.Handler, error) {
	c, err := readConfig(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	aws, now := awsclient.New(c.aws), clock.Wall()
	return audit.New(audit.Config{
		Log:      cloudwatch.New(aws, cloudwatch.Config{Group: c.auditLogGroup, Stream: streamName(now)}),
		SetAside: s3.New(aws, c.failureBucket).Put,
		Now:      now,
		Logger:   logger,
		Emit:     emit,
	}), nil
}

// streamName returns a log stream of this instance's own: the day, then a random mark.
func streamName(now func() time.Time) string {
	return now().UTC().Format("2006/01/02/") + rand.Text()
}
