package bootstraps

import (
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"quickdumpnow.com/smsrelay/shared/awsclient"
	"quickdumpnow.com/smsrelay/shared/dynamo"
	"quickdumpnow.com/smsrelay/shared/relaytest"
)

// account is an AWS account, emulated by moto: all services behind one address, as a bootstrap sees AWS through
// AWS_ENDPOINT_URL.
type account struct {
	endpoint string
	config   aws.Config
}

func newAccount(t *testing.T) account {
	t.Helper()
	config := relaytest.Emulator(t, relaytest.EmulatorMoto)
	return account{endpoint: config.Endpoint, config: awsclient.New(config)}
}

// environment is what Lambda gives every function, and settings on top of it.
func (a account) environment(settings map[string]string) map[string]string {
	environment := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": a.endpoint,
	}
	for key, value := range settings {
		environment[key] = value
	}
	return environment
}

// queue makes a FIFO queue.
func (a account) queue(t *testing.T) string {
	t.Helper()
	return a.createQueue(t, &sqs.CreateQueueInput{
		QueueName: aws.String("test-" + rand.Text() + ".fifo"), Attributes: map[string]string{"FifoQueue": "true"},
	})
}

// timerQueue makes a queue without order.
func (a account) timerQueue(t *testing.T) string {
	t.Helper()
	return a.createQueue(t, &sqs.CreateQueueInput{QueueName: aws.String("test-" + rand.Text())})
}

func (a account) createQueue(t *testing.T, input *sqs.CreateQueueInput) string {
	t.Helper()
	out, err := sqs.NewFromConfig(a.config).CreateQueue(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

// delayed returns how many messages of a queue are held back until their time.
func (a account) delayed(t *testing.T, queueURL string) string {
	t.Helper()
	const name = sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed
	out, err := sqs.NewFromConfig(a.config).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queueURL, AttributeNames: []sqstypes.QueueAttributeName{name},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes[string(name)]
}

// keys returns the keys of a table's items.
func (a account) keys(t *testing.T, table, key string) []string {
	t.Helper()
	out, err := dynamodb.NewFromConfig(a.config).Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, item := range out.Items {
		if value, ok := item[key].(*types.AttributeValueMemberS); ok {
			keys = append(keys, value.Value)
		}
	}
	return keys
}

func (a account) secret(t *testing.T, value string) string {
	t.Helper()
	out, err := secretsmanager.NewFromConfig(a.config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("test-" + rand.Text()), SecretString: &value,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ARN
}

func (a account) logGroup(t *testing.T) string {
	t.Helper()
	name := "/test/" + rand.Text()
	if _, err := cloudwatchlogs.NewFromConfig(a.config).CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// lines returns what a log group holds.
func (a account) lines(t *testing.T, group string) []string {
	t.Helper()
	out, err := cloudwatchlogs.NewFromConfig(a.config).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, event := range out.Events {
		lines = append(lines, *event.Message)
	}
	return lines
}

func (a account) table(t *testing.T, schema dynamo.TableSchema) string {
	t.Helper()
	input := &dynamodb.CreateTableInput{
		TableName: aws.String("test-" + rand.Text()), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: &schema.Key, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &schema.Key, AttributeType: types.ScalarAttributeTypeS}},
	}
	defined := map[string]bool{schema.Key: true}
	for _, index := range schema.Indexes {
		keys := []types.KeySchemaElement{
			{AttributeName: aws.String(index.PartitionKey), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(index.SortKey), KeyType: types.KeyTypeRange},
		}
		for _, key := range keys {
			if !defined[*key.AttributeName] {
				defined[*key.AttributeName] = true
				input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{AttributeName: key.AttributeName, AttributeType: types.ScalarAttributeTypeS})
			}
		}
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index.Name), KeySchema: keys, Projection: &types.Projection{ProjectionType: types.ProjectionType(index.Projection)},
		})
	}
	if _, err := dynamodb.NewFromConfig(a.config).CreateTable(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	return *input.TableName
}
