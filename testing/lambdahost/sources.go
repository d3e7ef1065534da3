//go:build unix

package lambdahost

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/testing/lambdahost/mapping"
)

// sourceProperties are those of a function's event of type SQS or DynamoDB.
type sourceProperties struct {
	Queue, Stream                  string
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	StartingPosition               string
	BisectBatchOnFunctionError     bool
	MaximumRetryAttempts           *int
	MaximumRecordAgeInSeconds      int
	ScalingConfig                  struct{ MaximumConcurrency int }
	DestinationConfig              struct {
		OnFailure struct{ Type, Destination string }
	}
	FilterCriteria struct{ Filters []struct{ Pattern string } }
}

// filter reads the source's one filter, if it has one.
func (p sourceProperties) filter() (mapping.Filter, error) {
	switch filters := p.FilterCriteria.Filters; len(filters) {
	case 0:
		return mapping.Filter{}, nil
	case 1:
		return mapping.ParseFilter(filters[0].Pattern)
	default:
		return mapping.Filter{}, fmt.Errorf("a source has %d filters, which nothing is known of", len(filters))
	}
}

// connectSources starts the event source mappings of all functions.
func (h *Host) connectSources(ctx context.Context) error {
	for id, f := range h.functions {
		for name, source := range f.settings.Events {
			var run func(context.Context) error
			var err error
			switch source.Type {
			case "SQS":
				run, err = h.queueSource(ctx, f, source.Properties)
			case "DynamoDB":
				run, err = h.streamSource(ctx, f, source.Properties)
			default:
				err = fmt.Errorf("nothing is known of events of type %s", source.Type)
			}
			if err != nil {
				return fmt.Errorf("%s: event %s: %w", id, name, err)
			}
			h.sources.Go(func() { _ = run(ctx) })
		}
	}
	return nil
}

// queueSource maps a queue to a function, with the function's own permissions.
func (h *Host) queueSource(ctx context.Context, f *function, p sourceProperties) (func(context.Context) error, error) {
	url, err := h.queueURL(p.Queue)
	if err != nil {
		return nil, err
	}
	visibility, err := visibilityOf(ctx, f.config, url)
	if err != nil {
		return nil, err
	}
	if timeout := time.Duration(f.settings.Timeout) * time.Second; visibility < timeout {
		return nil, fmt.Errorf("queue visibility %v is less than the function's timeout %v", visibility, timeout)
	}
	call := func(ctx context.Context, batch events.SQSEvent) (response events.SQSEventResponse, err error) {
		for i := range batch.Records {
			batch.Records[i].EventSourceARN, batch.Records[i].AWSRegion = p.Queue, region
		}
		err = h.call(ctx, f, batch, &response)
		return response, err
	}
	return eventsource.Queue{
		Receiver: sqs.New(f.config, url), Function: call, BatchSize: p.BatchSize, Pollers: max(p.ScalingConfig.MaximumConcurrency, 1),
		Visibility: visibility, Logger: h.config.Logger,
	}.Run, nil
}

// call hands an event to a function and reads its answer.
func (h *Host) call(ctx context.Context, f *function, event, answer any) error {
	text, err := json.Marshal(event)
	if err != nil {
		return err
	}
	response, err := f.Invoke(ctx, text)
	if err != nil {
		return err
	}
	return json.Unmarshal(response, answer)
}

// queueURL finds the queue of an ARN.
func (h *Host) queueURL(arn string) (string, error) {
	for id := range h.template.Resources("AWS::SQS::Queue") {
		if its, _ := h.stack.Physical(id, "Arn"); its == arn {
			return h.Name(id), nil
		}
	}
	return "", fmt.Errorf("no queue of the stack has the ARN %s", arn)
}

// visibilityOf asks for a queue's visibility timeout, as Lambda does when a mapping is made.
func visibilityOf(ctx context.Context, config aws.Config, url string) (time.Duration, error) {
	const name = sqstypes.QueueAttributeNameVisibilityTimeout
	out, err := sdk.NewFromConfig(config).GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{name},
	})
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.Atoi(out.Attributes[string(name)])
	return time.Duration(seconds) * time.Second, err
}

// streamSource maps a table's stream to a function, with the function's own permissions.
func (h *Host) streamSource(ctx context.Context, f *function, p sourceProperties) (func(context.Context) error, error) {
	client := &mapping.Client{Endpoint: h.endpoint, Config: f.config, HTTP: http.DefaultClient, Now: h.config.Now}
	table, sourceARN := h.tableOf(p.Stream)
	if err := client.Exists(ctx, table); err != nil {
		return nil, err
	}
	if p.StartingPosition != "TRIM_HORIZON" {
		return nil, fmt.Errorf("starting position %q would leave out what was written before", p.StartingPosition)
	}
	filter, err := p.filter()
	if err != nil {
		return nil, err
	}
	giveUp, err := h.destination(ctx, f, p)
	if err != nil {
		return nil, err
	}
	retries := -1
	if p.MaximumRetryAttempts != nil {
		retries = *p.MaximumRetryAttempts
	}
	return mapping.Stream{
		Client: client, StreamARN: p.Stream, SourceARN: sourceARN, Invoke: f.Invoke, Filter: filter, BatchSize: p.BatchSize,
		Window: time.Duration(p.MaximumBatchingWindowInSeconds) * time.Second, Bisect: p.BisectBatchOnFunctionError,
		Aged: h.aged(f.id), MaxRetries: retries, MaxAge: time.Duration(p.MaximumRecordAgeInSeconds) * time.Second, GiveUp: giveUp,
		Now: h.config.Now, Logger: h.config.Logger,
	}.Run, nil
}

// tableOf returns the table of a stream, and the stream's name as AWS would write it.
func (h *Host) tableOf(streamARN string) (table, arn string) {
	_, rest, _ := strings.Cut(streamARN, ":table/")
	table, _, _ = strings.Cut(rest, "/")
	return table, canonicalStream(streamARN)
}

// canonicalStream writes the emulator's name of a stream as AWS would: it has a region and an account.
func canonicalStream(streamARN string) string {
	_, rest, found := strings.Cut(streamARN, ":table/")
	if !found {
		return streamARN
	}
	return "arn:aws:dynamodb:" + region + ":" + AccountID + ":table/" + rest
}
