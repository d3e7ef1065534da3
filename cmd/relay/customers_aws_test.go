//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

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

// checkActions wants these actions of operators in the table, whose stream goes to the audit log: who did what to which phone.
func (s *awsStage) checkActions(want ...string) {
	s.t.Helper()
	table := s.environment[cli.EnvConversationsTable]
	page, err := dynamodb.NewFromConfig(s.dynamoDB).Scan(s.t.Context(), &dynamodb.ScanInput{
		TableName: &table, ConsistentRead: aws.Bool(true), FilterExpression: aws.String("begins_with(#item, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#item": "Item"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":prefix": &types.AttributeValueMemberS{Value: conversation.PrefixAction}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, item := range page.Items {
		var words []string
		for _, name := range []string{"By", "Deed", "Phone"} {
			text, _ := item[name].(*types.AttributeValueMemberS)
			words = append(words, text.Value)
		}
		got = append(got, strings.Join(words, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// searches finds the customer's texts by number, name, tag and time, and no words.
func (s *awsStage) searches(customer string) {
	s.t.Helper()
	text, other := relaytest.Record(1, time.Now().Add(-time.Hour)), relaytest.Record(2, time.Now().Add(-time.Hour))
	other.Customer = relaytest.Fallback
	for _, r := range []ledger.Record{text, other} {
		if _, err := s.records().Create(s.t.Context(), r); err != nil {
			s.t.Fatal(err)
		}
	}
	number := string(testNumber)
	for _, by := range [][]string{
		{"--number", customer}, {"--tag", "A05"}, {"--name", "an", "--number", number}, {"--number", customer, "--since", "2h"},
	} {
		_, stdout, stderr := s.relay(append([]string{"search"}, by...)...)
		if !strings.Contains(stdout, text.MessageSid) || strings.Contains(stdout, other.MessageSid) || strings.Contains(stdout, text.Body) {
			s.t.Errorf("search %v: %s%s", by, stdout, stderr)
		}
	}
	s.wants(cli.ExitUsage, "words: what texts say cannot be searched on AWS", "search", "gate")
	s.wants(cli.ExitUsage, "say which number they text, too", "search", "--name", "an")
	s.check("search of long ago", "no texts", "search", "--number", customer, "--until", "2h")
}

// TestCustomersOnAWS names customers of a deployed relay, shows them, answers one, and ends what a phone may answer.
func TestCustomersOnAWS(t *testing.T) {
	s := newAWSStage(t)
	number, phone, customer := string(testNumber), string(testDestination), string(relaytest.Customer)
	s.check("route set", number, "route", "set", number, "--to", phone, "--verify-phones=false")
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
	s.searches(customer)
	s.environment[cli.EnvOperator] = "grace"
	s.check("phone rm", "It is still in the route", "phone", "rm", number, phone)
	s.checkActions("grace remove_phone " + phone)
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
