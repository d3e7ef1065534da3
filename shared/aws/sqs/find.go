package sqs

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// Found is a queue that was found by its name. It is for operators' tools: a function has its queues' addresses.
type Found struct {
	*Queue
	sdk *sdk.Client
}

// Find returns the queue of that name, in the region and the account of the credentials. Errors are *fault.Error, a Fatal
// one if there is no such queue.
func Find(ctx context.Context, cfg aws.Config, name string) (*Found, error) {
	client := sdk.NewFromConfig(cfg)
	found, err := client.GetQueueUrl(ctx, &sdk.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, awsclient.Call{Name: "SQS GetQueueUrl of " + name, Kind: kindOfCode}.Fault(err)
	}
	return &Found{Queue: newQueue(client, aws.ToString(found.QueueUrl)), sdk: client}, nil
}

// Depth counts the messages on the queue as SQS does, approximately: those waiting and those in flight.
func (f *Found) Depth(ctx context.Context) (visible, inFlight int, err error) {
	const waiting, taken = types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	answer, err := f.sdk.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{
		QueueUrl: &f.url, AttributeNames: []types.QueueAttributeName{waiting, taken},
	})
	if err != nil {
		return 0, 0, awsclient.Call{Name: "SQS GetQueueAttributes", Kind: kindOfCode}.Fault(err)
	}
	visible, err = strconv.Atoi(answer.Attributes[string(waiting)])
	if err == nil {
		inFlight, err = strconv.Atoi(answer.Attributes[string(taken)])
	}
	return visible, inFlight, err
}
