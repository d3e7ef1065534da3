package dynamo_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
)

// wireItem is an item in DynamoDB's wire form: {"Name": {"S": "text"}}.
type wireItem map[string]map[string]any

// text returns a string attribute.
func (i wireItem) text(name string) string {
	s, _ := i[name]["S"].(string)
	return s
}

// fakeDynamo keeps one table in memory and answers DynamoDB's wire protocol, as much of it as this package speaks, with
// DynamoDB's own refusals. It is the HTTP client of a configuration.
type fakeDynamo struct {
	schema dynamo.TableSchema
	// fault, if not nil, sees each request first and last: it may answer in the table's place, before the request takes
	// effect or after.
	fault func(operation string, n int, apply func() reply) reply
	// batchSize bounds what one BatchGetItem answers, and what one BatchWriteItem stores; 0 means all of it, -1 nothing.
	batchSize int
	// pageSize bounds what one Scan answers, and one Query of the table; 0 means all of it.
	pageSize int
	// forgetsTokens is whether a transaction with the token of an earlier one is a new one.
	forgetsTokens bool

	mu     sync.Mutex
	items  map[string]wireItem
	calls  map[string]int
	tokens map[string]bool
}

func newFake(schema dynamo.TableSchema) *fakeDynamo {
	return &fakeDynamo{schema: schema, items: map[string]wireItem{}, calls: map[string]int{}, tokens: map[string]bool{}}
}

// config returns a configuration that leads to the fake.
func (f *fakeDynamo) config() aws.Config {
	return awsclient.New(awsclient.Config{Region: "us-east-1", AccessKeyID: "fake-id", SecretAccessKey: "fake-secret", HTTPClient: f})
}

// store puts an item written by hand.
func (f *fakeDynamo) store(t *testing.T, text string) {
	t.Helper()
	var i wireItem
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		t.Fatal(err)
	}
	f.items[f.keyOf(i)] = i
}

// keyOf returns an item's whole key as one string.
func (f *fakeDynamo) keyOf(i wireItem) string {
	if f.schema.SortKey == "" {
		return i.text(f.schema.Key)
	}
	return i.text(f.schema.Key) + "\x00" + i.text(f.schema.SortKey)
}

// keysIn returns an item's key attributes.
func (f *fakeDynamo) keysIn(i wireItem) wireItem {
	keys := wireItem{f.schema.Key: i[f.schema.Key]}
	if f.schema.SortKey != "" {
		keys[f.schema.SortKey] = i[f.schema.SortKey]
	}
	return keys
}

// refusal is an answer that is no success.
type refusal struct {
	status  int
	code    string
	item    wireItem
	reasons []reason
}

func (r refusal) Error() string { return r.code }

func invalid() error { return refusal{status: http.StatusBadRequest, code: "ValidationException"} }

// Do answers a request.
func (f *fakeDynamo) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	f.calls[operation]++
	apply := func() reply { return answer(f.operate(operation, body)) }
	fault := f.fault
	if fault == nil {
		fault = func(_ string, _ int, apply func() reply) reply { return apply() }
	}
	result := fault(operation, f.calls[operation], apply)
	if result.err != nil {
		return nil, result.err
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"request-1"}}
	return &http.Response{StatusCode: result.status, Header: header, Body: io.NopCloser(bytes.NewReader(result.body))}, nil
}

// reply is what becomes of a request: an answer or a connection that failed.
type reply struct {
	status int
	body   []byte
	err    error
}

// lost is the error of a connection that broke after the request had left.
func lost() error {
	return &url.Error{Op: "Post", URL: "https://dynamodb.example/", Err: errors.New("connection reset by peer")}
}

// refuse is an answer that is no success.
func refuse(status int, code string) reply {
	return answer(nil, refusal{status: status, code: code})
}

