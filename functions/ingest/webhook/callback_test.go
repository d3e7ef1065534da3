package webhook_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func checkNoContent(t *testing.T, response events.APIGatewayV2HTTPResponse) {
	t.Helper()
	if diff := cmp.Diff(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNoContent}, response); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestCallbackIsQueued(t *testing.T) {
	for _, status := range []sms.Status{
		sms.StatusAccepted, sms.StatusScheduled, sms.StatusQueued, sms.StatusSending, sms.StatusSent, sms.StatusDelivered,
		sms.StatusUndelivered, sms.StatusFailed, sms.StatusCanceled, sms.StatusRead, sms.StatusPartiallyDelivered,
	} {
		t.Run(string(status), func(t *testing.T) {
			f := newFront(t)
			form := callback(string(status))
			form.Set("ErrorCode", "30003")
			response, line := f.handle(signedCallback(callbackQuery, form))
			checkNoContent(t, response)
			envelope, delivery := f.queued()
			want := queue.Envelope{
				Version: queue.Version, Kind: queue.KindReceipt, RelayID: relaytest.MessageSid(1), ReceivedAt: started,
				Receipt: &sms.Receipt{
					Sid: relaytest.MessageSid(2), Status: status, ErrorCode: 30003,
					CallbackRef: sms.CallbackRef{RelayID: relaytest.MessageSid(1), Hop: 1, Attempt: 2},
				},
			}
			if diff := cmp.Diff(want, envelope); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
			if delivery.DeduplicationID != relaytest.MessageSid(2)+"."+string(status)+".2" {
				t.Errorf("deduplication id %q", delivery.DeduplicationID)
			}
			if line["message_sid"] != relaytest.MessageSid(1) || line["outbound_sid"] != relaytest.MessageSid(2) ||
				line["message_status"] != string(status) {
				t.Errorf("log line %v", line)
			}
			if got := f.measurement(); got != "Accepted Kind=receipt" {
				t.Errorf("measurement %q", got)
			}
		})
	}
}

// Receipts of one text share a group, which no text and no other text's receipts are in.
func TestCallbackGroups(t *testing.T) {
	f := newFront(t)
	f.handle(signedText(text(nil)))
	f.handle(signedCallback(callbackQuery, callback("sent")))
	f.handle(signedCallback(callbackQuery, callback("delivered")))
	f.handle(signedCallback("attempt=3&hop=2&relay_id="+relaytest.MessageSid(1), callback("sent")))
	f.handle(signedCallback("attempt=1&hop=0&relay_id="+relaytest.MessageSid(9), callback("sent")))
	// Repeats come from Twilio's retries.
	f.handle(signedCallback(callbackQuery, callback("sent")))
	var groups []string
	for _, m := range f.queue.Messages() {
		groups = append(groups, m.Group)
	}
	if len(groups) != 5 {
		t.Fatalf("queue holds %d messages, want a text and four receipts", len(groups))
	}
	if groups[1] != groups[2] || groups[1] != groups[3] || groups[1] == groups[0] || groups[1] == groups[4] || groups[0] == groups[4] {
		t.Errorf("groups %v", groups)
	}
}

