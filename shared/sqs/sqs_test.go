package sqs_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sqs"
)

const (
	fifoURL     = "https://sqs.us-east-1.amazonaws.com/000000000000/relay.fifo"
	standardURL = "https://sqs.us-east-1.amazonaws.com/000000000000/relay"
)

// wire is an HTTP client that answers SQS's requests by itself and keeps them.
type wire struct {
	// answer returns the answer to the nth request, from 1.
	answer func(n int) (*http.Response, error)

	mu         sync.Mutex
	operations []string
	requests   []map[string]any
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	var request map[string]any
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.operations = append(w.operations, operation)
	w.requests = append(w.requests, request)
	n := len(w.requests)
	w.mu.Unlock()
	return w.answer(n)
}

// queue returns the queue at queueURL over the wire.
func (w *wire) queue(queueURL string) *sqs.Queue {
	config := awsclient.New(awsclient.Config{Region: "us-east-1", AccessKeyID: "fake-id", SecretAccessKey: "fake-secret", HTTPClient: w})
	return sqs.New(config, queueURL)
}

// reply is an answer of SQS.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// always answers every request with that.
func always(status int, body string, header ...string) func(int) (*http.Response, error) {
	return func(int) (*http.Response, error) { return reply(status, body, header...), nil }
}

// lost is a connection that broke after the request had left.
func lost(int) (*http.Response, error) {
	return nil, &url.Error{Op: "Post", URL: fifoURL, Err: errors.New("connection reset by peer")}
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
	refuse := func(code string) func(int) (*http.Response, error) {
		return always(http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#`+code+`","message":"a private text"}`)
	}
	tests := []struct {
		name   string
		answer func(int) (*http.Response, error)
		want   fault.Kind
	}{
		{"throttled", refuse("RequestThrottled"), fault.Throttled},
		{"key throttled", refuse("KmsThrottled"), fault.Throttled},
		{"no such queue", always(400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no queue"}`), fault.Fatal},
		{
			"no such queue, by the older code",
			always(400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}`, "X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender"), fault.Fatal,
		},
		{"no such key", refuse("KmsNotFound"), fault.Fatal},
		{"denied", always(400, `{"__type":"com.amazonaws.sqs#AccessDeniedException","message":"x may not y"}`), fault.Fatal},
		{"another region's address", refuse("InvalidAddress"), fault.Fatal},
		{"a character refused", refuse("InvalidMessageContents"), fault.Permanent},
		{"an attribute refused", refuse("InvalidParameterValue"), fault.Permanent},
		{"failed", always(500, `{"__type":"com.amazonaws.sqs#InternalFailure"}`), fault.Unknown},
		{"answered by a proxy", always(502, `<html>`), fault.Unknown},
		{"lost", lost, fault.Unknown},
		{"another body queued", always(200, `{"MessageId":"1","MD5OfMessageBody":"00000000000000000000000000000000"}`), fault.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: tt.answer}
				checkFault(t, w.queue(fifoURL).Send(t.Context(), text()), tt.want)
			})
		})
	}
}

// TestSendRepeats sends once more what may not have arrived, under the same deduplication id.
func TestSendRepeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int) (*http.Response, error) {
			if n == 1 {
				return lost(n)
			}
			return reply(200, `{"MessageId":"1"}`), nil
		}}
		if err := w.queue(fifoURL).Send(t.Context(), text()); err != nil {
			t.Fatal(err)
		}
		if len(w.requests) != 2 {
			t.Fatalf("%d requests, want 2", len(w.requests))
		}
		if diff := cmp.Diff(w.requests[0], w.requests[1]); diff != "" {
			t.Errorf("the repeat differs (-first +second):\n%s", diff)
		}
	})
}

func TestSendRequest(t *testing.T) {
	t.Parallel()
	message := text()
	message.Attributes = map[string]string{"reason": "undecodable"}
	attributes := map[string]any{"reason": map[string]any{"DataType": "String", "StringValue": "undecodable"}}
	tests := []struct {
		name  string
		url   string
		delay time.Duration
		want  map[string]any
	}{
		{"to a FIFO queue", fifoURL, 0, map[string]any{
			"QueueUrl": fifoURL, "MessageBody": message.Body, "MessageGroupId": "group", "MessageDeduplicationId": "SM1", "MessageAttributes": attributes,
		}},
		{"to a standard queue", standardURL, 1500 * time.Millisecond, map[string]any{
			"QueueUrl": standardURL, "MessageBody": message.Body, "DelaySeconds": 2.0, "MessageAttributes": attributes,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &wire{answer: always(200, `{"MessageId":"1"}`)}
			message := message
			message.Delay = tt.delay
			if err := w.queue(tt.url).Send(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, w.requests[0]); diff != "" {
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
			w := &wire{answer: always(200, `{"MessageId":"1"}`)}
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
	w := &wire{answer: always(200, `{"Messages":[
		{"MessageId":"m1","ReceiptHandle":"h1","Body":"one",
		 "Attributes":{"ApproximateReceiveCount":"3","MessageGroupId":"g","MessageDeduplicationId":"d","SentTimestamp":"1700000000123"},
		 "MessageAttributes":{"reason":{"DataType":"String","StringValue":"r"},"raw":{"DataType":"Binary","BinaryValue":"AAAA"}}},
		{"MessageId":"m2","ReceiptHandle":"h2","Body":"two"}]}`)}
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
	for name, want := range map[string]any{"MaxNumberOfMessages": 10.0, "WaitTimeSeconds": 20.0, "VisibilityTimeout": 1.0} {
		if got := w.requests[0][name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// TestReceiveWaits polls for longer than any other call may take.
func TestReceiveWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int) (*http.Response, error) {
			time.Sleep(20 * time.Second)
			return reply(200, `{}`), nil
		}}
		got, err := w.queue(fifoURL).Receive(t.Context(), 1, 20*time.Second, time.Minute)
		if err != nil || len(got) != 0 || len(w.requests) != 1 {
			t.Errorf("received %v, error %v, in %d requests", got, err, len(w.requests))
		}
	})
}

func TestReceiveFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: lost}
		_, err := w.queue(fifoURL).Receive(t.Context(), 1, 0, time.Minute)
		checkFault(t, err, fault.Transient)
	})
}