func answer(result any, err error) reply {
	status := http.StatusOK
	if refused, ok := errors.AsType[refusal](err); ok {
		status = refused.status
		result = map[string]any{
			"__type": "com.amazonaws.dynamodb#" + refused.code, "message": "Hello is what was sent",
			"Item": refused.item, "CancellationReasons": refused.reasons,
		}
	} else if err != nil {
		panic(err)
	}
	body, err := json.Marshal(result)
	if err != nil {
		panic(err)
	}
	return reply{status: status, body: body}
}

func (f *fakeDynamo) operate(operation string, body []byte) (any, error) {
	switch operation {
	case "PutItem":
		return operate(body, f.put)
	case "GetItem":
		return operate(body, f.get)
	case "BatchGetItem":
		return operate(body, f.batchGet)
	case "BatchWriteItem":
		return operate(body, f.batchWrite)
	case "TransactWriteItems":
		return operate(body, f.transact)
	case "Query":
		return operate(body, f.query)
	case "Scan":
		return operate(body, f.scan)
	default:
		return nil, fmt.Errorf("no operation %q", operation)
	}
}

func operate[In any](body []byte, do func(In) (any, error)) (any, error) {
	var in In
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return nil, err
	}
	return do(in)
}

// expression is what conditions are made of.
type expression struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues wireItem
}

type putInput struct {
	expression
	TableName                           string
	Item                                wireItem
	ConditionExpression                 string
	ReturnValuesOnConditionCheckFailure string
}

func (f *fakeDynamo) put(in putInput) (any, error) {
	for _, index := range f.schema.Indexes {
		for _, key := range []string{index.PartitionKey, index.SortKey} {
			if _, ok := in.Item[key]; ok && in.Item.text(key) == "" {
				return nil, invalid()
			}
		}
	}
	stored, exists := f.items[f.keyOf(in.Item)]
	var holds bool
	switch in.ConditionExpression {
	case "attribute_not_exists(#key)":
		holds = !exists && in.ExpressionAttributeNames["#key"] == f.schema.Key
	case "attribute_exists(#key) AND attribute_not_exists(#version)":
		_, versioned := stored[in.ExpressionAttributeNames["#version"]]
		holds = exists && !versioned && in.ExpressionAttributeNames["#key"] == f.schema.Key
	case "#version = :version":
		holds = exists && fmt.Sprint(stored["Version"]) == fmt.Sprint(in.ExpressionAttributeValues[":version"])
	default:
		return nil, invalid()
	}
	if !holds {
		return nil, refusal{status: http.StatusBadRequest, code: "ConditionalCheckFailedException", item: stored}
	}
	f.items[f.keyOf(in.Item)] = in.Item
	return struct{}{}, nil
}

type getInput struct {
	TableName      string
	Key            wireItem
	ConsistentRead bool
}

func (f *fakeDynamo) get(in getInput) (any, error) {
	stored, ok := f.items[f.keyOf(in.Key)]
	if !ok || !in.ConsistentRead {
		return struct{}{}, nil
	}
	return map[string]any{"Item": stored}, nil
}

type batchGetInput struct {
	RequestItems map[string]struct {
		Keys           []wireItem
		ConsistentRead bool
	}
}

// batchGet finds nothing in a table with a sort key unless it reads consistently, as get does.
func (f *fakeDynamo) batchGet(in batchGetInput) (any, error) {
	for table, request := range in.RequestItems {
		seen := map[string]bool{}
		found := []wireItem{}
		for i, key := range request.Keys {
			name := f.keyOf(key)
			if key.text(f.schema.Key) == "" || seen[name] || i >= 100 {
				return nil, invalid()
			}
			seen[name] = true
			if f.batchSize != 0 && i >= f.batchSize {
				return map[string]any{
					"Responses": map[string]any{table: found},
					"UnprocessedKeys": map[string]any{table: map[string]any{
						"Keys": request.Keys[i:], "ConsistentRead": request.ConsistentRead,
					}},
				}, nil
			}
			if stored, ok := f.items[name]; ok && (f.schema.SortKey == "" || request.ConsistentRead) {
				found = append(found, stored)
			}
		}
		return map[string]any{"Responses": map[string]any{table: found}, "UnprocessedKeys": map[string]any{}}, nil
	}
	return nil, invalid()
}

