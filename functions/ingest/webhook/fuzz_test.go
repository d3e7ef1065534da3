package webhook_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// FuzzStranger makes requests that nobody signed with the relay's token: none may be acknowledged or queued.
func FuzzStranger(f *testing.F) {
	genuine := signedText(text(nil))
	f.Add("POST", webhook.PathInbound, "", formType, genuine.Headers["x-twilio-signature"], genuine.Body, true)
	f.Add("POST", webhook.PathInbound, "", formType, "", text(nil).Encode(), false)
	f.Add("POST", sms.CallbackPath, callbackQuery, formType+"; charset=utf-8", "x", callback("sent").Encode(), false)
	f.Add("POST", sms.CallbackPath, "bodySHA256=x", "application/json", "x", "{}", false)
	f.Add("GET", webhook.PathHealth, "", "", "", "", false)
	f.Add("PUT", "/", "%", ";", "=", "%", true)
	f.Fuzz(func(t *testing.T, method, path, query, contentType, given, body string, encoded bool) {
		front := newFront(t)
		// This token is not the one that signed the genuine request, so that even a replay of that is a stranger's.
		verifier, err := signature.NewValidator([]string{base}, []string{"fake-token-of-nobody"})
		if err != nil {
			t.Fatal(err)
		}
		front.Verifier = verifier
		r := request(method, path, query)
		r.Headers["content-type"], r.Headers["x-twilio-signature"], r.Body, r.IsBase64Encoded = contentType, given, body, encoded
		response, err := front.Handle(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		health := method == "GET" && (path == webhook.PathHealth || path == webhook.PathInbound)
		if !health && (response.StatusCode < 400 || response.StatusCode == http.StatusServiceUnavailable) {
			t.Errorf("%s %s: status %d without a signature", method, path, response.StatusCode)
		}
		if response.StatusCode >= 400 && response.Body != http.StatusText(response.StatusCode)+"\n" {
			t.Errorf("refusal says %q", response.Body)
		}
		if n := len(front.queue.Messages()); n != 0 {
			t.Errorf("queue holds %d messages", n)
		}
		if n := bytes.Count(front.logs.Bytes(), []byte("\n")); n != 1 {
			t.Errorf("log has %d lines", n)
		}
	})
}

// FuzzSigned makes arbitrary bodies that Twilio signed: 200 if and only if the queue holds the text, and never a 503,
// which a body that the queue can never take would cause again and again.
func FuzzSigned(f *testing.F) {
	f.Add(webhook.PathInbound, "", []byte(text(nil).Encode()), true)
	f.Add(webhook.PathInbound, "a=1&a=1", []byte("MessageSid=SM1&From=%2B1&To=x&Body=%FF%FE%00%EF%BF%BF"), false)
	f.Add(webhook.PathInbound, "", []byte("MessageSid=SM1&MessageSid=SM2&From=\x01&To=\xff&NumMedia=9&MediaUrl8=\x00"), false)
	f.Add(sms.CallbackPath, callbackQuery, []byte(callback("delivered").Encode()), true)
	f.Add(sms.CallbackPath, "relay_id=%00%ff&hop=0&attempt=1", []byte("MessageSid=x&MessageStatus=read&ErrorCode=-1"), false)
	f.Add(sms.CallbackPath, "relay_id=a;b&hop=0&attempt=1", []byte("MessageSid=x&MessageStatus=sent"), false)
	f.Fuzz(func(t *testing.T, path, query string, body []byte, encoded bool) {
		front := newFront(t)
		r := sign(post(path, query, string(body)), base, token)
		if encoded {
			r = gateway(r)
		}
		response, err := front.Handle(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		messages := front.queue.Messages()
		switch response.StatusCode {
		case http.StatusOK, http.StatusNoContent:
			if response.StatusCode == http.StatusOK && len(messages) != 1 {
				t.Fatalf("200, and the queue holds %d messages", len(messages))
			}
		case http.StatusServiceUnavailable:
			t.Fatalf("503 of a signed request: %s", front.logs)
		default:
			if len(messages) != 0 {
				t.Fatalf("status %d, and the queue holds %d messages", response.StatusCode, len(messages))
			}
		}
		for _, m := range messages {
			front.checkQueued(m, body)
		}
	})
}

// checkQueued holds a queued message against SQS's rules and against the form.
func (f *front) checkQueued(m queue.Delivery, body []byte) {
	f.t.Helper()
	for _, id := range []string{m.Group, m.DeduplicationID} {
		if id == "" || len(id) > 128 {
			f.t.Errorf("id %q of %d characters", id, len(id))
		}
		for _, c := range []byte(id) {
			if c <= ' ' || c > '~' {
				f.t.Errorf("id %q has characters that SQS refuses", id)
			}
		}
	}
	envelope, err := queue.Decode(m.Body)
	if err != nil {
		f.t.Fatalf("queue holds %q: %v", m.Body, err)
	}
	form, err := signature.ParseForm(body)
	if err != nil {
		f.t.Fatalf("queued an unreadable form: %v", err)
	}
	if envelope.Kind == queue.KindInbound && envelope.RelayID != form.Get("MessageSid") {
		f.t.Errorf("relay id %q, want the MessageSid %q", envelope.RelayID, form.Get("MessageSid"))
	}
}

// atOnce is a queue that takes everything.
type atOnce struct{}

func (atOnce) Send(context.Context, queue.Outgoing) error { return nil }

// BenchmarkHandle measures the handler without I/O.
func BenchmarkHandle(b *testing.B) {
	verifier, err := signature.NewValidator([]string{base}, []string{token})
	if err != nil {
		b.Fatal(err)
	}
	clock := relaytest.NewClock(started)
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"inbound": signedText(text(nil)), "callback": signedCallback(callbackQuery, callback("delivered")),
		"forged": gateway(sign(post(webhook.PathInbound, "", text(nil).Encode()), base, "fake-token-of-a-stranger")),
	} {
		b.Run(name, func(b *testing.B) {
			h := webhook.New(webhook.Config{
				Queue: atOnce{}, Verifier: verifier, Now: clock.Now, Started: started,
				Build:  telemetry.Build{Version: "v1.2.3", Commit: "0123456789abcdef0123", Date: "2026-11-23T10:00:00Z"},
				Logger: slog.New(slog.DiscardHandler), Emit: telemetry.Discard,
			})
			size, err := base64.StdEncoding.DecodeString(r.Body)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(size)))
			b.ReportAllocs()
			for b.Loop() {
				if response, err := h.Handle(b.Context(), r); err != nil || response.StatusCode >= 500 {
					b.Fatal(response.StatusCode, err)
				}
			}
		})
	}
}
