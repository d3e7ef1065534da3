package sqs

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// Settings are the queue attributes that decide what happens to its messages.
type Settings struct {
	ARN  string
	FIFO bool
	// Visibility is how long a received message is hidden, Retention how long a message is kept; 0 if the service does not say,
	// as with emulators.
	Visibility, Retention time.Duration
	// Encrypted is whether the messages are encrypted at rest.
	Encrypted bool
	// DeadLetters is the ARN of the queue that gets a message after it was received MaxReceives times; empty if there is none.
	DeadLetters string
	MaxReceives int
}

// Describe returns the queue's settings. Errors are *fault.Error.
func (f *Found) Describe(ctx context.Context) (Settings, error) {
	answer, err := f.sdk.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{
		QueueUrl: &f.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return Settings{}, awsclient.Call{Name: "SQS GetQueueAttributes", Kind: kindOfCode}.Fault(err)
	}
	return settingsOf(answer.Attributes), nil
}

func settingsOf(attributes map[string]string) Settings {
	wait := func(name string) time.Duration {
		n, _ := strconv.Atoi(attributes[name])
		return time.Duration(n) * time.Second
	}
	s := Settings{
		ARN: attributes["QueueArn"], FIFO: attributes["FifoQueue"] == "true",
		Visibility: wait("VisibilityTimeout"), Retention: wait("MessageRetentionPeriod"),
		Encrypted: attributes["SqsManagedSseEnabled"] == "true" || attributes["KmsMasterKeyId"] != "",
	}
	// SQS writes the count as a number, and also accepts a string.
	var policy struct {
		Target   string `json:"deadLetterTargetArn"`
		Receives any    `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(attributes["RedrivePolicy"]), &policy) != nil {
		return s
	}
	s.DeadLetters = policy.Target
	switch n := policy.Receives.(type) {
	case float64:
		s.MaxReceives = int(n)
	case string:
		s.MaxReceives, _ = strconv.Atoi(n)
	}
	return s
}
