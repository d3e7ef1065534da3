package iam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

const (
	queueARN  = "arn:aws:sqs:us-east-1:000000000000:q.fifo"
	logsARN   = "arn:aws:logs:us-east-1:000000000000:log-group:/audit:*"
	secretARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio/token-AbCdEf"
	bucketARN = "arn:aws:s3:::bucket"
	streamARN = table + "/stream/2026-11-26T00:00:00.000"
)

// backend imitates all services: it answers what it is told to, and notes what reached it.
type backend struct {
	mu      sync.Mutex
	reached []string
	bytes   int64
	// answers are given by the operation; others are {}. fail answers 500 to the next call.
	answers map[string]string
	fail    bool
}

func (b *backend) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	n, _ := io.Copy(io.Discard, request.Body)
	operation := operationOf(request)
	b.mu.Lock()
	defer b.mu.Unlock()
	if operation == "" {
		b.reached = append(b.reached, request.Method+" "+request.URL.Path)
	} else {
		b.reached = append(b.reached, operation)
	}
	b.bytes += n
	answer, ok := b.answers[operation]
	if !ok && operation != "" {
		answer = "{}"
	}
	if b.fail {
		b.fail = false
		w.WriteHeader(http.StatusInternalServerError)
	}
	_, _ = io.WriteString(w, answer)
}

