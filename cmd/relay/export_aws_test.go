//go:build unix

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// movingFolder is a data folder with a route, a text that waits and its message, and a customer with a tag.
func movingFolder(t *testing.T) (data string, db *sqlite.DB) {
	t.Helper()
	data = t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, at := t.Context(), time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = db.Routes().Put(ctx, route.Route{TwilioNumber: testNumber, DestinationCarrier: testDestination, Active: true})
	must(err)
	r := relaytest.Record(1, at.AddDate(0, -2, 0))
	r.State = ledger.Queued
	_, err = auditlog.Put(ctx, db.Ledger(), ledger.Record{}, r)
	must(err)
	ann := conversation.Conversation{TwilioNumber: testNumber, Customer: relaytest.Customer, Name: "Ann"}
	tagged, use := ann.Take(conversation.TagUse{Tag: "A05"}, at)
	_, err = auditlog.PutTag(ctx, db.Conversations(), conversation.Conversation{}, tagged, use, at)
	must(err)
	m := relaytest.Message(1)
	out, err := queue.Envelope{Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: at, Message: &m}.Outgoing()
	must(err)
	must(db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Send(ctx, out))
	changes, err := db.Changes().Read(ctx, 100, 0)
	must(err)
	must(db.Changes().Checkpoint(ctx, changes[len(changes)-1].SequenceNumber))
	return data, db
}

// TestExportToAWS moves a relay: ahead while it runs, then with its messages.
func TestExportToAWS(t *testing.T) {
	s := newAWSStage(t)
	data, db := movingFolder(t)
	export := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := s.run(append([]string{"export", "--data", data}, args...)...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Fatalf("export %q: exit code %d, want %q in\n%s%s", args, code, want, stdout, stderr)
		}
	}
	export("relay serve runs", "--to-aws")
	export("Stop relay serve, and run the same command again.", "--to-aws", "--apply")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	export(`"done":true`, "--to-aws", "--apply", "--json")

	s.check("status", "queued", "status", relaytest.MessageSid(1))
	s.check("conversation ls", "A05\tAnn", "conversation", "ls", string(testNumber))
	s.check("route show", string(testDestination), "route", "show", string(testNumber))
	inbox, err := sqs.Find(t.Context(), s.sqs, s.queue+".fifo")
	if err != nil {
		t.Fatal(err)
	}
	got, err := inbox.Receive(t.Context(), 10, time.Second, time.Minute)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d messages on the queue, error %v", len(got), err)
	}
	var envelope queue.Envelope
	if err := json.Unmarshal([]byte(got[0].Body), &envelope); err != nil || envelope.RelayID != relaytest.MessageSid(1) {
		t.Errorf("the message is of %q, error %v", envelope.RelayID, err)
	}
	for args, want := range map[string]string{"--to-aws": "this relay has moved to AWS, ", "--undo": "messages were moved to AWS, "} {
		if code, _, stderr := s.run("export", "--data", data, args); code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("export %s again: exit code %d, want %q in %s", args, code, want, stderr)
		}
	}
}
