//go:build unix

package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
	"quickdumpnow.com/smsrelay/testing/lambdahost/measure"
	"quickdumpnow.com/smsrelay/testing/lambdahost/runtime"
)

// sampleInterval is how often the queues are looked at; AWS itself does every minute.
const sampleInterval = 5 * time.Second

// startMeter measures, if the configuration says where to.
func (h *Host) startMeter(ctx context.Context) {
	if h.config.Metrics == nil {
		return
	}
	h.meter = measure.New(h.config.Metrics, h.config.Now)
	h.sources.Go(func() {
		tick := time.NewTicker(sampleInterval)
		defer tick.Stop()
		for {
			for id := range h.template.Resources("AWS::SQS::Queue") {
				if err := h.sample(ctx, id); err != nil && ctx.Err() == nil {
					h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "queue not measured", slog.String("queue", id), slog.String("error", err.Error()))
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

// sample measures how many messages a queue has.
func (h *Host) sample(ctx context.Context, id string) error {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := sdk.NewFromConfig(h.Direct("sqs")).GetQueueAttributes(ctx,
		&sdk.GetQueueAttributesInput{QueueUrl: aws.String(h.Name(id)), AttributeNames: names})
	if err != nil {
		return err
	}
	var counts [3]int
	for i, name := range names {
		if _, err := fmt.Sscan(out.Attributes[string(name)], &counts[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	name, _ := h.stack.Physical(id, "QueueName")
	h.meter.Depth(name, counts[0], counts[1], counts[2])
	return nil
}

// called reports a call of a function, or of Lambda for it.
func (h *Host) called(call iam.Call) {
	if h.meter != nil {
		h.meter.Call(call)
	}
	if h.config.OnCall != nil {
		h.config.OnCall(call)
	}
}

// answered reports a request to the API of that logical id.
func (h *Host) answered(api string) func(Request) {
	return func(r Request) {
		if h.meter != nil {
			h.meter.Request(api, r.Status, r.Latency)
		}
		if h.config.OnRequest != nil {
			h.config.OnRequest(r)
		}
	}
}

// invoked reports an invocation of a function.
func (h *Host) invoked(id string) func(time.Duration, error) {
	return func(took time.Duration, err error) {
		if h.meter != nil {
			h.meter.Invocation(id, took, err != nil, errors.Is(err, runtime.ErrThrottled))
		}
	}
}

// aged tells how old a stream's batch is that a function is given.
func (h *Host) aged(id string) func(time.Duration) {
	return func(age time.Duration) {
		if h.meter != nil {
			h.meter.IteratorAge(id, age)
		}
	}
}
