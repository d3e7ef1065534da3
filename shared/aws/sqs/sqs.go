// Package sqs is the relay's door to Amazon SQS: one queue of it, in the terms of shared/queue. It does not know what its
// messages mean, and it creates no queues (template.yaml does). On AWS the sender gets its messages from Lambda's event
// source, which receives and deletes them itself; Receive is for operators' tools and tests.
package sqs

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// api is the part of the SDK's client that a Queue uses.
type api interface {
	SendMessage(context.Context, *sdk.SendMessageInput, ...func(*sdk.Options)) (*sdk.SendMessageOutput, error)
	ReceiveMessage(context.Context, *sdk.ReceiveMessageInput, ...func(*sdk.Options)) (*sdk.ReceiveMessageOutput, error)
	ChangeMessageVisibilityBatch(context.Context, *sdk.ChangeMessageVisibilityBatchInput,
		...func(*sdk.Options)) (*sdk.ChangeMessageVisibilityBatchOutput, error)
	DeleteMessageBatch(context.Context, *sdk.DeleteMessageBatchInput, ...func(*sdk.Options)) (*sdk.DeleteMessageBatchOutput, error)
}

var (
	_ queue.Sender   = (*Queue)(nil)
	_ queue.Receiver = (*Queue)(nil)
)

// Queue is one queue of SQS. It is safe for concurrent use.
type Queue struct {
	client api
	url    string
	// fifo queues keep order by group and drop repeats; SQS names them with the suffix ".fifo".
	fifo bool
}

// New returns the queue at queueURL. Dead letters are a Queue of their own.
func New(cfg aws.Config, queueURL string) *Queue {
	return newQueue(sdk.NewFromConfig(cfg), queueURL)
}

func newQueue(client api, queueURL string) *Queue {
	return &Queue{client: client, url: queueURL, fifo: strings.HasSuffix(queueURL, ".fifo")}
}

// seconds returns d in SQS's unit, rounded up: no message becomes visible too early.
func seconds(d time.Duration) int32 {
	const most = 12 * time.Hour
	d = min(max(d, 0), most)
	return int32((d + time.Second - 1) / time.Second)
}

// kindOfCode knows SQS's own error codes. If a queue is missing or a key may not be used, someone has to fix the set-up. The
// older codes have a prefix.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch strings.TrimPrefix(code, "AWS.SimpleQueueService.") {
	case "OverLimit", "KmsThrottled", "KMS.ThrottlingException":
		return fault.Throttled, true
	case "QueueDoesNotExist", "NonExistentQueue", "QueueDeletedRecently", "InvalidAddress", "KmsAccessDenied",
		"KMS.AccessDeniedException", "KmsDisabled", "KMS.DisabledException", "KmsInvalidState", "KMS.InvalidStateException",
		"KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException", "KmsNotFound", "KMS.NotFoundException", "KmsOptInRequired",
		"KMS.OptInRequired":
		return fault.Fatal, true
	case "InvalidMessageContents", "InvalidAttributeName", "InvalidAttributeValue", "UnsupportedOperation",
		"BatchRequestTooLong":
		return fault.Permanent, true
	default:
		return fault.Unknown, false
	}
}
