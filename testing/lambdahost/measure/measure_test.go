package measure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
)

// read returns what the lines say: each metric with its dimensions and its value.
func read(t *testing.T, lines []byte) []string {
	t.Helper()
	var all []string
	decoder := json.NewDecoder(bytes.NewReader(lines))
	for decoder.More() {
		var line map[string]json.RawMessage
		var directive struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		}
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line["_aws"], &directive); err != nil || directive.Timestamp != 1000 {
			t.Fatalf("directive %s: %v", line["_aws"], err)
		}
		for _, one := range directive.CloudWatchMetrics {
			where := one.Namespace
			for _, dimension := range one.Dimensions[0] {
				where += fmt.Sprintf(" %s=%s", dimension, line[dimension])
			}
			for _, metric := range one.Metrics {
				all = append(all, fmt.Sprintf("%s %s %s", where, metric.Name, line[metric.Name]))
			}
		}
	}
	return all
}

func TestMeter(t *testing.T) {
	const function, queue = `AWS/Lambda FunctionName="F" `, `AWS/SQS QueueName="q" `
	call := func(operation string, messages ...iam.Message) iam.Call {
		return iam.Call{Operation: "sqs:" + operation, Resources: []string{"arn:aws:sqs:us-east-1:0:q"}, Status: 200, Messages: messages}
	}
	tests := []struct {
		name string
		did  func(m *Meter)
		want []string
	}{
		{"a request", func(m *Meter) { m.Request("Api", 503, 1500*time.Microsecond) }, []string{
			`AWS/ApiGateway ApiId="Api" 4xx 0`, `AWS/ApiGateway ApiId="Api" 5xx 1`, `AWS/ApiGateway ApiId="Api" Count 1`,
			`AWS/ApiGateway ApiId="Api" Latency 1.5`,
		}},
		{"an invocation that failed", func(m *Meter) { m.Invocation("F", time.Second, true, false) }, []string{
			function + "Duration 1000", function + "Errors 1", function + "Invocations 1", function + "Throttles 0",
		}},
		{"an invocation that was throttled", func(m *Meter) { m.Invocation("F", 0, true, true) }, []string{function + "Throttles 1"}},
		{"a stream's batch", func(m *Meter) { m.IteratorAge("F", 2*time.Second) }, []string{function + "IteratorAge 2000"}},
		{"a write", func(m *Meter) {
			m.Call(iam.Call{Operation: "dynamodb:PutItem", Units: map[string]float64{"t": 1, "t/index/i": 2}})
		}, []string{
			`AWS/DynamoDB TableName="t" ConsumedWriteCapacityUnits 1`,
			`AWS/DynamoDB GlobalSecondaryIndexName="i" TableName="t" ConsumedWriteCapacityUnits 2`,
		}},
		{"a read", func(m *Meter) {
			m.Call(iam.Call{Operation: "dynamodb:BatchGetItem", Units: map[string]float64{"t": 0.5}})
		}, []string{`AWS/DynamoDB TableName="t" ConsumedReadCapacityUnits 0.5`}},
		{
			"messages that are sent", func(m *Meter) { m.Call(call("SendMessageBatch", iam.Message{ID: "a"}, iam.Message{ID: "b"})) },
			[]string{queue + "NumberOfMessagesSent 2"},
		},
		{"a receive", func(m *Meter) { m.Call(call("ReceiveMessage", iam.Message{ID: "a", Handle: "1"})) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var lines bytes.Buffer
			tt.did(New(&lines, func() time.Time { return time.Unix(1, 0) }))
			if diff := cmp.Diff(tt.want, read(t, lines.Bytes())); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAge follows messages from one call to the next: the oldest one that is not deleted counts.
func TestAge(t *testing.T) {
	now := time.Unix(1, 0)
	m := New(&bytes.Buffer{}, func() time.Time { return now })
	do := func(operation string, messages ...iam.Message) {
		m.Call(iam.Call{Operation: "sqs:" + operation, Resources: []string{"arn:aws:sqs:us-east-1:0:q"}, Status: 200, Messages: messages})
	}
	var ages []string
	look := func() { ages = append(ages, m.age("q").String()) }
	do("SendMessage", iam.Message{ID: "a"})
	now = now.Add(time.Second)
	do("SendMessage", iam.Message{ID: "b"})
	now = now.Add(time.Second)
	look()
	do("ReceiveMessage", iam.Message{ID: "a", Handle: "1"}, iam.Message{ID: "b", Handle: "2"})
	do("ChangeMessageVisibilityBatch", iam.Message{Handle: "1"})
	do("DeleteMessageBatch", iam.Message{Handle: "1"})
	look()
	do("ReceiveMessage", iam.Message{ID: "b", Handle: "3"}, iam.Message{ID: "came past the calls", Handle: "4"})
	do("DeleteMessage", iam.Message{Handle: "3"})
	now = now.Add(3 * time.Second)
	look()
	do("DeleteMessage", iam.Message{Handle: "4"})
	do("SendMessage", iam.Message{ID: "a"}) // It was deduplicated.
	look()
	if diff := cmp.Diff([]string{"2s", "1s", "3s", "0s"}, ages); diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
	if left := slices.Collect(maps.Keys(m.sentAt["q"])); len(left) > 0 {
		t.Errorf("messages %v are still known", left)
	}
}
