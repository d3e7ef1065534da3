// Command seed-routes is the Lambda function behind the stack's custom resource that puts the routes of a
// maintenance.json. The work is in package seeding.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/seed-routes/cloudformation"
	"quickdumpnow.com/smsrelay/functions/seed-routes/seeding"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/s3"
	"quickdumpnow.com/smsrelay/shared/clock"
)

func main() {
	lambda.StartHandlerFunc(newHandler(lambdacontext.NewLogger()).Handle)
}

// newHandler returns a handler even if the configuration is wrong: a function that does not start leaves CloudFormation
// without an answer.
func newHandler(logger *slog.Logger) *seeding.Handler {
	c, err := readConfig(os.LookupEnv)
	aws, now := awsclient.New(c.aws), clock.Wall()
	return seeding.New(seeding.Config{
		Broken: err,
		Read: func(ctx context.Context, o seeding.Object, limit int64) ([]byte, error) {
			return s3.New(aws, o.Bucket).Get(ctx, o.Key, o.VersionID, limit)
		},
		Routes: dynamo.NewRoutes(aws, c.routingTable),
		Answer: cloudformation.NewResponder(nil).Send,
		Now:    now,
		Logger: logger,
	})
}
