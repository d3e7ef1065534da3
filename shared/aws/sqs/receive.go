package sqs

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// longestPoll is the longest that SQS lets a receiver wait.
const longestPoll = 20 * time.Second

// Receive receives messages from the queue. SQS counts in seconds: visibility and wait are rounded up, and a wait is at most
// 20 seconds. A visibility of less than a second becomes one second; a wait of 0 means the queue's own default.
func (q *Queue) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Delivery, error) {
	wait = min(wait, longestPoll)
	out, err := q.client.ReceiveMessage(ctx, &sdk.ReceiveMessageInput{
		QueueUrl:              &q.url,
		MaxNumberOfMessages:   int32(min(limit, maxBatch)), //nolint:gosec // at most ten
		WaitTimeSeconds:       seconds(wait),
		VisibilityTimeout:     max(seconds(visibility), 1),
		MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameMessageGroupId,
			types.MessageSystemAttributeNameMessageDeduplicationId,
			types.MessageSystemAttributeNameSentTimestamp,
		},
	}, polling(wait))
	if err != nil {
		return nil, awsclient.Call{Name: "SQS ReceiveMessage", Kind: kindOfCode}.Fault(err)
	}
	deliveries := make([]queue.Delivery, len(out.Messages))
	for i, m := range out.Messages {
		deliveries[i] = delivery(m)
	}
	return deliveries, nil
}

// polling gives each attempt the time for the poll in addition to the time for an answer.
func polling(wait time.Duration) func(*sdk.Options) {
	return func(o *sdk.Options) {
		limit := awsclient.AttemptTimeout(wait + time.Second + awsclient.DefaultAttemptTimeout)
		o.APIOptions = append(o.APIOptions, limit)
	}
}

// delivery reads a message. An attribute that SQS left out is zero.
func delivery(m types.Message) queue.Delivery {
	return queue.Delivery{
		MessageID:       aws.ToString(m.MessageId),
		ReceiptHandle:   aws.ToString(m.ReceiptHandle),
		Group:           m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		DeduplicationID: m.Attributes[string(types.MessageSystemAttributeNameMessageDeduplicationId)],
		Body:            aws.ToString(m.Body),
		Attributes:      decodeAttributes(m.MessageAttributes),
		ReceiveCount:    int(number(m, types.MessageSystemAttributeNameApproximateReceiveCount)),
		SentAt:          time.UnixMilli(number(m, types.MessageSystemAttributeNameSentTimestamp)).UTC(),
	}
}

// decodeAttributes returns the string attributes; nil for none.
func decodeAttributes(attributes map[string]types.MessageAttributeValue) map[string]string {
	var decoded map[string]string
	for name, value := range attributes {
		if value.StringValue == nil {
			continue
		}
		if decoded == nil {
			decoded = make(map[string]string, len(attributes))
		}
		decoded[name] = *value.StringValue
	}
	return decoded
}

// number reads a system attribute that is a number.
func number(m types.Message, name types.MessageSystemAttributeName) int64 {
	n, err := strconv.ParseInt(m.Attributes[string(name)], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
