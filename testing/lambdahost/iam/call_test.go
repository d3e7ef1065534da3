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

// TestObserve: the observer is told about each call, with the messages and the units in the answer; the caller gets the
// answer as it is.
func TestObserve(t *testing.T) {
	const queue = "arn:aws:sqs:us-east-1:000000000000:q"
	tests := []struct {
		name, service, operation, body, answer string
		status                                 int
		want                                   Call
	}{
		{
			"a write", "dynamodb", "PutItem", `{"TableName":"ledger"}`,
			`{"ConsumedCapacity":{"TableName":"ledger","CapacityUnits":4,"Table":{"CapacityUnits":1},` +
				`"GlobalSecondaryIndexes":{"ByDay":{"CapacityUnits":3}}}}`, 200,
			Call{Resources: []string{table}, Allowed: true, Units: map[string]float64{"ledger": 1, "ledger/index/ByDay": 3}},
		},
		{
			"a batch", "dynamodb", "BatchGetItem", `{"RequestItems":{"ledger":{}}}`,
			`{"ConsumedCapacity":[{"TableName":"ledger","CapacityUnits":2.5,"Table":{"CapacityUnits":2.5}}]}`, 200,
			Call{Resources: []string{table}, Allowed: true, Units: map[string]float64{"ledger": 2.5}},
		},
		{
			"a refused write", "dynamodb", "PutItem", `{"TableName":"ledger"}`, `{"__type":"ConditionalCheckFailedException"}`, 400,
			Call{Resources: []string{table}, Allowed: true},
		},
		{
			"a receive", "sqs", "ReceiveMessage", `{"QueueUrl":"http://127.0.0.1/0/q"}`,
			`{"Messages":[{"MessageId":"a","ReceiptHandle":"1"},{"MessageId":"b","ReceiptHandle":"2"}]}`, 200,
			Call{Resources: []string{queue}, Allowed: true, Messages: []Message{{"a", "1"}, {"b", "2"}}},
		},
		{
			"a receive of nothing", "sqs", "ReceiveMessage", `{"QueueUrl":"http://127.0.0.1/0/q"}`, `{}`, 200,
			Call{Resources: []string{queue}, Allowed: true},
		},
		{
			"a batch of messages", "sqs", "DeleteMessageBatch", `{"QueueUrl":"http://127.0.0.1/0/q","Entries":[{"Id":"0","ReceiptHandle":"1"},` +
				`{"Id":"1","ReceiptHandle":"2"}]}`, `{"Successful":[{"Id":"0"},{"Id":"1"}]}`, 200,
			Call{Resources: []string{queue}, Allowed: true, Messages: []Message{{"", "1"}, {"", "2"}}},
		},
		{
			"a message", "sqs", "SendMessage", `{"QueueUrl":"http://127.0.0.1/0/q","MessageBody":"x"}`, `{"MessageId":"a"}`, 200,
			Call{Resources: []string{queue}, Allowed: true, Messages: []Message{{ID: "a"}}},
		},
		{"what is not allowed", "sqs", "PurgeQueue", `{"QueueUrl":"http://127.0.0.1/0/q"}`, ``, 400, Call{Resources: []string{queue}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked map[string]any
			backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, _ := io.ReadAll(r.Body)
				_ = json.Unmarshal(text, &asked)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer backend.Close()
			var got []Call
			r, err := New(Config{
				Region: "us-east-1", AccountID: "000000000000", Backends: map[string]string{tt.service: backend.URL},
				Observe: func(c Call) { got = append(got, c) },
				Principals: map[string][]Statement{"AKID": statements(t,
					`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sqs:PurgeQueue","Resource":"*"}]`)},
			})
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			request.Header.Set("X-Amz-Target", "Service."+tt.operation)
			request.Header.Set("Authorization",
				"AWS4-HMAC-SHA256 Credential=AKID/20261126/us-east-1/"+tt.service+"/aws4_request, SignedHeaders=host, Signature=0")
			answer := httptest.NewRecorder()
			r.ServeHTTP(answer, request)
			if tt.want.Allowed && answer.Body.String() != tt.answer {
				t.Errorf("the caller got %s", answer.Body)
			}
			if units := asked["ReturnConsumedCapacity"]; (units == "INDEXES") != (tt.service == "dynamodb") {
				t.Errorf("the service was asked for %v units", units)
			}
			tt.want.Principal, tt.want.Operation, tt.want.Status = "AKID", tt.service+":"+tt.operation, tt.status
			tt.want.Sent, tt.want.Received = int64(len(tt.body)), int64(answer.Body.Len())
			if diff := cmp.Diff([]Call{tt.want}, got); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}
