package provision_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/testing/lambdahost/provision"
	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// services are emulators that note what they are asked for, and fail where a test says so.
type services struct {
	mu    sync.Mutex
	calls []call
	// failing is the operation that is refused.
	failing string
}

// call is one request: "CreateQueue" and its input, or of S3 the method and the path.
type call struct {
	operation string
	input     map[string]any
}

// ServeHTTP answers as DynamoDB, SQS, CloudWatch Logs and S3 would, in as much as a client reads of it.
func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if operation == "" {
		operation = r.Method + " " + r.URL.Path
	}
	c := call{operation: operation}
	if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 {
		_ = json.Unmarshal(body, &c.input)
	}
	s.mu.Lock()
	s.calls = append(s.calls, c)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch operation {
	case s.failing:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"LimitExceededException","message":"as in the test"}`)
	case "CreateQueue":
		_, _ = fmt.Fprintf(w, `{"QueueUrl":"http://queues.example.com/%v"}`, c.input["QueueName"])
	case "CreateTable":
		_, _ = fmt.Fprintf(w, `{"TableDescription":{"LatestStreamArn":"arn:aws:dynamodb:ddblocal:0:table/%v/stream/1"}}`, c.input["TableName"])
	default:
		_, _ = io.WriteString(w, `{}`)
	}
}

// operations returns what was asked for, in order.
func (s *services) operations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, c := range s.calls {
		names = append(names, c.operation)
	}
	return names
}

// input returns what the operation was last asked with.
func (s *services) input(t *testing.T, operation string) map[string]any {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.calls) {
		if c.operation == operation {
			return c.input
		}
	}
	t.Fatalf("%s was not called", operation)
	return nil
}

// create makes the stack of a template whose resources are those given.
func create(t *testing.T, s *services, resources string) (*provision.Stack, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	parsed, err := template.Parse([]byte("Resources:\n"+resources), nil)
	if err != nil {
		t.Fatal(err)
	}
	config := awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: server.URL,
		AttemptTimeout: 5 * time.Second, MaxAttempts: 1,
	})
	return provision.Create(t.Context(), parsed, provision.Account{
		ID: "000000000000", Region: "us-east-1", StackName: "Relay", DynamoDB: config, SQS: config, Other: config,
		APIEndpoint: "http://127.0.0.1:1",
	})
}

func mustCreate(t *testing.T, s *services, resources string) *provision.Stack {
	t.Helper()
	stack, err := create(t, s, resources)
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// checkNames compares what references to a resource mean with what they must mean, by attribute.
func checkNames(t *testing.T, stack *provision.Stack, id string, want map[string]string) {
	t.Helper()
	for attribute, name := range want {
		if got, ok := stack.Physical(id, attribute); !ok || got != name {
			t.Errorf("%s.%s is %q, %v, want %q", id, attribute, got, ok, name)
		}
	}
}

// compare fails unless got is want.
func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestNames: what needs no emulator has the names that CloudFormation would give it.
func TestNames(t *testing.T) {
	s := &services{}
	stack := mustCreate(t, s, `
  Ingest: {Type: "AWS::Serverless::Function"}
  IngestRole: {Type: "AWS::IAM::Role"}
  Api: {Type: "AWS::ApiGatewayV2::Api"}
  Alarms: {Type: "AWS::SNS::Topic"}
  Board: {Type: "AWS::CloudWatch::Dashboard"}
`)
	for id, want := range map[string]map[string]string{
		"Ingest":     {"": "Relay-Ingest", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:Relay-Ingest"},
		"IngestRole": {"": "IngestRole", "Arn": "arn:aws:iam::000000000000:role/Relay-IngestRole"},
		"Api":        {"": "Api", "ApiEndpoint": "http://127.0.0.1:1"},
		"Alarms":     {"": "arn:aws:sns:us-east-1:000000000000:Relay-Alarms", "TopicArn": "arn:aws:sns:us-east-1:000000000000:Relay-Alarms"},
		"Board":      {"": "Board"},
		// Those that CloudFormation itself knows.
		"AWS::Region": {"": "us-east-1"}, "AWS::AccountId": {"": "000000000000"}, "AWS::Partition": {"": "aws"}, "AWS::StackName": {"": "Relay"},
		"AWS::URLSuffix": {"": "amazonaws.com"}, "AWS::StackId": {"": "arn:aws:cloudformation:us-east-1:000000000000:stack/Relay/1"},
	} {
		checkNames(t, stack, id, want)
	}
	for _, unknown := range [][2]string{{"Ingest", "Version"}, {"Nobody", ""}, {"Api", "Arn"}} {
		if got, ok := stack.Physical(unknown[0], unknown[1]); ok {
			t.Errorf("%v is %q, and there is no such thing", unknown, got)
		}
	}
	if calls := s.operations(); len(calls) > 0 {
		t.Errorf("the emulators were asked for %v", calls)
	}
}

// TestInto reads properties with all references resolved, and names one that means nothing.
func TestInto(t *testing.T) {
	stack := mustCreate(t, &services{}, `
  Ingest: {Type: "AWS::Serverless::Function"}
`)
	var read struct {
		Target string
		Names  []string
	}
	err := stack.Into(map[string]any{
		"Target": map[string]any{"Fn::GetAtt": "Ingest.Arn"},
		"Names":  []any{map[string]any{"Ref": "Ingest"}, map[string]any{"Fn::Sub": "${AWS::Region}/${Ingest}"}},
	}, &read)
	if err != nil || read.Target != "arn:aws:lambda:us-east-1:000000000000:function:Relay-Ingest" {
		t.Errorf("read %+v, %v", read, err)
	}
	compare(t, "names", []string{"Relay-Ingest", "us-east-1/Relay-Ingest"}, read.Names)
	if err := stack.Into(map[string]any{"Target": map[string]any{"Ref": "Nobody"}}, &read); err == nil ||
		!strings.Contains(err.Error(), "Nobody") {
		t.Errorf("a reference to nothing: %v", err)
	}
}

// TestUnknownType: a resource that is silently left out would be one that nobody tested.
func TestUnknownType(t *testing.T) {
	_, err := create(t, &services{}, `
  Board: {Type: "AWS::Chess::Board"}
`)
	if err == nil || !strings.Contains(err.Error(), "Board") || !strings.Contains(err.Error(), "AWS::Chess::Board") {
		t.Errorf("error %v, want one that names the resource and its type", err)
	}
}

// TestDelete takes away what was made, the last first, goes on after a failure, and does so once.
func TestDelete(t *testing.T) {
	const two = `
  First: {Type: "AWS::SQS::Queue", Properties: {QueueName: first}}
  Second: {Type: "AWS::DynamoDB::Table", Properties: {TableName: second}}
`
	s := &services{}
	stack := mustCreate(t, s, two)
	s.failing = "DeleteTable"
	if err := stack.Delete(context.Background()); err == nil || !strings.Contains(err.Error(), "as in the test") {
		t.Errorf("error %v, want that of the table", err)
	}
	if err := stack.Delete(context.Background()); err != nil {
		t.Errorf("a second time: %v", err)
	}
	compare(t, "calls", []string{"CreateQueue", "CreateTable", "DeleteTable", "DeleteQueue"}, s.operations())
	// What was made before an error goes again.
	s = &services{failing: "CreateTable"}
	if _, err := create(t, s, two); err == nil || !strings.Contains(err.Error(), "Second") {
		t.Errorf("error %v, want one that names the table", err)
	}
	compare(t, "calls", []string{"CreateQueue", "CreateTable", "DeleteQueue"}, s.operations())
}
