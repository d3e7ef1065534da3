//go:build unix

package lambdahost

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
)

// A queue's message comes to the mapped function as Lambda writes it, and is deleted once the function is done with it.
func TestQueueSource(t *testing.T) {
	s := started(t)
	var got events.SQSEvent
	s.got(t, "Mapped", &got)
	if len(got.Records) != 1 {
		t.Fatalf("%d records", len(got.Records))
	}
	r := got.Records[0]
	compare(t, "record", []string{
		"m1", "hello", "handle-1", "aws:sqs", "arn:aws:sqs:us-east-1:000000000000:inbox.fifo",
		"us-east-1", "a", "1",
	},
		[]string{
			r.MessageId, r.Body, r.ReceiptHandle, r.EventSource, r.EventSourceARN, r.AWSRegion, r.Attributes["MessageGroupId"],
			r.Attributes["ApproximateReceiveCount"],
		})
	select {
	case handle := <-s.deleted:
		compare(t, "deleted", "handle-1", handle)
	case <-time.After(10 * time.Second):
		t.Error("the message was not deleted")
	}
	if denied := s.Recorder().Denied(); len(denied) > 0 {
		t.Errorf("denied: %+v", denied)
	}
}

// Lambda refuses these when the mapping is made, or would lose something by them.
func TestSourcesThatAreRefused(t *testing.T) {
	const inbox = `{Type: SQS, Properties: {Queue: !GetAtt Inbox.Arn, BatchSize: 10}}`
	const timeout = "MemorySize: 128\n      LoggingConfig: {LogFormat: JSON, LogGroup: /relay/mapped"
	stream := func(table, properties string) []string {
		return []string{
			inbox, `{Type: DynamoDB, Properties: {Stream: "arn:aws:dynamodb:ddblocal:0:table/` + table + `/stream/1", ` + properties + `}}`,
			`{Effect: Allow, Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/ledger"}`,
			`{Effect: Allow, Action: "*", Resource: "*"}`,
		}
	}
	const toQueue = `StartingPosition: TRIM_HORIZON, DestinationConfig: {OnFailure: {Destination: "arn:aws:sqs:us-east-1:000000000000:lost"}}`
	for name, tt := range map[string]struct {
		edits []string
		want  string
	}{
		"an unknown type":                      {[]string{inbox, `{Type: Kinesis}`}, "Kinesis"},
		"another's queue":                      {[]string{inbox, `{Type: SQS, Properties: {Queue: "arn:elsewhere"}}`}, "arn:elsewhere"},
		"a function that outlasts the message": {[]string{"Timeout: 20\n      " + timeout, "Timeout: 31\n      " + timeout}, "visibility 30s"},
		"a role that may not ask":              {[]string{`Action: "sqs:*"`, `Action: "sqs:ReceiveMessage"`}, "GetQueueAttributes"},
		"a table without a stream":             {stream("routes", `StartingPosition: TRIM_HORIZON`), "routes has no stream"},
		"a stream from now on":                 {stream("ledger", `StartingPosition: LATEST`), "LATEST"},
		"a failure that goes to a queue":       {stream("ledger", toQueue), "is no bucket"},
	} {
		s, err := newStage(t, tt.edits...)
		if err == nil || !strings.Contains(err.Error(), "Mapped: event Inbox") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one about %s", name, err, tt.want)
		}
		if s.Host != nil {
			t.Errorf("%s: there is a host", name)
		}
	}
}

// TestStreamNames: an emulator's names of tables and streams are written as AWS would write them.
func TestStreamNames(t *testing.T) {
	h := &Host{}
	for stream, want := range map[string][2]string{
		"arn:aws:dynamodb:ddblocal:000000000000:table/audit/stream/2026": {
			"audit",
			"arn:aws:dynamodb:us-east-1:000000000000:table/audit/stream/2026",
		},
		"arn:aws:dynamodb:eu-west-1:123456789012:table/x": {"x", "arn:aws:dynamodb:us-east-1:000000000000:table/x"},
		"arn:aws:sqs:us-east-1:000000000000:inbox.fifo":   {"", "arn:aws:sqs:us-east-1:000000000000:inbox.fifo"},
	} {
		table, arn := h.tableOf(stream)
		compare(t, stream, want, [2]string{table, arn})
	}
}

// What a role allows is what its function may do, and nothing that another's does. A role without policies allows nothing.
func TestPermissions(t *testing.T) {
	s := started(t)
	s.got(t, "Mapped", &events.SQSEvent{})
	allowed := map[string]bool{}
	for _, c := range s.Recorder().Counts() {
		allowed[c.Principal+" "+c.Operation] = c.Allowed
	}
	for call, want := range map[string]bool{"AKIDMAPPED sqs:ReceiveMessage": true, "AKIDMAPPED sqs:GetQueueAttributes": true} {
		if got, made := allowed[call]; !made || got != want {
			t.Errorf("%s: made %v, allowed %v, want %v", call, made, got, want)
		}
	}
	// Its log cannot be shipped: no statement lets it.
	s.ask(t, "POST", "/sms/inbound", "", nil)
	for range 200 {
		if len(s.Recorder().Denied()) > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, c := range s.Recorder().Denied() {
		if !strings.HasPrefix(c.Operation, "logs:") || c.Principal != "AKIDECHO" && c.Principal != "AKIDMAPPED" {
			t.Errorf("denied: %+v, want calls for the log alone", c)
		}
	}
	if len(s.Recorder().Denied()) == 0 {
		t.Error("a role without policies let something happen")
	}
}

// TestObserver names functions as the template does, and does nothing if nobody listens.
func TestObserver(t *testing.T) {
	s := started(t)
	if (&Host{}).observer() != nil {
		t.Error("nobody listens, and calls are told")
	}
	var told []string
	s.config.OnCall = func(c iam.Call) { told = append(told, c.Principal+" "+c.Operation) }
	observe := s.observer()
	observe(iam.Call{Principal: keyOf("Echo"), Operation: "sqs:SendMessage"})
	observe(iam.Call{Principal: "", Operation: "sqs:SendMessage"})
	compare(t, "told", []string{"Echo sqs:SendMessage", " sqs:SendMessage"}, told)
}
