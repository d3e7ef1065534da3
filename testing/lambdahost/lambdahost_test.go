//go:build unix

package lambdahost

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test's own binary be the bootstrap of every function: one that answers with the event that it got, prints the
// names of its variables, and does what the query says.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	lambda.Start(func(_ context.Context, event json.RawMessage) (any, error) {
		fmt.Printf("event %s\n", event)
		var request events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(event, &request); err != nil || request.Version == "" {
			return events.SQSEventResponse{}, nil //nolint:nilerr // an event of a queue is done with.
		}
		switch request.RawQueryString {
		case "fail":
			return nil, errors.New("as asked")
		case "wait":
			time.Sleep(time.Second)
		case "environment":
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: strings.Join(os.Environ(), "\n")}, nil
		}
		return events.APIGatewayV2HTTPResponse{
			StatusCode: http.StatusAccepted, Headers: map[string]string{"Content-Type": "application/json", "X-Echo": "yes"}, Body: string(event),
		}, nil
	})
}

// stackYAML is a small stack with everything that a host plays.
const stackYAML = `
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      CorsConfiguration:
        {AllowOrigins: ["https://console.example.com"], AllowMethods: [GET, POST], AllowHeaders: [content-type], MaxAge: 600}
  EchoRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {RouteKey: POST /sms/inbound, Target: !Sub "integrations/${EchoIntegration}"}
  RelayRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {RouteKey: POST /sms/relay, Target: !Sub "integrations/${EchoIntegration}", AuthorizationType: AWS_IAM}
  SlowRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {RouteKey: GET /sms/health, Target: !Sub "integrations/${HastyIntegration}"}
  EchoIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {IntegrationUri: !GetAtt Echo.Arn, PayloadFormatVersion: "2.0", TimeoutInMillis: 20000}
  HastyIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {IntegrationUri: !GetAtt Echo.Arn, PayloadFormatVersion: "2.0", TimeoutInMillis: 100}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Role: !GetAtt EchoRole.Arn
      Timeout: 20
      MemorySize: 128
      ReservedConcurrentExecutions: 1
      LoggingConfig: {LogFormat: JSON, LogGroup: /relay/echo, ApplicationLogLevel: INFO}
      Environment: {Variables: {QUEUE_URL: !Ref Inbox, LIMIT: 5}}
  Mapped:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Role: !GetAtt MappedRole.Arn
      Timeout: 20
      MemorySize: 128
      LoggingConfig: {LogFormat: JSON, LogGroup: /relay/mapped, ApplicationLogLevel: INFO}
      Events:
        Inbox: {Type: SQS, Properties: {Queue: !GetAtt Inbox.Arn, BatchSize: 10}}
  EchoRole: {Type: AWS::IAM::Role}
  MappedRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "sqs:*", Resource: !GetAtt Inbox.Arn}
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/ledger"}
  Inbox:
    Type: AWS::SQS::Queue
    Properties: {QueueName: inbox.fifo, FifoQueue: true}
`

// emulators answer for all services. The queue holds one message.
type emulators struct {
	mu      sync.Mutex
	deleted chan string
	given   bool
}

func (e *emulators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch operation {
	case "CreateQueue":
		_, _ = io.WriteString(w, `{"QueueUrl":"http://`+r.Host+`/000000000000/inbox.fifo"}`)
	case "GetQueueAttributes":
		_, _ = io.WriteString(w, `{"Attributes":{"VisibilityTimeout":"30"}}`)
	case "ListStreams":
		if strings.Contains(string(body), `"ledger"`) {
			_, _ = io.WriteString(w, `{"Streams":[{"StreamArn":"arn:aws:dynamodb:ddblocal:0:table/ledger/stream/1"}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"Streams":[]}`)
	case "ReceiveMessage":
		_, _ = io.WriteString(w, e.receive(r.Context()))
	case "DeleteMessageBatch":
		var asked struct {
			Entries []struct{ ID, ReceiptHandle string }
		}
		_ = json.Unmarshal(body, &asked)
		for _, entry := range asked.Entries {
			e.deleted <- entry.ReceiptHandle
		}
		_, _ = io.WriteString(w, `{"Successful":[{"Id":"0"}],"Failed":[]}`)
	default:
		_, _ = io.WriteString(w, `{}`)
	}
}

// receive hands the message out once, and after that lets receivers wait for a while.
func (e *emulators) receive(ctx context.Context) string {
	e.mu.Lock()
	first := !e.given
	e.given = true
	e.mu.Unlock()
	if !first {
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		return `{}`
	}
	sum := md5.Sum([]byte("hello"))
	return `{"Messages":[{"MessageId":"m1","ReceiptHandle":"handle-1","Body":"hello","MD5OfBody":"` + hex.EncodeToString(sum[:]) +
		`","Attributes":{"MessageGroupId":"a","ApproximateReceiveCount":"1"}}]}`
}

// stage is a host whose functions are this binary, and what came of it.
type stage struct {
	*Host
	*emulators

	mu       sync.Mutex
	lines    map[string][]string
	requests []Request
}

// newStage starts the stack. edits replace parts of its template, each pair once.
func newStage(t *testing.T, edits ...string) (*stage, error) {
	t.Helper()
	text := stackYAML
	for i := 0; i < len(edits); i += 2 {
		if strings.Count(text, edits[i]) != 1 {
			t.Fatalf("the template does not hold %q once", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	artefacts := t.TempDir()
	for _, id := range []string{"Echo", "Mapped"} {
		if err := errors.Join(os.Mkdir(filepath.Join(artefacts, id), 0o700),
			os.Symlink(self, filepath.Join(artefacts, id, "bootstrap"))); err != nil {
			t.Fatal(err)
		}
	}
	s := &stage{emulators: &emulators{deleted: make(chan string, 1)}, lines: map[string][]string{}}
	server := httptest.NewServer(s.emulators)
	t.Cleanup(server.Close)
	s.Host, err = Start(t.Context(), Config{
		Template: []byte(text), StackName: "Relay", Artefacts: artefacts, DynamoDB: server.URL, SQS: server.URL, Other: server.URL,
		Environment: map[string]string{"ONLY_HERE": "yes"}, OnLine: s.said,
		OnRequest: func(r Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.requests = append(s.requests, r)
		},
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func started(t *testing.T) *stage {
	t.Helper()
	s, err := newStage(t)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) said(function string, line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[function] = append(s.lines[function], string(line))
}

// got waits for the function's first event.
func (s *stage) got(t *testing.T, function string, into any) {
	t.Helper()
	for range 500 {
		s.mu.Lock()
		for _, line := range s.lines[function] {
			if event, ok := strings.CutPrefix(line, "event "); ok {
				s.mu.Unlock()
				if err := json.Unmarshal([]byte(event), into); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		s.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s got no event", function)
}

// compare fails unless got is want.
func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
