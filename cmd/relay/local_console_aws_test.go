//go:build unix

package main

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestConsoleOnAWS shows the console over a deployed relay.
func TestConsoleOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.environment[cli.EnvOperator] = "ada"
	waits(t, dynamo.NewRoutes(s.dynamoDB, s.routing), s.records(),
		dynamo.NewConversations(s.dynamoDB, s.environment[cli.EnvConversationsTable]))
	b := browse(t, s.environment, "--aws")
	r := relaytest.Record(1, time.Now())
	if page := b.get(""); !strings.Contains(page, "A05") {
		t.Errorf("nobody waits:\n%s", page)
	}
	if page := b.customer(testNumber, r.Customer); !strings.Contains(page, r.Body) {
		t.Errorf("the customer's page:\n%s", page)
	}
	if seen, err := s.records().Get(t.Context(), r.MessageSid); err != nil || seen.Reading.By != "ada" {
		t.Errorf("read by %+v, error %v; want ada", seen.Reading, err)
	}
	b.wantExamined("queue-settings")
}
