// Command stream-audit writes each change of the records to the audit log.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	h := handler{logs: cloudwatchlogs.NewFromConfig(cfg), group: os.Getenv("RELAY_AUDIT_LOG_GROUP"), stream: rand.Text()}
	_, err = h.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &h.group, LogStreamName: &h.stream})
	if err != nil {
		return err
	}
	lambda.Start(h.handle)
	return nil
}

type handler struct {
	logs          *cloudwatchlogs.Client
	group, stream string
}

type entry struct {
	ID           string `json:"id"`
	Change       string `json:"change"`
	MessageSid   string `json:"message_sid"`
	State        string `json:"state"`
	OutboundSid  string `json:"outbound_sid"`
	Customer     string `json:"customer"`
	TwilioNumber string `json:"twilio_number"`
}

func (h handler) handle(ctx context.Context, event events.DynamoDBEvent) (answer events.DynamoDBEventResponse, err error) {
	var lines []types.InputLogEvent
	for _, record := range event.Records {
		line, err := json.Marshal(entryOf(record))
		if err != nil {
			return answer, err
		}
		at := record.Change.ApproximateCreationDateTime.UnixMilli()
		lines = append(lines, types.InputLogEvent{Timestamp: &at, Message: aws.String(string(line))})
	}
	_, err = h.logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &h.group, LogStreamName: &h.stream, LogEvents: lines})
	return answer, err
}

func entryOf(record events.DynamoDBEventRecord) entry {
	image := record.Change.NewImage
	text := func(name string) string {
		if value, ok := image[name]; ok && value.DataType() == events.DataTypeString {
			return value.String()
		}
		return ""
	}
	return entry{
		ID: record.EventID, Change: record.EventName, MessageSid: record.Change.Keys["MessageSid"].String(), State: text("State"),
		OutboundSid: text("OutboundSid"), Customer: masked(text("From")), TwilioNumber: masked(text("To")),
	}
}

func masked(number string) string { return "***" + number[max(0, len(number)-4):] }
