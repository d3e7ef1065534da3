package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// noteSent puts into the table that the phone was sent a text of the customer, with the tag A05, an hour ago.
func (s *awsStage) noteSent(phone, customer sms.PhoneNumber) {
	s.t.Helper()
	ctx, at := context.Background(), ledger.Stamp(time.Now().Add(-time.Hour))
	store := dynamo.NewConversations(s.dynamoDB, s.environment[cli.EnvConversationsTable])
	c, use := conversation.Conversation{TwilioNumber: testNumber, Customer: customer}.Take(conversation.TagUse{Tag: "A05"}, at)
	if _, err := store.PutTag(ctx, c, use); err != nil {
		s.t.Fatal(err)
	}
	p := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: testNumber, Phone: phone}}
	p = p.Receive(conversation.Exchange{Customer: customer, Tag: "A05", SentAt: at}, relaytest.MessageSid(1))
	if _, err := store.PutPhone(ctx, p); err != nil {
		s.t.Fatal(err)
	}
}

// TestCustomersOnAWS names customers of a deployed relay, shows them, answers one, and ends what a phone may answer.
func TestCustomersOnAWS(t *testing.T) {
	s := newAWSStage(t)
	number, phone, customer := string(testNumber), string(testDestination), string(relaytest.Customer)
	s.check("route set", number, "route", "set", number, "--to", phone)
	s.noteSent(testDestination, relaytest.Customer)
	s.check("contact set", customer+` is "Ann"`, "contact", "set", number, "A05", "Ann")
	file := filepath.Join(t.TempDir(), "customers.csv")
	text := "number,customer,name\n" + number + "," + string(relaytest.Fallback) + ",Bob\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.check("contact import", "1 added.", "contact", "import", file, "--apply")
	s.check("contact ls", "Bob", "contact", "ls")
	s.check("conversation ls", "A05\tAnn\t"+customer, "conversation", "ls", number)
	s.check("conversation show", "tag       A05", "conversation", "show", number, "a05")
	s.check("conversation resume", "No text between", "conversation", "resume", number, "A05")
	s.check("phone ls", phone+"\tyes\t1", "phone", "ls", number)
	s.check("explain answer", "It would be sent to A05 "+customer, "explain", "answer", "--from", phone, "--to", number, "--body", "A05 Yes")
	s.check("phone rm", "It is still in the route", "phone", "rm", number, phone)
	s.check("reply", "is on the queue", "reply", number, "A05", "At three")
	found := s.received()
	if len(found) != 1 {
		t.Fatalf("%d messages are on the queue, want one", len(found))
	}
	e, err := queue.Decode(found[0].Body)
	if err != nil || e.Kind != queue.KindManual || e.Destination != relaytest.Customer || e.Message.From != "" ||
		!strings.HasPrefix(e.RelayID, "RL") || e.Message.Body != "At three" {
		t.Errorf("on the queue: %+v, error %v", e, err)
	}
}
