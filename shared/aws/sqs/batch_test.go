package sqs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// batches are the two calls for many handles at once.
func batches() map[string]func(ctx context.Context, q *sqs.Queue, handles []string) error {
	return map[string]func(ctx context.Context, q *sqs.Queue, handles []string) error{
		"DeleteMessageBatch": func(ctx context.Context, q *sqs.Queue, handles []string) error {
			return q.Delete(ctx, handles)
		},
		"ChangeMessageVisibilityBatch": func(ctx context.Context, q *sqs.Queue, handles []string) error {
			changes := make([]queue.Visibility, len(handles))
			for i, handle := range handles {
				changes[i] = queue.Visibility{ReceiptHandle: handle, Timeout: 1001 * time.Millisecond}
			}
			return q.ChangeVisibility(ctx, changes)
		},
	}
}

// failed is a batch's answer whose first entry failed.
func failed(t *testing.T, code, message string, senderFault bool) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"Successful": []any{map[string]any{"Id": "1"}},
		"Failed":     []any{map[string]any{"Id": "0", "Code": code, "Message": message, "SenderFault": senderFault}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestBatchEntries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		code        string
		message     string
		senderFault bool
		passedOver  bool
		want        fault.Kind
	}{
		{name: "an invalid handle", code: "ReceiptHandleIsInvalid", senderFault: true, passedOver: true},
		{name: "a message not in flight", code: "MessageNotInflight", senderFault: true, passedOver: true},
		{name: "the same by its older code", code: "AWS.SimpleQueueService.MessageNotInflight", senderFault: true, passedOver: true},
		{
			name: "an expired handle of a FIFO queue", code: "InvalidParameterValue", senderFault: true, passedOver: true,
			message: "Value private for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
		},
		{
			name: "hidden for too long", code: "InvalidParameterValue", senderFault: true, want: fault.Permanent,
			message: "Total VisibilityTimeout for the message is beyond the limit [43200 seconds], private",
		},
		{name: "a failure of SQS", code: "InternalError", want: fault.Transient},
		{name: "throttled", code: "RequestThrottled", senderFault: true, want: fault.Throttled},
		{name: "denied", code: "AccessDenied", senderFault: true, want: fault.Fatal},
	}
	for _, tt := range tests {
		for operation, call := range batches() {
			t.Run(operation+", "+tt.name, func(t *testing.T) {
				t.Parallel()
				w := over(says(200, failed(t, tt.code, tt.message, tt.senderFault)))
				err := call(t.Context(), w.queue(fifoURL), []string{"h1", "h2"})
				if tt.passedOver {
					if err != nil {
						t.Errorf("error %v, want none", err)
					}
					return
				}
				checkFault(t, err, tt.want)
			})
		}
	}
}

// TestBatchesAreTen sends 23 handles. The second ten fail; the others must be done all the same.
func TestBatchesAreTen(t *testing.T) {
	t.Parallel()
	var handles []string
	for i := range 23 {
		handles = append(handles, fmt.Sprintf("h%02d", i))
	}
	for operation, call := range batches() {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			done := says(200, `{"Successful":[],"Failed":[]}`)
			w := over(done, refuses("AccessDeniedException", ""), done)
			checkFault(t, call(t.Context(), w.queue(fifoURL), handles), fault.Fatal)
			var sizes []int
			var sent []string
			for _, r := range w.requests {
				if r.operation != operation {
					t.Errorf("operation %s", r.operation)
				}
				ids := map[string]bool{}
				for _, e := range r.Entries {
					sent = append(sent, e.ReceiptHandle)
					ids[e.ID] = true
				}
				if len(ids) != len(r.Entries) {
					t.Errorf("%d entries have %d ids", len(r.Entries), len(ids))
				}
				sizes = append(sizes, len(r.Entries))
			}
			if diff := cmp.Diff([]int{10, 10, 3}, sizes); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(handles, sent); diff != "" {
				t.Errorf("handles (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchOfNothing(t *testing.T) {
	t.Parallel()
	for operation, call := range batches() {
		w := over(lost())
		if err := call(t.Context(), w.queue(fifoURL), nil); err != nil || len(w.requests) != 0 {
			t.Errorf("%s: error %v, %d requests", operation, err, len(w.requests))
		}
	}
}

func TestBatchFault(t *testing.T) {
	t.Parallel()
	for operation, call := range batches() {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := over(lost())
				checkFault(t, call(t.Context(), w.queue(fifoURL), []string{"h1"}), fault.Transient)
			})
		})
	}
}

// TestVisibilitySeconds rounds up: nothing is shown sooner than it was asked for.
func TestVisibilitySeconds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		timeout time.Duration
		want    int
	}{
		{0, 0},
		{-time.Second, 0},
		{time.Millisecond, 1},
		{time.Second, 1},
		{1001 * time.Millisecond, 2},
		{12 * time.Hour, 43200},
		{13 * time.Hour, 43200},
	}
	for _, tt := range tests {
		t.Run(tt.timeout.String(), func(t *testing.T) {
			t.Parallel()
			w := over(says(200, `{"Successful":[{"Id":"0"}],"Failed":[]}`))
			if err := w.queue(fifoURL).ChangeVisibility(t.Context(), []queue.Visibility{{ReceiptHandle: "h", Timeout: tt.timeout}}); err != nil {
				t.Fatal(err)
			}
			if got := w.requests[0].Entries[0].VisibilityTimeout; got != tt.want {
				t.Errorf("%v seconds, want %v", got, tt.want)
			}
		})
	}
}
