package states_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// account is an AWS account whose services are emulated. The stories share its tables, in which each has numbers and texts
// of its own, and have queues of their own.
type account struct {
	tables, queues aws.Config
	client         *sdk.Client
	// records, routes, pace and conversations are the tables' names.
	records, routes, pace, conversations string
	// media is the bucket.
	media *mediabucket.Bucket
}

func newAccount(t *testing.T) account {
	t.Helper()
	a := account{
		tables: awsclient.New(relaytest.Emulator(t, relaytest.EmulatorDynamoDB)),
		queues: awsclient.New(relaytest.Emulator(t, relaytest.EmulatorSQS)),
	}
	a.client = sdk.NewFromConfig(a.queues)
	a.records = a.createTable(t, dynamo.LedgerSchema())
	a.routes = a.createTable(t, dynamo.RoutesSchema())
	a.pace = a.createTable(t, dynamo.PaceSchema())
	a.conversations = a.createTable(t, dynamo.ConversationsSchema())
	a.media = createBucket(t)
	return a
}

// createBucket makes an empty bucket.
func createBucket(t *testing.T) *mediabucket.Bucket {
	t.Helper()
	config, name := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto)), "test-"+strings.ToLower(rand.Text())
	client := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return mediabucket.New(config, name, time.Now)
}

// adapters returns the adapters of AWS as one story sees them. They live in real time.
func (a account) adapters(t *testing.T) adapters {
	t.Helper()
	dead := a.createQueue(t, ".fifo", nil)
	return a.withTables(adapters{
		texts:  a.box(a.createQueue(t, ".fifo", a.redriveTo(t, dead))),
		timers: a.box(a.createQueue(t, "", nil)),
		dead:   a.box(dead),
		now:    time.Now, wait: time.Second, idle: func() {},
	})
}

// withOwnClock returns the adapters of AWS but for the queues, whose clock cannot be set: they are doubles.
func (a account) withOwnClock(*testing.T) adapters { return a.withTables(queuesInMemory()) }

// withTables adds the account's tables and its bucket.
func (a account) withTables(all adapters) adapters {
	all.records = dynamo.NewLedger(a.tables, dynamo.LedgerConfig{Table: a.records, Retention: retention, Now: all.now})
	all.routes = dynamo.NewRoutes(a.tables, a.routes)
	all.pace = dynamo.NewPace(a.tables, a.pace)
	all.conversations = dynamo.NewConversations(a.tables, a.conversations)
	all.media = a.media
	return all
}

// createTable makes an empty table of the schema and returns its name.
func (a account) createTable(t *testing.T, schema dynamo.TableSchema) string {
	t.Helper()
	input := &dynamodb.CreateTableInput{
		TableName: aws.String("test-" + rand.Text()), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: &schema.Key, KeyType: dynamodbtypes.KeyTypeHash}},
	}
	keys := map[string]bool{schema.Key: true}
	if schema.SortKey != "" {
		keys[schema.SortKey] = true
		input.KeySchema = append(input.KeySchema,
			dynamodbtypes.KeySchemaElement{AttributeName: &schema.SortKey, KeyType: dynamodbtypes.KeyTypeRange})
	}
	for _, index := range schema.Indexes {
		keys[index.PartitionKey], keys[index.SortKey] = true, true
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, dynamodbtypes.GlobalSecondaryIndex{
			IndexName: aws.String(index.Name),
			KeySchema: []dynamodbtypes.KeySchemaElement{
				{AttributeName: aws.String(index.PartitionKey), KeyType: dynamodbtypes.KeyTypeHash},
				{AttributeName: aws.String(index.SortKey), KeyType: dynamodbtypes.KeyTypeRange},
			},
			Projection: &dynamodbtypes.Projection{ProjectionType: dynamodbtypes.ProjectionType(index.Projection)},
		})
	}
	for key := range keys {
		input.AttributeDefinitions = append(input.AttributeDefinitions, dynamodbtypes.AttributeDefinition{
			AttributeName: aws.String(key), AttributeType: dynamodbtypes.ScalarAttributeTypeS,
		})
	}
	if _, err := dynamodb.NewFromConfig(a.tables).CreateTable(t.Context(), input); err != nil {
		t.Fatalf("CreateTable: %v", err)
	}
	return *input.TableName
}

// createQueue makes an empty queue and returns its URL; the suffix ".fifo" makes it one with order.
func (a account) createQueue(t *testing.T, suffix string, attributes map[string]string) string {
	t.Helper()
	if attributes == nil {
		attributes = map[string]string{}
	}
	if suffix != "" {
		attributes["FifoQueue"] = "true"
	}
	out, err := a.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{
		QueueName: aws.String("test-" + rand.Text() + suffix), Attributes: attributes,
	})
	if err != nil {
		t.Fatalf("CreateQueue: %v", err)
	}
	return *out.QueueUrl
}

// redriveTo returns the attributes of a queue whose messages go to dead after many receives.
func (a account) redriveTo(t *testing.T, dead string) map[string]string {
	t.Helper()
	const arn = types.QueueAttributeNameQueueArn
	out, err := a.client.GetQueueAttributes(t.Context(),
		&sdk.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{arn}})
	if err != nil {
		t.Fatalf("GetQueueAttributes: %v", err)
	}
	policy, err := json.Marshal(map[string]string{
		"deadLetterTargetArn": out.Attributes[string(arn)], "maxReceiveCount": strconv.Itoa(manyReceives),
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"RedrivePolicy": string(policy)}
}

func (a account) box(queueURL string) sqsBox {
	return sqsBox{Queue: sqs.New(a.queues, queueURL), client: a.client, url: queueURL}
}

type sqsBox struct {
	*sqs.Queue

	client *sdk.Client
	url    string
}

func (b sqsBox) depth(ctx context.Context) (int, error) {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := b.client.GetQueueAttributes(ctx, &sdk.GetQueueAttributesInput{QueueUrl: &b.url, AttributeNames: names})
	if err != nil {
		return 0, err
	}
	depth := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, err
		}
		depth += n
	}
	return depth, nil
}