type queryInput struct {
	expression
	TableName              string
	IndexName              string
	KeyConditionExpression string
	ExclusiveStartKey      wireItem
	ScanIndexForward       *bool
	Limit                  int
}

func (f *fakeDynamo) query(in queryInput) (any, error) {
	if in.IndexName == "" {
		return f.queryTable(in)
	}
	at := slices.IndexFunc(f.schema.Indexes, func(i dynamo.IndexSchema) bool { return i.Name == in.IndexName })
	low, high := in.ExpressionAttributeValues.text(":low"), in.ExpressionAttributeValues.text(":high")
	partition := in.ExpressionAttributeValues.text(":partition")
	if at < 0 || low > high || partition == "" || in.KeyConditionExpression != "#partition = :partition AND #key BETWEEN :low AND :high" ||
		*in.ScanIndexForward {
		return nil, invalid()
	}
	index := f.schema.Indexes[at]
	found := []wireItem{}
	for _, stored := range f.items {
		key := stored.text(index.SortKey)
		if stored.text(index.PartitionKey) == partition && key >= low && key <= high {
			found = append(found, wireItem{
				f.schema.Key: stored[f.schema.Key], index.PartitionKey: stored[index.PartitionKey],
				index.SortKey: stored[index.SortKey],
			})
		}
	}
	slices.SortFunc(found, func(a, b wireItem) int { return cmp.Compare(b.text(index.SortKey), a.text(index.SortKey)) })
	if len(found) < in.Limit {
		return map[string]any{"Items": found}, nil
	}
	return map[string]any{"Items": found[:in.Limit], "LastEvaluatedKey": found[in.Limit-1]}, nil
}

type scanInput struct {
	TableName         string
	ExclusiveStartKey wireItem
	Limit             int

	FilterExpression          string
	ProjectionExpression      string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues wireItem
}

// wants reports whether the filter, if there is one, lets the item through.
func (in scanInput) wants(item wireItem) bool {
	if in.FilterExpression == "" {
		return true
	}
	prefix := in.ExpressionAttributeValues.text(":prefix")
	return in.FilterExpression == "begins_with(#item, :prefix)" && prefix != "" &&
		strings.HasPrefix(item.text(in.ExpressionAttributeNames["#item"]), prefix)
}

// project returns the attributes of an item that are asked for.
func (in scanInput) project(item wireItem) wireItem {
	if in.ProjectionExpression == "" {
		return item
	}
	asked := wireItem{}
	for name := range strings.SplitSeq(in.ProjectionExpression, ", ") {
		if value, ok := item[in.ExpressionAttributeNames[name]]; ok {
			asked[in.ExpressionAttributeNames[name]] = value
		}
	}
	return asked
}

// scan answers in no order that means anything, as DynamoDB does: here, by the last character first.
func (f *fakeDynamo) scan(in scanInput) (any, error) {
	keys := slices.SortedFunc(maps.Keys(f.items), func(a, b string) int { return cmp.Compare(reversed(a), reversed(b)) })
	if in.ExclusiveStartKey != nil {
		keys = keys[slices.Index(keys, f.keyOf(in.ExclusiveStartKey))+1:]
	}
	result := map[string]any{}
	if size := cmp.Or(in.Limit, f.pageSize); size > 0 && len(keys) > size {
		keys = keys[:size]
		result["LastEvaluatedKey"] = f.keysIn(f.items[keys[len(keys)-1]])
	}
	found := []wireItem{}
	for _, key := range keys {
		if in.wants(f.items[key]) {
			found = append(found, in.project(f.items[key]))
		}
	}
	result["Items"] = found
	return result, nil
}

func reversed(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}
