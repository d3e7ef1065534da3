//go:build unix

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestCanary has the program for people fly a made-up text through the deployed shape, as an operator of it would.
func TestCanary(t *testing.T) {
	s := newStage(t, nil, nil)
	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone})
	out, err := s.relay("canary", string(number), "--aws", "--url", s.host.URL(), "--phone", string(phone), "--timeout",
		patience.String(), "--json")
	var flown struct {
		MessageSid string       `json:"message_sid"`
		State      ledger.State `json:"state"`
		Arrived    bool         `json:"arrived"`
		Stages     []struct {
			Name string `json:"name"`
		} `json:"stages"`
	}
	if jsonErr := json.Unmarshal(out, &flown); err != nil || jsonErr != nil || !flown.Arrived || flown.State != ledger.Delivered ||
		len(flown.Stages) < 3 {
		t.Fatalf("error %v, answer %s", err, out)
	}
	if r := s.record(flown.MessageSid); r.State != ledger.Delivered {
		t.Errorf("the ledger has it as %s", r.State)
	}
	if out, err := s.relay("audit", "verify", "--aws", "--message", flown.MessageSid); err != nil {
		t.Errorf("its trail does not verify: %v\n%s", err, out)
	}
}

// relay builds the program for people and runs it next to the stack, with an administrator's credentials.
func (s *stage) relay(args ...string) ([]byte, error) {
	s.t.Helper()
	program := filepath.Join(s.t.TempDir(), "relay")
	if out, err := exec.CommandContext(s.t.Context(), "go", "build", "-o", program, "../../cmd/relay").CombinedOutput(); err != nil {
		s.t.Fatalf("build: %v\n%s", err, out)
	}
	command := exec.CommandContext(s.t.Context(), program, args...)
	command.Stderr = s.t.Output()
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.t.TempDir(), "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL_DYNAMODB=" + relaytest.Emulator(s.t, relaytest.EmulatorDynamoDB).Endpoint,
		"AWS_ENDPOINT_URL_SQS=" + relaytest.Emulator(s.t, relaytest.EmulatorSQS).Endpoint,
		"AWS_ENDPOINT_URL=" + relaytest.Emulator(s.t, relaytest.EmulatorMoto).Endpoint,
		"TWILIO_ACCOUNT_SID=" + accountSid, "TWILIO_AUTH_TOKEN=" + authToken,
		"RELAY_ROUTING_TABLE=" + s.host.Name("RoutingTable"), "RELAY_LEDGER_TABLE=" + s.host.Name("LedgerTable"),
		"RELAY_CONVERSATIONS_TABLE=" + s.host.Name("ConversationsTable"),
		"RELAY_QUEUE=" + strings.TrimSuffix(filepath.Base(s.host.Name("Queue")), ".fifo"),
		"RELAY_AUDIT_LOG_GROUP=" + s.host.Name("AuditLogGroup"),
	}
	return command.Output()
}