// start serves a Recorder before a backend, and returns a client's configuration for it.
func start(t *testing.T, policy string) (*Recorder, *backend, aws.Config) {
	t.Helper()
	b := &backend{answers: map[string]string{}}
	services := httptest.NewServer(b)
	t.Cleanup(services.Close)
	backends := map[string]string{}
	for _, name := range []string{"dynamodb", "sqs", "logs", "secretsmanager", "s3"} {
		backends[name] = services.URL
	}
	r, err := New(Config{
		Region: "us-east-1", AccountID: "000000000000", Backends: backends,
		Principals: map[string][]Statement{"AKID": statements(t, policy)},
		Canonical:  func(arn string) string { return strings.Replace(arn, ":ddblocal:", ":us-east-1:", 1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	config := awsclient.New(awsclient.Config{Region: "us-east-1", AccessKeyID: "AKID", SecretAccessKey: "x", Endpoint: server.URL})
	config.RetryMaxAttempts = 1
	return r, b, config
}

// calls are one of each service, made by its own client.
func calls(config aws.Config) map[string]func(context.Context) error {
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	return map[string]func(context.Context) error{
		"GetItem": func(ctx context.Context) error {
			key := map[string]types.AttributeValue{"MessageSid": &types.AttributeValueMemberS{Value: "SM1"}}
			_, err := dynamodb.NewFromConfig(config).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: key})
			return err
		},
		// The queue's URL names the emulator's own host: the call goes to the endpoint all the same.
		"SendMessage": func(ctx context.Context) error {
			_, err := sqs.NewFromConfig(config).SendMessage(ctx, &sqs.SendMessageInput{
				QueueUrl: aws.String("http://elsewhere.invalid:9324/000000000000/q.fifo"), MessageBody: aws.String("x"),
			}, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
			return err
		},
		"PutLogEvents": func(ctx context.Context) error {
			_, err := cloudwatchlogs.NewFromConfig(config).PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{
				LogGroupName: aws.String("/audit"), LogStreamName: aws.String("s"),
				LogEvents: []logtypes.InputLogEvent{{Message: aws.String("x"), Timestamp: aws.Int64(1)}},
			})
			return err
		},
		"GetSecretValue": func(ctx context.Context) error {
			_, err := secretsmanager.NewFromConfig(config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(secretARN)})
			return err
		},
		"PUT /bucket/a b/c": func(ctx context.Context) error {
			_, err := objects.PutObject(ctx,
				&s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a b/c"), Body: strings.NewReader("x")})
			return err
		},
		"GET /bucket/a": func(ctx context.Context) error {
			answer, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a")})
			if err != nil {
				return err
			}
			return answer.Body.Close()
		},
	}
}

// TestServices: each service's own client gets through with the permission it needs, and hears what its service would say
// without.
func TestServices(t *testing.T) {
	needs := map[string]string{
		"GetItem": "dynamodb:GetItem " + table, "SendMessage": "sqs:SendMessage " + queueARN, "PutLogEvents": "logs:PutLogEvents " + logsARN,
		"GetSecretValue": "secretsmanager:GetSecretValue " + secretARN, "PUT /bucket/a b/c": "s3:PutObject " + bucketARN + "/*",
		"GET /bucket/a": "s3:GetObject " + bucketARN + "/*",
	}
	for name, need := range needs {
		t.Run(name, func(t *testing.T) {
			action, resource, _ := strings.Cut(need, " ")
			r, b, config := start(t, fmt.Sprintf(`[{"Effect":"Allow","Action":%q,"Resource":%q}]`, action, resource))
			if err := calls(config)[name](t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{name}, b.reached); diff != "" {
				t.Errorf("reached (-want +got):\n%s", diff)
			}
			if unused := r.Unused(); len(unused) > 0 || len(r.Denied()) > 0 {
				t.Errorf("unused %v, denied %v", unused, r.Denied())
			}
			r, b, config = start(t, fmt.Sprintf(`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":%q,"Resource":%q}]`,
				action, resource))
			err := calls(config)[name](t.Context())
			var refusal smithy.APIError
			if !errors.As(err, &refusal) || !strings.HasPrefix(refusal.ErrorCode(), "AccessDenied") {
				t.Errorf("denied: %v", err)
			}
			if len(b.reached) > 0 || len(r.Denied()) != 1 {
				t.Errorf("reached %v, denied %v", b.reached, r.Denied())
			}
		})
	}
}

// post makes a call of DynamoDB's streams.
func post(t *testing.T, config aws.Config, operation, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *config.BaseEndpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+operation)
	request.Header.Set("Authorization",
		"AWS4-HMAC-SHA256 Credential=AKID/20261126/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestIterators: a shard iterator needs the permission on its stream, no matter how often it is used.
func TestIterators(t *testing.T) {
	_, b, config := start(t, `[{"Effect":"Allow","Action":["dynamodb:GetShardIterator","dynamodb:GetRecords"],"Resource":"`+streamARN+`"}]`)
	b.answers["GetShardIterator"] = `{"ShardIterator":"i1"}`
	b.answers["GetRecords"] = `{"Records":[],"NextShardIterator":"i2"}`
	local := strings.Replace(streamARN, ":us-east-1:", ":ddblocal:", 1)
	step := func(name string, want int, operation, body string) {
		t.Helper()
		if got := post(t, config, operation, body); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	step("before it is given out", 400, "GetRecords", `{"ShardIterator":"i1"}`)
	step("of another stream", 400, "GetShardIterator", `{"StreamArn":"`+local+`2"}`)
	step("given out", 200, "GetShardIterator", `{"StreamArn":"`+local+`"}`)
	b.fail = true
	step("the service fails", 500, "GetRecords", `{"ShardIterator":"i1"}`)
	step("once more", 200, "GetRecords", `{"ShardIterator":"i1"}`)
	step("and again", 200, "GetRecords", `{"ShardIterator":"i1"}`)
	b.answers["GetRecords"] = `{"Records":[]}`
	step("the next, the shard's last", 200, "GetRecords", `{"ShardIterator":"i2"}`)
	step("none", 400, "GetRecords", `{}`)
}

func TestIteratorsAreForgottenInTheEnd(t *testing.T) {
	var i iterators
	i.note("first", "s")
	for n := range manyIterators {
		i.note(fmt.Sprint(n), "s")
	}
	if i.stream("first") != "s" || len(i.recent)+len(i.older) > 2*manyIterators {
		t.Error("an iterator was forgotten too early")
	}
	for n := range manyIterators {
		i.note(fmt.Sprint("again ", n), "s")
	}
	if i.stream("first") != "" || len(i.recent)+len(i.older) > 2*manyIterators {
		t.Error("iterators pile up")
	}
}

// TestLargeBodies: an object passes whole, whatever its size; no other call is as large as one may be.
func TestLargeBodies(t *testing.T) {
	r, b, config := start(t, `[{"Effect":"Allow","Action":"*","Resource":"*"}]`)
	large := bytes.Repeat([]byte("x"), maxBody+1)
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := objects.PutObject(t.Context(),
		&s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a"), Body: bytes.NewReader(large)}); err != nil {
		t.Fatal(err)
	}
	if b.bytes != int64(len(large)) {
		t.Errorf("%d bytes reached S3, want %d", b.bytes, len(large))
	}
	if totals := r.totalsSince(nil); len(totals) != 1 || totals[0].Sent != int64(len(large)) {
		t.Errorf("totals %+v", totals)
	}
	if status := post(t, config, "GetRecords", `{"ShardIterator":"`+string(large)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a call of %d bytes is answered %d", len(large), status)
	}
	if len(b.reached) != 1 {
		t.Errorf("reached %v", b.reached)
	}
}

// TestTotals: a call counts once, however many tables it reads, and what came before can be left out.
func TestTotals(t *testing.T) {
	r, b, config := start(t, `[{"Effect":"Allow","Action":"dynamodb:BatchGetItem","Resource":["`+table+`","`+table+`2"]}]`)
	b.answers["BatchGetItem"] = `{"Responses":{}}`
	body := `{"RequestItems":{"ledger":{},"ledger2":{}}}`
	read := func() { post(t, config, "BatchGetItem", body) }
	read()
	before := r.totalsSince(nil)
	var group sync.WaitGroup
	for range 8 {
		group.Go(read)
	}
	group.Wait()
	post(t, config, "PutItem", `{"TableName":"ledger"}`)
	size := int64(len(body))
	batch, denied := Total{Principal: "AKID", Operation: "dynamodb:BatchGetItem"}, r.totalsSince(before)[1]
	batch.Calls, batch.Sent, batch.Received = 8, 8*size, 8*int64(len(b.answers["BatchGetItem"]))
	if diff := cmp.Diff(batch, r.totalsSince(before)[0]); diff != "" {
		t.Errorf("since (-want +got):\n%s", diff)
	}
	if denied.Operation != "dynamodb:PutItem" || denied.Denied != 1 || denied.Calls != 1 {
		t.Errorf("denied %+v", denied)
	}
	if all := r.totalsSince(nil)[0].Calls; all != 9 {
		t.Errorf("%d calls in all, want 9", all)
	}
	for _, c := range r.Counts() {
		if c.Allowed && c.Calls != 9 {
			t.Errorf("%+v, want each table's to be 9", c)
		}
	}
	if got := r.totalsSince(r.totalsSince(nil)); len(got) > 0 {
		t.Errorf("since just now: %v", got)
	}
}
