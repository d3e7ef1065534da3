//go:build unix

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// die puts the nth text into the ledger as dead, with its letter on the dead-letter queue.
func (s *awsStage) die(n int) {
	s.t.Helper()
	ctx := s.t.Context()
	at := time.Now().Add(-time.Hour)
	r, err := relaytest.Record(n, at).Claim("claim", 0, relaytest.Destination, time.Minute, at)
	if err == nil {
		r, _, err = r.End(1, &fault.Error{Kind: fault.Transient, HTTPStatus: 503}, ledger.Onward{To: ledger.Queued, NotBefore: at}, at)
	}
	if err == nil {
		r, err = r.Die(ledger.ReasonAttemptsExhausted, at)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.records().Create(ctx, r); err != nil {
		s.t.Fatal(err)
	}
	m := relaytest.Message(n)
	letter, err := queue.Envelope{Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: at, Message: &m}.Outgoing()
	if err != nil {
		s.t.Fatal(err)
	}
	letter.Attributes = map[string]string{
		delivery.AttributeReason: "attempts_exhausted", delivery.AttributeAttempts: "1",
		delivery.AttributeLastError: "transient", delivery.AttributeHop: "0",
	}
	dead, err := sqs.Find(ctx, s.sqs, s.queue+"-dead.fifo")
	if err == nil {
		err = dead.Send(ctx, letter)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestDeadLettersOnAWS lists, drops, restores and moves letters of a deployed relay.
func TestDeadLettersOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.environment["USER"] = "ada"
	s.die(1)
	s.die(2)
	for range 2 {
		// They are of one conversation, and shown again at once.
		s.check("dlq ls", "\n2 dead letters\n", "dlq", "ls")
	}
	s.check("dlq show", "says        "+relaytest.Message(2).Body, "dlq", "show", relaytest.MessageSid(2))
	file := filepath.Join(t.TempDir(), "dropped.jsonl")
	s.check("dlq drop", "Deleted.", "dlq", "drop", relaytest.MessageSid(1), "--because", "a test", "--save", file, "--apply")
	s.check("dlq ls", "\n1 dead letter\n", "dlq", "ls")
	s.check("dlq restore", "1 letter put back.", "dlq", "restore", file)
	s.check("dlq redrive", "would move:     2: dead", "dlq", "redrive")
	s.check("dlq redrive", "2 letters moved, 0 left", "dlq", "redrive", "--apply", "--rate", "50/s")
	s.check("dlq ls", "no dead letters\n", "dlq", "ls")
	s.check("status", relaytest.MessageSid(1)+"\tdead", "status", "--state", "dead")

	moved := s.received()
	if len(moved) != 2 {
		t.Fatalf("received %d messages, want the two letters", len(moved))
	}
	for _, d := range moved {
		e, err := queue.Decode(d.Body)
		if err != nil || d.Group != e.Group() || d.Attributes[delivery.AttributeReason] != "attempts_exhausted" ||
			d.Attributes[delivery.AttributeAttempts] != "1" {
			t.Errorf("moved letter %+v, error %v", d, err)
		}
	}
}

// TestSendOnAWS queues a text on a deployed relay, and asks for it.
func TestSendOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.check("send --dry-run", "It would be dropped: no_route", "send", string(relaytest.TwilioNumber), "--body", "Hello", "--dry-run")
	_, out, _ := s.relay("send", string(relaytest.TwilioNumber), "--body", "Hello", "--to", string(relaytest.Destination), "--json")
	var answer struct{ ID string }
	if err := json.Unmarshal([]byte(out), &answer); err != nil || !strings.HasPrefix(answer.ID, "RL") {
		t.Fatalf("answer %q, error %v", out, err)
	}
	if code, _, trouble := s.relay("status", answer.ID); code != cli.ExitFailed || !strings.Contains(trouble, "the ledger has no such text") {
		t.Errorf("exit code %d, %s", code, trouble)
	}
	s.check("uncertain ls", "no uncertain texts", "uncertain", "ls")
}

// check runs the program on the stage, and holds what it prints against what has to be in it.
func (s *awsStage) check(what, want string, args ...string) {
	s.t.Helper()
	if code, out, trouble := s.relay(args...); code != cli.ExitDone || !strings.Contains(out, want) {
		s.t.Errorf("%s: exit code %d, want %q in\n%s%s", what, code, want, out, trouble)
	}
}
