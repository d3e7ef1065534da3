package sqs_test

import (
	"path"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/sqs"
)

// TestDescribe reads a queue's settings off an emulator.
func TestDescribe(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	dead := e.createQueue(t, true, nil)
	attributes := e.redriveTo(t, dead, 7)
	attributes["VisibilityTimeout"] = "180"
	live := e.createQueue(t, true, attributes)
	found, err := sqs.Find(t.Context(), e.config, path.Base(live))
	if err != nil {
		t.Fatal(err)
	}
	got, err := found.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	deadLetters, err := sqs.Find(t.Context(), e.config, path.Base(dead))
	if err != nil {
		t.Fatal(err)
	}
	target, err := deadLetters.Describe(t.Context())
	if err != nil || target.ARN == "" || target.DeadLetters != "" {
		t.Fatalf("dead letters: %+v, %v", target, err)
	}
	if !got.FIFO || got.Visibility != 3*time.Minute || got.DeadLetters != target.ARN || got.MaxReceives != 7 {
		t.Errorf("settings %+v", got)
	}
}
