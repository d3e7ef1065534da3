//go:build !race

package webhook_test

import (
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestWebhookAllocatesLittle counts what a webhook leaves for the garbage collector, without queue and log. (The race detector makes
// sync.Pool forget at random.)
func TestWebhookAllocatesLittle(t *testing.T) {
	verifier, err := signature.NewValidator([]string{base}, []string{token})
	if err != nil {
		t.Fatal(err)
	}
	h := webhook.New(webhook.Config{
		Queue: atOnce{}, Verifier: verifier, Now: relaytest.NewClock(started).Now, Started: started,
		Logger: slog.New(slog.DiscardHandler), Emit: telemetry.Discard,
	})
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"text": signedText(text(nil)), "receipt": signedCallback(callbackQuery, callback("delivered")),
	} {
		got := testing.AllocsPerRun(100, func() {
			if response, err := h.Handle(t.Context(), r); err != nil || response.StatusCode >= 300 {
				t.Fatal(response.StatusCode, err)
			}
		})
		if got > 20 {
			t.Errorf("%s: %v allocations, want 20 at most", name, got)
		}
	}
}
