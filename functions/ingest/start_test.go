package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// takeMessages is an SQS that takes everything.
func takeMessages(w http.ResponseWriter, r *http.Request) {
	var sent struct{ MessageBody string }
	_ = json.NewDecoder(r.Body).Decode(&sent)
	sum := md5.Sum([]byte(sent.MessageBody))
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(map[string]string{"MessageId": "1", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
}

func secretOf(token string) string {
	return `{"accountSid":"` + accountSid + `","authToken":"` + token + `"}`
}

// TestStartReadsTheCurrentTokenAlone, and the others when a signature does not match: a webhook that is signed with one of them is taken.
// However many do not match, they are read once a minute.
func TestStartReadsTheCurrentTokenAlone(t *testing.T) {
	secret := relaytest.NewSecretVersions(t, map[string]string{
		"AWSCURRENT": secretOf("current"), "AWSPENDING": secretOf("pending"), "AWSPREVIOUS": secretOf("previous"),
	})
	secret.Others = http.HandlerFunc(takeMessages)
	aws := httptest.NewServer(secret)
	t.Cleanup(aws.Close)
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": aws.URL,
		"PUBLIC_BASE_URL": baseURL, "RELAY_QUEUE_URL": aws.URL + "/1/texts.fifo", "RELAY_TWILIO_AUTH_TOKEN_SECRET": "token",
	} {
		t.Setenv(name, value)
	}
	handler, err := newHandler(t.Context(), slog.New(slog.DiscardHandler), time.Now(), telemetry.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"AWSCURRENT"}, secret.Read()); diff != "" {
		t.Errorf("read at the start (-want +got):\n%s", diff)
	}
	for i, step := range []struct {
		token  string
		status int
		read   []string
	}{
		{"current", http.StatusOK, nil},
		{"previous", http.StatusOK, []string{"AWSPENDING", "AWSCURRENT", "AWSPREVIOUS"}},
		{"pending", http.StatusOK, nil},
		{"current", http.StatusOK, nil},
		{"nobody's", http.StatusForbidden, nil},
	} {
		answer, err := handler.Handle(t.Context(), webhookOf(1, i, step.token))
		if err != nil || answer.StatusCode != step.status {
			t.Errorf("signed with %s: answered %d, %v, want %d", step.token, answer.StatusCode, err, step.status)
		}
		if diff := cmp.Diff(step.read, secret.Read()); diff != "" {
			t.Errorf("read for one signed with %s (-want +got):\n%s", step.token, diff)
		}
	}
}
