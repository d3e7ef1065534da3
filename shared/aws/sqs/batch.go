package sqs

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// maxBatch is the most messages in one call of SQS.
const maxBatch = 10

// ChangeVisibility changes how long messages in flight stay hidden, in whole seconds, rounded up. All changes are
// tried; the error is the first that failed.
func (q *Queue) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	var first error
	for batch := range slices.Chunk(changes, maxBatch) {
		if err := q.changeVisibility(ctx, batch); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (q *Queue) changeVisibility(ctx context.Context, changes []queue.Visibility) error {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(changes))
	for i, change := range changes {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id:                aws.String(strconv.Itoa(i)),
			ReceiptHandle:     aws.String(change.ReceiptHandle),
			VisibilityTimeout: seconds(change.Timeout),
		}
	}
	// A repeat hides the messages for the same time from then on: that does no harm.
	call := awsclient.Call{Name: "SQS ChangeMessageVisibilityBatch", Kind: kindOfCode}
	out, err := q.client.ChangeMessageVisibilityBatch(ctx, &sdk.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return call.Fault(err)
	}
	return failed(call, out.Failed)
}

// Delete removes messages that are done. All are tried; the error is the first that failed.
func (q *Queue) Delete(ctx context.Context, receiptHandles []string) error {
	var first error
	for batch := range slices.Chunk(receiptHandles, maxBatch) {
		if err := q.deleteBatch(ctx, batch); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (q *Queue) deleteBatch(ctx context.Context, receiptHandles []string) error {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(receiptHandles))
	for i, handle := range receiptHandles {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(handle)}
	}
	call := awsclient.Call{Name: "SQS DeleteMessageBatch", Kind: kindOfCode}
	out, err := q.client.DeleteMessageBatch(ctx, &sdk.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return call.Fault(err)
	}
	return failed(call, out.Failed)
}

// failed returns the first entry of a batch that failed although its handle is valid, as a fault. A batch is answered with 200
// even if none of its entries succeeded.
func failed(call awsclient.Call, entries []types.BatchResultErrorEntry) error {
	for _, entry := range entries {
		if lapsed(entry) {
			continue
		}
		return call.EntryFault(aws.ToString(entry.Code), entry.SenderFault)
	}
	return nil
}

// lapsed reports whether the entry failed because its receipt handle no longer names a message in flight. SQS has codes of its
// own for that, but for a handle that was valid before, only the message names the parameter.
func lapsed(entry types.BatchResultErrorEntry) bool {
	switch strings.TrimPrefix(aws.ToString(entry.Code), "AWS.SimpleQueueService.") {
	case "ReceiptHandleIsInvalid", "MessageNotInflight":
		return true
	case "InvalidParameterValue":
		return strings.Contains(aws.ToString(entry.Message), "ReceiptHandle")
	default:
		return false
	}
}
