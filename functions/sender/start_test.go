package main

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestStartReadsTheCurrentCredentialsAlone, and the pending ones when Twilio refuses those: the text goes out with them. However often
// Twilio refuses, they are read once a minute.
func TestStartReadsTheCurrentCredentialsAlone(t *testing.T) {
	const account = "AC00000000000000000000000000000001"
	secretOf := func(token string) string { return `{"accountSid":"` + account + `","authToken":"` + token + `"}` }
	secret := relaytest.NewSecretVersions(t, map[string]string{
		"AWSCURRENT": secretOf("current"), "AWSPENDING": secretOf("pending"), "AWSPREVIOUS": secretOf("previous"),
	})
	aws := httptest.NewServer(secret)
	t.Cleanup(aws.Close)
	keeper := &gatekeeper{taken: map[string]int{}}
	keeper.accept("current")
	server := httptest.NewServer(keeper)
	t.Cleanup(server.Close)
	c, err := read(map[string]string{"AWS_ENDPOINT_URL": aws.URL, "TWILIO_API_BASE_URL": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.newClient(t.Context(), secrets.New(awsclient.New(c.aws), c.secrets), time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"AWSCURRENT"}, secret.Read()); diff != "" {
		t.Errorf("read at the start (-want +got):\n%s", diff)
	}
	all := []string{"AWSPENDING", "AWSCURRENT", "AWSPREVIOUS"}
	for i, step := range []struct {
		accepted string
		sent     bool
		read     []string
	}{
		{"current", true, nil},
		{"pending", true, all},
		{"pending", true, nil},
		{"nobody's", false, nil},
	} {
		keeper.accept(step.accepted)
		_, err := client.Create(t.Context(), sms.Outbound{From: "+18585550100", To: "+18585550101", Body: string(rune('a' + i))})
		if (err == nil) != step.sent {
			t.Errorf("Twilio takes %s: error %v, sent should be %v", step.accepted, err, step.sent)
		}
		if diff := cmp.Diff(step.read, secret.Read()); diff != "" {
			t.Errorf("read while Twilio takes %s (-want +got):\n%s", step.accepted, diff)
		}
	}
}
