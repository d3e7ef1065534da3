package iam

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const table = "arn:aws:dynamodb:us-east-1:000000000000:table/ledger"

func statements(t *testing.T, text string) []Statement {
	t.Helper()
	var list []Statement
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAllows(t *testing.T) {
	policy := statements(t, `[
		{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":["`+table+`","`+table+`/index/By?"]},
		{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"},
		{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bucket/secret*"}]`)
	for _, tt := range []struct {
		action, resource string
		want             bool
	}{
		{"dynamodb:GetItem", table, true},
		{"DynamoDB:getitem", table, true},
		{"dynamodb:GetItem", table + "2", false},
		{"dynamodb:GetItems", table, false},
		{"dynamodb:PutItem", table, false},
		{"dynamodb:Query", table + "/index/By1", true},
		{"dynamodb:Query", table + "/index/By12", false},
		{"s3:PutObject", "arn:aws:s3:::bucket/a/b", true},
		{"s3:PutObject", "arn:aws:s3:::bucket/secrets", false},
		{"s3:PutObject", "arn:aws:s3:::bucket", false},
		{"s3:GetObject", "arn:aws:s3:::bucket/a", false},
	} {
		if got := allows(policy, tt.action, tt.resource); got != tt.want {
			t.Errorf("%s on %s: %v, want %v", tt.action, tt.resource, got, tt.want)
		}
	}
}

func TestPoliciesThatAreNotUnderstood(t *testing.T) {
	for name, text := range map[string]string{
		"a condition": `[{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{"x":"true"}}}]`,
		"no effect":   `[{"Action":"a:b","Resource":"*"}]`,
		"no resource": `[{"Effect":"Allow","Action":"a:b"}]`,
	} {
		if _, err := New(Config{Principals: map[string][]Statement{"A": statements(t, text)}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// call is one request and what it is recognized as.
type call struct {
	name, service, target, method, path, body string
	want                                      []question
}

func TestQuestions(t *testing.T) {
	const sqs, logs, secret = "arn:aws:sqs:us-east-1:000000000000:q.fifo", "arn:aws:logs:us-east-1:000000000000:log-group:/audit:log-stream:s",
		"arn:aws:secretsmanager:us-east-1:123456789012:secret:twilio-AbCdEf"
	for _, c := range []call{
		{
			"a read", "dynamodb", "DynamoDB_20120810.GetItem", "POST", "/", `{"TableName":"ledger"}`,
			[]question{{"dynamodb:GetItem", "dynamodb:GetItem", table}},
		},
		{
			"an index", "dynamodb", "DynamoDB_20120810.Query", "POST", "/", `{"TableName":"ledger","IndexName":"By1"}`,
			[]question{{"dynamodb:Query", "dynamodb:Query", table + "/index/By1"}},
		},
		{"two tables", "dynamodb", "DynamoDB_20120810.BatchGetItem", "POST", "/", `{"RequestItems":{"ledger":{},"ledger2":{}}}`, []question{
			{"dynamodb:BatchGetItem", "dynamodb:BatchGetItem", table}, {"dynamodb:BatchGetItem", "dynamodb:BatchGetItem", table + "2"},
		}},
		{
			"a batch of messages", "sqs", "AmazonSQS.DeleteMessageBatch", "POST", "/", `{"QueueUrl":"http://127.0.0.1:1/0/q.fifo"}`,
			[]question{{"sqs:DeleteMessageBatch", "sqs:DeleteMessage", sqs}},
		},
		{
			"a log", "logs", "Logs_20140328.PutLogEvents", "POST", "/", `{"logGroupName":"/audit","logStreamName":"s"}`,
			[]question{{"logs:PutLogEvents", "logs:PutLogEvents", logs}},
		},
		{
			"a secret", "secretsmanager", "secretsmanager.GetSecretValue", "POST", "/", `{"SecretId":"` + secret + `"}`,
			[]question{{"secretsmanager:GetSecretValue", "secretsmanager:GetSecretValue", secret}},
		},
		{"an object", "s3", "", "GET", "/bucket/a/b", "", []question{{"s3:GetObject", "s3:GetObject", "arn:aws:s3:::bucket/a/b"}}},
		{"a version", "s3", "", "GET", "/bucket/a?versionId=1", "", []question{{"s3:GetObject", "s3:GetObjectVersion", "arn:aws:s3:::bucket/a"}}},
		{"a bucket", "s3", "", "HEAD", "/bucket", "", []question{{"s3:HeadBucket", "s3:ListBucket", "arn:aws:s3:::bucket"}}},
		{"a list", "s3", "", "GET", "/bucket?list-type=2&prefix=a", "", []question{{"s3:ListObjects", "s3:ListBucket", "arn:aws:s3:::bucket"}}},
		{"the head of an object", "s3", "", "HEAD", "/bucket/a", "", []question{{"s3:HeadObject", "s3:GetObject", "arn:aws:s3:::bucket/a"}}},
		{"an object's tags", "s3", "", "GET", "/bucket/a?tagging", "", nil},
		{"a bucket's versions", "s3", "", "GET", "/bucket?versions", "", nil},
		{"a transaction", "dynamodb", "DynamoDB_20120810.TransactWriteItems", "POST", "/", `{"TransactItems":[{"Put":{"TableName":"ledger"}},` +
			`{"ConditionCheck":{"TableName":"ledger2"}},{"Put":{"TableName":"ledger"}}]}`, []question{
			{"dynamodb:TransactWriteItems", "dynamodb:PutItem", table}, {"dynamodb:TransactWriteItems", "dynamodb:ConditionCheckItem", table + "2"},
		}},
		{
			"a table by its ARN", "dynamodb", "DynamoDB_20120810.GetItem", "POST", "/", `{"TableName":"` + table + `"}`,
			[]question{{"dynamodb:GetItem", "dynamodb:GetItem", table}},
		},
		{"a statement of PartiQL", "dynamodb", "DynamoDB_20120810.ExecuteStatement", "POST", "/", `{"Statement":"SELECT * FROM ledger"}`, nil},
		{"an iterator from nowhere", "dynamodb", "DynamoDBStreams_20120810.GetRecords", "POST", "/", `{"ShardIterator":"x"}`, nil},
		{"all queues", "sqs", "AmazonSQS.ListQueues", "POST", "/", `{}`, nil},
		{"nobody knows", "s3", "", "DELETE", "/bucket/a", "", nil},
		{"no JSON", "sqs", "AmazonSQS.SendMessage", "POST", "/", "x", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := New(Config{Region: "us-east-1", AccountID: "000000000000"})
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(c.method, c.path, nil)
			request.Header.Set("X-Amz-Target", c.target)
			if diff := cmp.Diff(c.want, r.read(c.service, request, []byte(c.body)).questions, cmp.AllowUnexported(question{})); diff != "" {
				t.Errorf("questions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecorder: what is allowed reaches the service, and nothing else does; both are counted.
func TestRecorder(t *testing.T) {
	reached := 0
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		_, _ = io.Copy(w, r.Body)
	}))
	defer backend.Close()
	r, err := New(Config{
		Region: "us-east-1", AccountID: "000000000000", Backends: map[string]string{"dynamodb": backend.URL},
		Principals: map[string][]Statement{"AKID": statements(t,
			`[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem"],"Resource":"`+table+`"}]`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	do := func(key, operation, body string) int {
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		if key != "" {
			request.Header.Set("Authorization",
				"AWS4-HMAC-SHA256 Credential="+key+"/20261126/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
		}
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		if answer.Code == http.StatusOK && answer.Body.String() != body {
			t.Errorf("the service got %s, want %s", answer.Body, body)
		}
		return answer.Code
	}
	body := `{"TableName":"ledger"}`
	if got := []int{
		do("AKID", "GetItem", body), do("AKID", "DeleteItem", body), do("OTHER", "GetItem", body),
		do("", "GetItem", body),
	}; !cmp.Equal(got, []int{200, 400, 400, 400}) {
		t.Errorf("answers %v", got)
	}
	if reached != 1 {
		t.Errorf("%d calls reached the service, want 1", reached)
	}
	get := Count{Operation: "dynamodb:GetItem", Action: "dynamodb:GetItem", Resource: table, Calls: 1, Errors: 1}
	unsigned, other, deletion := Count{Operation: "unsigned", Calls: 1, Errors: 1}, get, get
	other.Principal = "OTHER"
	deletion.Principal, deletion.Operation, deletion.Action = "AKID", "dynamodb:DeleteItem", "dynamodb:DeleteItem"
	if diff := cmp.Diff([]Count{unsigned, deletion, other}, r.Denied()); diff != "" {
		t.Errorf("denied (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Permission{{"AKID", "dynamodb:PutItem", table}}, r.Unused()); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}