// What the relay has no use for is acknowledged, else Twilio reports errors to the operator for ever.
func TestCallbackIsIgnored(t *testing.T) {
	sid := relaytest.MessageSid(1)
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"no query":                signedCallback("", callback("sent")),
		"another system's query":  signedCallback("order=7", callback("sent")),
		"no relay_id":             signedCallback("attempt=1&hop=0", callback("sent")),
		"relay_id empty":          signedCallback("attempt=1&hop=0&relay_id=", callback("sent")),
		"no attempt":              signedCallback("hop=0&relay_id="+sid, callback("sent")),
		"attempt 0":               signedCallback("attempt=0&hop=0&relay_id="+sid, callback("sent")),
		"attempt no number":       signedCallback("attempt=x&hop=0&relay_id="+sid, callback("sent")),
		"hop negative":            signedCallback("attempt=1&hop=-1&relay_id="+sid, callback("sent")),
		"no hop":                  signedCallback("attempt=1&relay_id="+sid, callback("sent")),
		"query with a bad escape": signedCallback("attempt=1&hop=0&relay_id=%zz", callback("sent")),
		"attempt beyond a number": signedCallback("attempt=99999999999999999999&hop=0&relay_id="+sid, callback("sent")),
		"status unknown":          signedCallback(callbackQuery, callback("teleported")),
		"status of other letters": signedCallback(callbackQuery, callback("Delivered")),
		"status with a blank":     signedCallback(callbackQuery, callback("delivered ")),
		"status empty":            signedCallback(callbackQuery, callback("")),
		"status missing":          sign(post(sms.CallbackPath, callbackQuery, "MessageSid="+relaytest.MessageSid(2)), base, token),
		"reference in the body": signedCallback("", func() url.Values {
			f := callback("sent")
			f.Set("relay_id", sid)
			f.Set("hop", "0")
			f.Set("attempt", "1")
			return f
		}()),
		"status longer than a log": signedCallback(callbackQuery, callback(strings.Repeat("x", 10_000))),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			response, line := f.handle(r)
			checkNoContent(t, response)
			if n := len(f.queue.Messages()); n != 0 {
				t.Errorf("queue holds %d messages", n)
			}
			if line["level"] != "INFO" || line["msg"] != "callback ignored" || line["error"] == nil {
				t.Errorf("log line %v", line)
			}
			if text, _ := line["error"].(string); len(text) > 200 {
				t.Errorf("log line of %d characters, as long as the sender likes", len(text))
			}
			if got := f.measurement(); got != "" {
				t.Errorf("measurement %q", got)
			}
		})
	}
}

// The reference is the relay's own only if Twilio signed it.
func TestCallbackReferenceIsForged(t *testing.T) {
	r := signedCallback(callbackQuery, callback("delivered"))
	r.RawQueryString = strings.Replace(callbackQuery, relaytest.MessageSid(1), relaytest.MessageSid(7), 1)
	refused(t, r, http.StatusForbidden, "signature")
}

func TestHealth(t *testing.T) {
	for _, path := range []string{webhook.PathInbound, webhook.PathHealth} {
		t.Run(path, func(t *testing.T) {
			f := newFront(t)
			f.queue.Fault = func(op string) error {
				t.Errorf("health touched the queue: %s", op)
				return nil
			}
			f.clock.Advance(90*time.Second + 999*time.Millisecond)
			r := request("GET", path, "deep=1")
			r.Body, r.IsBase64Encoded = strings.Repeat("*", 1<<20), true
			response, line := f.handle(r)
			if response.StatusCode != http.StatusOK || response.Headers["content-type"] != "application/json" ||
				response.Headers["cache-control"] != "no-store" {
				t.Errorf("answer %+v", response)
			}
			var health map[string]any
			if err := json.Unmarshal([]byte(response.Body), &health); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{
				"status": "ok", "version": "v1.2.3", "commit": "0123456789abcdef0123", "date": "2026-11-23T10:00:00Z", "uptime_seconds": 90.0,
			}
			if diff := cmp.Diff(want, health); diff != "" {
				t.Errorf("health (-want +got):\n%s", diff)
			}
			if line["level"] != "DEBUG" || f.measurement() != "" {
				t.Errorf("log line %v, measurement %q", line, f.measurement())
			}
		})
	}
}

// Time is read from the clock that was given, and from no other.
func TestTook(t *testing.T) {
	f := newFront(t)
	f.queue.Fault = func(op string) error {
		if op == "before Send" {
			f.clock.Advance(1234 * time.Millisecond)
		}
		return nil
	}
	_, line := f.handle(signedText(text(nil)))
	if line["took_ms"] != 1234.0 {
		t.Errorf("took_ms %v, want 1234", line["took_ms"])
	}
	if envelope, _ := f.queued(); !envelope.ReceivedAt.Equal(started) {
		t.Errorf("received at %v, want %v, before the queue was asked", envelope.ReceivedAt, started)
	}
}
