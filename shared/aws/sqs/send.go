package sqs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// Send puts the message on the queue. On a queue without order the group and the deduplication id are left out: SQS
// refuses the latter there.
func (q *Queue) Send(ctx context.Context, message queue.Outgoing) error {
	if err := q.check(message); err != nil {
		return &fault.Error{Kind: fault.Permanent, Err: err}
	}
	input := &sdk.SendMessageInput{
		QueueUrl:          &q.url,
		MessageBody:       &message.Body,
		MessageAttributes: encodeAttributes(message.Attributes),
	}
	if q.fifo {
		input.MessageGroupId, input.MessageDeduplicationId = &message.Group, &message.DeduplicationID
	} else {
		input.DelaySeconds = seconds(message.Delay)
	}
	var witness awsclient.Witness
	_, err := q.client.SendMessage(ctx, input, func(o *sdk.Options) {
		witness.Retryer = o.Retryer
		o.Retryer = &witness
	})
	if err != nil {
		call := awsclient.Call{Name: "SQS SendMessage", Writes: true, Doubtful: witness.Doubtful, Kind: kindOfCode}
		return call.Fault(err)
	}
	return nil
}

// maxSize is the largest size of a message's body and attributes together that SQS accepts, in bytes.
const maxSize = 1 << 20

// check refuses what SQS, or this kind of queue, never accepts. SQS would refuse most of it, but the SDK sends bytes that are
// not text as U+FFFD, so a different message would be queued.
func (q *Queue) check(message queue.Outgoing) error {
	switch {
	case q.fifo && (message.Group == "" || message.DeduplicationID == ""):
		return errors.New("a FIFO queue needs a group and a deduplication id")
	case q.fifo && message.Delay > 0:
		return errors.New("a FIFO queue cannot delay one message")
	case size(message) > maxSize:
		return fmt.Errorf("a message of %d bytes is too long, at most %d", size(message), maxSize)
	case !isXML(message.Body):
		return errors.New("the body holds what is not a character of XML 1.0")
	}
	for name, value := range message.Attributes {
		if !isXML(value) {
			return fmt.Errorf("attribute %s holds what is not a character of XML 1.0", name)
		}
	}
	return nil
}

// size returns what SQS counts against its limit.
func size(message queue.Outgoing) int {
	total := len(message.Body)
	for name, value := range message.Attributes {
		total += len(name) + len("String") + len(value)
	}
	return total
}

// isXML reports whether SQS accepts the text: valid UTF-8 with only the characters of XML 1.0.
func isXML(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		white := r == '\t' || r == '\n' || r == '\r'
		return r < ' ' && !white || r == '\uFFFE' || r == '\uFFFF'
	})
}

// encodeAttributes returns the attributes as SQS has them; nil for none.
func encodeAttributes(attributes map[string]string) map[string]types.MessageAttributeValue {
	if len(attributes) == 0 {
		return nil
	}
	encoded := make(map[string]types.MessageAttributeValue, len(attributes))
	for name, value := range attributes {
		encoded[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	return encoded
}
