package sqs_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

const (
	fifoURL     = "https://sqs.us-east-1.amazonaws.com/000000000000/relay.fifo"
	standardURL = "https://sqs.us-east-1.amazonaws.com/000000000000/relay"
)

// reply is what becomes of a request.
type reply struct {
	status int
	body   string
	// queryError is the header with the older form of the error code.
	queryError string
	// after is how long the answer takes.
	after time.Duration
	// err is a connection that failed.
	err error
}

// lost is a connection that broke after the request had left.
func lost() reply { return reply{err: errors.New("connection reset by peer")} }

// says is an answer of SQS.
func says(status int, body string) reply { return reply{status: status, body: body} }

// refuses is an error of SQS.
func refuses(code, message string) reply {
	return says(http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#`+code+`","message":"`+message+`"}`)
}

// request is one request of the SDK.
type request struct {
	MaxNumberOfMessages int
	WaitTimeSeconds     int
	VisibilityTimeout   int
	Entries             []entry

	operation string
	body      string
}

// entry is one of a batch.
type entry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout int
}

// wire is an HTTP client that answers SQS's requests by itself and keeps them.
type wire struct {
	// answers are the answers to the first requests; the last one is repeated for all that follow.
	answers  []reply
	requests []request
}

// over is a wire with those answers.
func over(answers ...reply) *wire { return &wire{answers: answers} }

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	got := request{body: string(body)}
	if err := json.Unmarshal(body, &got); err != nil {
		return nil, err
	}
	_, got.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.requests = append(w.requests, got)
	answer := w.answers[min(len(w.requests), len(w.answers))-1]
	if answer.err != nil {
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: answer.err}
	}
	select {
	case <-time.After(answer.after):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	if answer.queryError != "" {
		header.Set("X-Amzn-Query-Error", answer.queryError)
	}
	return &http.Response{StatusCode: answer.status, Header: header, Body: io.NopCloser(strings.NewReader(answer.body))}, nil
}

// queue returns the queue at queueURL over the wire.
func (w *wire) queue(queueURL string) *sqs.Queue {
	config := awsclient.New(awsclient.Config{Region: "us-east-1", AccessKeyID: "fake-id", SecretAccessKey: "fake-secret", HTTPClient: w})
	return sqs.New(config, queueURL)
}

// text is a message for a FIFO queue.
func text() queue.Outgoing {
	return queue.Outgoing{Group: "group", DeduplicationID: "SM1", Body: "a private text"}
}

// checkFault checks an error's kind and that it quotes no body.
func checkFault(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	got, ok := errors.AsType[*fault.Error](err)
	if !ok || got.Kind != want {
		t.Errorf("error %v, want a fault that is %v", err, want)
	}
	if err != nil && strings.Contains(err.Error(), "private") {
		t.Errorf("error %q quotes the body", err)
	}
}

func TestSendFaults(t *testing.T) {
	t.Parallel()
	const private = "a private text"
	older := refuses("QueueDoesNotExist", "")
	older.queryError = "AWS.SimpleQueueService.NonExistentQueue;Sender"
	named := refuses("QueueDoesNotExist", "")
	named.queryError = "com.amazonaws.sqs#QueueDoesNotExist"
	tests := []struct {
		name   string
		answer reply
		want   fault.Kind
	}{
		{"throttled", refuses("RequestThrottled", private), fault.Throttled},
		{"key throttled", refuses("KmsThrottled", private), fault.Throttled},
		{"no such queue", refuses("QueueDoesNotExist", "no queue"), fault.Fatal},
		{"no such queue, by the older code", older, fault.Fatal},
		{"no such queue, as ElasticMQ says it", named, fault.Fatal},
		{"no such key", refuses("KmsNotFound", private), fault.Fatal},
		{"denied", refuses("AccessDeniedException", "x may not y"), fault.Fatal},
		{"another region's address", refuses("InvalidAddress", private), fault.Fatal},
		{"a character refused", refuses("InvalidMessageContents", private), fault.Permanent},
		{"an attribute refused", refuses("InvalidParameterValue", private), fault.Permanent},
		{"failed", says(500, `{"__type":"com.amazonaws.sqs#InternalFailure"}`), fault.Unknown},
		{"answered by a proxy", says(502, `<html>`), fault.Unknown},
		{"lost", lost(), fault.Unknown},
		{"another body queued", says(200, `{"MessageId":"1","MD5OfMessageBody":"00000000000000000000000000000000"}`), fault.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				checkFault(t, over(tt.answer).queue(fifoURL).Send(t.Context(), text()), tt.want)
			})
		})
	}
}

// TestSendRepeats sends once more what may not have arrived, under the same deduplication id.
func TestSendRepeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := over(lost(), says(200, `{"MessageId":"1"}`))
		if err := w.queue(fifoURL).Send(t.Context(), text()); err != nil {
			t.Fatal(err)
		}
		if len(w.requests) != 2 {
			t.Fatalf("%d requests, want 2", len(w.requests))
		}
		if diff := cmp.Diff(w.requests[0].body, w.requests[1].body); diff != "" {
			t.Errorf("the repeat differs (-first +second):\n%s", diff)
		}
	})
}

