package dynamo_test

import (
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/awsclient"
	"quickdumpnow.com/smsrelay/shared/dynamo"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/route"
)

// TestLedgerConformance runs the ledger's suite against DynamoDB Local.
func TestLedgerConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestLedger(t, func(t *testing.T) relaytest.LedgerUnderTest {
		t.Helper()
		l := e.ledger(t)
		return relaytest.LedgerUnderTest{Store: l, Lister: l}
	})
}

// TestRoutesConformance runs the routing table's suite against DynamoDB Local.
func TestRoutesConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestRoutes(t, func(t *testing.T) route.Table {
		t.Helper()
		return dynamo.NewRoutes(e.config, e.createTable(t, dynamo.RoutesSchema()))
	})
}

// emulator is DynamoDB Local.
type emulator struct {
	config aws.Config
	client *sdk.Client
}

// newEmulator returns the emulator that make test-aws started; httpClient, if not nil, stands before it.
func newEmulator(t *testing.T, httpClient aws.HTTPClient) emulator {
	t.Helper()
	endpoint := os.Getenv("RELAY_TEST_DYNAMODB_URL")
	if endpoint == "" {
		t.Skip("no DynamoDB Local: run make test-aws")
	}
	config := awsclient.New(awsclient.Config{
		Region:          os.Getenv("AWS_REGION"),
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		Endpoint:        endpoint,
		AttemptTimeout:  20 * time.Second,
		HTTPClient:      httpClient,
	})
	return emulator{config: config, client: sdk.NewFromConfig(config)}
}

func (e emulator) ledger(t *testing.T) *dynamo.Ledger {
	t.Helper()
	return dynamo.NewLedger(e.config, dynamo.LedgerConfig{Table: e.createTable(t, dynamo.LedgerSchema()), Now: time.Now})
}

// createTable creates an empty table of the schema and returns its name.
func (e emulator) createTable(t *testing.T, schema dynamo.TableSchema) string {
	t.Helper()
	input := createTableInput("test-"+rand.Text(), schema)
	if _, err := e.client.CreateTable(t.Context(), input); err != nil {
		t.Fatalf("CreateTable: %v", err)
	}
	return *input.TableName
}

func createTableInput(name string, schema dynamo.TableSchema) *sdk.CreateTableInput {
	input := &sdk.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   []types.KeySchemaElement{{AttributeName: &schema.Key, KeyType: types.KeyTypeHash}},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(schema.StreamViewType),
		},
	}
	keys := map[string]bool{schema.Key: true}
	for _, index := range schema.Indexes {
		keys[index.PartitionKey], keys[index.SortKey] = true, true
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index.Name),
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String(index.PartitionKey), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String(index.SortKey), KeyType: types.KeyTypeRange},
			},
			Projection: &types.Projection{ProjectionType: types.ProjectionType(index.Projection)},
		})
	}
	for key := range keys {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(key), AttributeType: types.ScalarAttributeTypeS,
		})
	}
	return input
}
