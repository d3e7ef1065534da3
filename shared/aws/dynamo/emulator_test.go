package dynamo_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestLedgerConformance runs the ledger's suite against DynamoDB Local.
func TestLedgerConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestLedger(t, func(t *testing.T) relaytest.LedgerUnderTest {
		t.Helper()
		l := e.ledger(t)
		return relaytest.LedgerUnderTest{Store: l, Lister: l, Slow: true}
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

func TestUnreadableRouteConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestUnreadableRoute(t, func(t *testing.T) (route.Table, relaytest.Spoil) {
		t.Helper()
		table := e.createTable(t, dynamo.RoutesSchema())
		return dynamo.NewRoutes(e.config, table), e.spoiler(table)
	})
}

// spoiler writes a route as somebody does who gets an attribute wrong.
func (e emulator) spoiler(table string) relaytest.Spoil {
	return func(t *testing.T, r route.Route, attribute string) {
		t.Helper()
		threads := &types.AttributeValueMemberL{}
		for _, thread := range r.Threads {
			threads.Value = append(threads.Value, &types.AttributeValueMemberS{Value: string(thread)})
		}
		item := map[string]types.AttributeValue{
			"TwilioNumber":       &types.AttributeValueMemberS{Value: string(r.TwilioNumber)},
			"DestinationCarrier": &types.AttributeValueMemberS{Value: string(r.DestinationCarrier)},
			"Active":             &types.AttributeValueMemberBOOL{Value: r.Active},
			"Threads":            threads,
		}
		item[attribute] = &types.AttributeValueMemberN{Value: "7"}
		if _, err := e.client.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

// emulator is DynamoDB Local.
type emulator struct {
	config aws.Config
	client *sdk.Client
}

// newEmulator returns the emulator that make test-aws started; its clients use httpClient if that is not nil.
func newEmulator(t *testing.T, httpClient aws.HTTPClient) emulator {
	t.Helper()
	c := relaytest.Emulator(t, relaytest.EmulatorDynamoDB)
	if httpClient != nil {
		c.HTTPClient = httpClient
	}
	config := awsclient.New(c)
	return emulator{config: config, client: sdk.NewFromConfig(config)}
}

func (e emulator) ledger(t *testing.T) *dynamo.Ledger {
	t.Helper()
	return dynamo.NewLedger(e.config, dynamo.LedgerConfig{
		Table: e.createTable(t, dynamo.LedgerSchema()), Retention: suiteRetention, Now: time.Now,
	})
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
	}
	if schema.SortKey != "" {
		input.KeySchema = append(input.KeySchema, types.KeySchemaElement{AttributeName: &schema.SortKey, KeyType: types.KeyTypeRange})
	}
	if schema.StreamViewType != "" {
		input.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(schema.StreamViewType),
		}
	}
	keys := map[string]bool{schema.Key: true}
	if schema.SortKey != "" {
		keys[schema.SortKey] = true
	}
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

// loser is an HTTP client that loses the answer to its first PutItem.
type loser struct {
	http.Client

	lost atomic.Bool
}

func (l *loser) Do(r *http.Request) (*http.Response, error) {
	response, err := l.Client.Do(r)
	if err == nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") && l.lost.CompareAndSwap(false, true) {
		return nil, errors.Join(lost(), response.Body.Close())
	}
	return response, err
}

// TestLostAnswerOnEmulator loses the answer to a claim that DynamoDB Local wrote.
func TestLostAnswerOnEmulator(t *testing.T) {
	t.Parallel()
	client := &loser{}
	e := newEmulator(t, client)
	l := e.ledger(t)
	created, err := l.Create(t.Context(), claimed(t, 1, "mine"))
	if err != nil || !client.lost.Load() {
		t.Fatalf("Create: error %v, an answer lost: %v", err, client.lost.Load())
	}
	stored, err := l.Get(t.Context(), created.MessageSid)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created, stored); diff != "" {
		t.Errorf("stored record (-returned +stored):\n%s", diff)
	}
}

// TestNumbersOnEmulator stores numbers that DynamoDB might write in another way.
func TestNumbersOnEmulator(t *testing.T) {
	t.Parallel()
	l := newEmulator(t, nil).ledger(t)
	for n, seconds := range []int64{0, 1_000_000_000, 1_800_000_000, 1<<63 - 1, -1 << 63} {
		r := claimed(t, n, "mine")
		r.ExpiresAt = seconds
		if _, err := l.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Get(t.Context(), r.MessageSid); err != nil || got.ExpiresAt != seconds {
			t.Errorf("stored %d, read %d, error %v", seconds, got.ExpiresAt, err)
		}
	}
}

// TestFaultsOnEmulator meets DynamoDB's own refusals.
func TestFaultsOnEmulator(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	missing := dynamo.NewLedger(e.config, dynamo.LedgerConfig{Table: "no-such-table", Now: time.Now})
	_, err := missing.Create(t.Context(), claimed(t, 1, "mine"))
	checkFault(t, "Create without a table", err, fault.Fatal)
	l := e.ledger(t)
	if _, err = l.Get(t.Context(), ""); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Get of no key: error %v, want ErrNotFound", err)
	}
	large := claimed(t, 1, "mine")
	large.Body = strings.Repeat("x", 400<<10)
	_, err = l.Create(t.Context(), large)
	checkFault(t, "Create beyond 400 kB", err, fault.Permanent)
}
