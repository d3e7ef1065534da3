package sqs_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestConformance runs the queue's suite against an emulator of SQS.
func TestConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestQueue(t, func(t *testing.T, o relaytest.QueueOptions) relaytest.QueueUnderTest {
		t.Helper()
		skipWhatElasticMQCannot(t)
		dead := e.createQueue(t, !o.Standard, nil)
		live := e.createQueue(t, !o.Standard, e.redriveTo(t, dead, o.MaxReceiveCount))
		q := sqs.New(e.config, live)
		return relaytest.QueueUnderTest{Sender: q, Receiver: q, Dead: sqs.New(e.config, dead)}
	})
}

// skipWhatElasticMQCannot leaves out what SQS promises and ElasticMQ does not keep: it hands out a group's first message
// while a later one of the group is still in flight.
func skipWhatElasticMQCannot(t *testing.T) {
	t.Helper()
	if strings.HasSuffix(t.Name(), "/a_group_is_locked_while_a_follower_of_a_shown_head_is_in_flight") {
		t.Skip("ElasticMQ locks a group only behind its first message")
	}
}

// emulator is an emulator of SQS.
type emulator struct {
	config aws.Config
	client *sdk.Client
}

// newEmulator returns the emulator that make test-aws started; its clients use httpClient if that is not nil.
func newEmulator(t *testing.T, httpClient *http.Client) emulator {
	t.Helper()
	c := relaytest.Emulator(t, relaytest.EmulatorSQS)
	if httpClient != nil {
		c.HTTPClient = httpClient
	}
	config := awsclient.New(c)
	return emulator{config: config, client: sdk.NewFromConfig(config)}
}

func (e emulator) createQueue(t *testing.T, fifo bool, attributes map[string]string) (queueURL string) {
	t.Helper()
	name := "test-" + rand.Text()
	if attributes == nil {
		attributes = map[string]string{}
	}
	if fifo {
		name += ".fifo"
		attributes["FifoQueue"] = "true"
	}
	out, err := e.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatalf("CreateQueue: %v", err)
	}
	return *out.QueueUrl
}

// redriveTo returns the attributes of a queue whose messages go to dead after maxReceiveCount receipts; 0 is many.
func (e emulator) redriveTo(t *testing.T, dead string, maxReceiveCount int) map[string]string {
	t.Helper()
	if maxReceiveCount == 0 {
		maxReceiveCount = 1000
	}
	out, err := e.client.GetQueueAttributes(t.Context(), &sdk.GetQueueAttributesInput{
		QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("GetQueueAttributes: %v", err)
	}
	policy, err := json.Marshal(map[string]string{
		"deadLetterTargetArn": out.Attributes["QueueArn"],
		"maxReceiveCount":     strconv.Itoa(maxReceiveCount),
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"RedrivePolicy": string(policy)}
}