func TestSendRequest(t *testing.T) {
	t.Parallel()
	const attributes = `"MessageAttributes":{"reason":{"DataType":"String","StringValue":"undecodable"}},"MessageBody":"a private text",`
	tests := []struct {
		name  string
		url   string
		delay time.Duration
		want  string
	}{
		{
			"to a FIFO queue", fifoURL, 0,
			`{` + attributes + `"MessageDeduplicationId":"SM1","MessageGroupId":"group","QueueUrl":"` + fifoURL + `"}`,
		},
		{"to a standard queue", standardURL, 1500 * time.Millisecond, `{"DelaySeconds":2,` + attributes + `"QueueUrl":"` + standardURL + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := over(says(200, `{"MessageId":"1"}`))
			message := text()
			message.Attributes, message.Delay = map[string]string{"reason": "undecodable"}, tt.delay
			if err := w.queue(tt.url).Send(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, w.requests[0].body); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSendRefuses lists what is not even sent.
func TestSendRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		url     string
		change  func(*queue.Outgoing)
		refused bool
	}{
		{"nothing", fifoURL, func(*queue.Outgoing) {}, false},
		{"no group", fifoURL, func(m *queue.Outgoing) { m.Group = "" }, true},
		{"no deduplication id", fifoURL, func(m *queue.Outgoing) { m.DeduplicationID = "" }, true},
		{"a delay on a FIFO queue", fifoURL, func(m *queue.Outgoing) { m.Delay = time.Second }, true},
		{"a delay on a standard queue", standardURL, func(m *queue.Outgoing) { m.Delay = time.Second }, false},
		{"no group on a standard queue", standardURL, func(m *queue.Outgoing) { m.Group, m.DeduplicationID = "", "" }, false},
		{"1 MiB", fifoURL, func(m *queue.Outgoing) { m.Body = strings.Repeat("x", 1<<20) }, false},
		{"a byte more", fifoURL, func(m *queue.Outgoing) { m.Body = strings.Repeat("x", 1<<20+1) }, true},
		{"1 MiB and an attribute", fifoURL, func(m *queue.Outgoing) {
			m.Body, m.Attributes = strings.Repeat("x", 1<<20), map[string]string{"a": "b"}
		}, true},
		{"white space", fifoURL, func(m *queue.Outgoing) { m.Body = "\t\n\r " }, false},
		{"the edges of XML", fifoURL, func(m *queue.Outgoing) { m.Body = "\uD7FF\uE000\uFFFD\U00010000\U0010FFFF" }, false},
		{"a control character", fifoURL, func(m *queue.Outgoing) { m.Body = "\x1F" }, true},
		{"U+FFFE", fifoURL, func(m *queue.Outgoing) { m.Body = "\uFFFE" }, true},
		{"bytes that are no text", fifoURL, func(m *queue.Outgoing) { m.Body = "\xff" }, true},
		{"an attribute that is no text", fifoURL, func(m *queue.Outgoing) { m.Attributes = map[string]string{"a": "\x00"} }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := over(says(200, `{"MessageId":"1"}`))
			message := text()
			tt.change(&message)
			err := w.queue(tt.url).Send(t.Context(), message)
			if sent := len(w.requests) > 0; sent == tt.refused {
				t.Errorf("sent %v, error %v", sent, err)
			}
			if tt.refused {
				checkFault(t, err, fault.Permanent)
			}
		})
	}
}

func TestReceiveReads(t *testing.T) {
	t.Parallel()
	w := over(says(200, `{"Messages":[
		{"MessageId":"m1","ReceiptHandle":"h1","Body":"one",
		 "Attributes":{"ApproximateReceiveCount":"3","MessageGroupId":"g","MessageDeduplicationId":"d","SentTimestamp":"1700000000123"},
		 "MessageAttributes":{"reason":{"DataType":"String","StringValue":"r"},"raw":{"DataType":"Binary","BinaryValue":"AAAA"}}},
		{"MessageId":"m2","ReceiptHandle":"h2","Body":"two"}]}`))
	got, err := w.queue(fifoURL).Receive(t.Context(), 25, 30*time.Second, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	want := []queue.Delivery{
		{
			MessageID: "m1", ReceiptHandle: "h1", Group: "g", DeduplicationID: "d", Body: "one",
			Attributes: map[string]string{"reason": "r"}, ReceiveCount: 3, SentAt: time.UnixMilli(1700000000123).UTC(),
		},
		{MessageID: "m2", ReceiptHandle: "h2", Body: "two", SentAt: time.UnixMilli(0).UTC()},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	asked := w.requests[0]
	if asked.MaxNumberOfMessages != 10 || asked.WaitTimeSeconds != 20 || asked.VisibilityTimeout != 1 {
		t.Errorf("request %s, want 10 messages within 20 seconds, hidden for 1", asked.body)
	}
}

// TestReceiveWaits polls for longer than any other call may take.
func TestReceiveWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := over(reply{status: 200, body: `{}`, after: 20 * time.Second})
		got, err := w.queue(fifoURL).Receive(t.Context(), 1, 20*time.Second, time.Minute)
		if err != nil || len(got) != 0 || len(w.requests) != 1 {
			t.Errorf("received %v, error %v, in %d requests", got, err, len(w.requests))
		}
	})
}

func TestReceiveFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := over(lost()).queue(fifoURL).Receive(t.Context(), 1, 0, time.Minute)
		checkFault(t, err, fault.Transient)
	})
}
