package costs

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCallsOfAText holds what the host counted for one delivered text against what it may call. docs/cost.md says why it is not less.
func TestCallsOfAText(t *testing.T) {
	paths, err := readPaths(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	counted := paths[0]
	receipts := counted.Each["apigateway:Request"] - 1
	messages := 1 + receipts
	want := map[string]float64{
		// A message each for the text and its receipts. It came alone, so it has its receive and its delete for itself.
		"sqs:SendMessage Queue": messages, "sqs:ReceiveMessage Queue": messages, "sqs:DeleteMessageBatch Queue": messages,
		// The pace, the claim and the outcome; the record of each receipt.
		"dynamodb:PutItem PaceTable": 1, "dynamodb:PutItem LedgerTable": 2 + receipts,
		"dynamodb:GetItem LedgerTable": receipts,
		// Those of conversations.
		"dynamodb:BatchGetItem ConversationsTable": 1, "dynamodb:PutItem ConversationsTable": 1,
		// Remembered for seconds.
		"dynamodb:BatchGetItem RoutingTable": 1, "dynamodb:GetItem PaceTable": 1,
		"twilio:POST": 1,
	}
	got := maps.Clone(counted.Each)
	maps.DeleteFunc(got, func(what string, _ float64) bool {
		service, _, _ := strings.Cut(what, ":")
		return service != "sqs" && service != "dynamodb" && service != "twilio" && service != "secretsmanager" && service != "s3"
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls of a text that is delivered (-may be +counted):\n%s", diff)
	}
}
