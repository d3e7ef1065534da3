package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// ofConversation returns the nth stream record, a change of a conversation.
func ofConversation(n int, before, after *conversation.Conversation) events.DynamoDBEventRecord {
	either := after
	if either == nil {
		either = before
	}
	record := changeOf(n, "TwilioNumber", string(either.TwilioNumber), before, after)
	record.Change.Keys["Item"] = events.NewStringAttribute(conversation.Item(either.Customer))
	return record
}

// talk returns the stored versions of a conversation: STOP, START, and a name.
func talk(t rapid.TB) []conversation.Conversation {
	t.Helper()
	stop := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer}
	stop.OptOut = conversation.OptOut{OptedOut: true, Word: "STOP", Since: noon, MessageSid: relaytest.MessageSid(1)}
	start := stop
	start.OptOut = conversation.OptOut{Word: "START", Since: noon.Add(time.Minute), MessageSid: relaytest.MessageSid(2)}
	named := start
	named.Name = "Ann Miller"
	return sealedConversations(t, stop, start, named)
}

// sealedConversations seals versions as their writer does.
func sealedConversations(t rapid.TB, versions ...conversation.Conversation) []conversation.Conversation {
	t.Helper()
	var before conversation.Conversation
	for i, wanted := range versions {
		after, err := auditlog.SealConversation(before, wanted, noon.Add(time.Duration(i)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		after.Version = int64(i + 1)
		versions[i], before = after, after
	}
	return versions
}

// conversationChanges returns the stream of a conversation's versions, numbered from first.
func conversationChanges(first int, stored []conversation.Conversation) []events.DynamoDBEventRecord {
	var records []events.DynamoDBEventRecord
	var before *conversation.Conversation
	for i := range stored {
		records = append(records, ofConversation(first+i, before, &stored[i]))
		before = &stored[i]
	}
	return records
}

// TestConversationsEntriesFollowFromTheirSeals: the stream comes to the hashes that the writer wrote.
func TestConversationsEntriesFollowFromTheirSeals(t *testing.T) {
	stored := talk(t)
	s := newStage(nil)
	if failed := s.handle(t, append(conversationChanges(1, stored), ofConversation(4, &stored[2], nil))...); failed != "" {
		t.Fatalf("change %s is named: %s", failed, s.logged)
	}
	prev, said := "", []string{}
	for i, entry := range s.entries(t) {
		if entry.Unsealed || entry.Prev != prev || entry.Subject != "conversation" || i < 3 && entry.Hash != stored[i].Seal {
			t.Errorf("entry %d is %+v, want it to follow %q", i, entry, prev)
		}
		prev = entry.Hash
		said = append(said, strings.Join(append([]string{entry.Change}, entry.Conversation.Changed...), " "))
	}
	if diff := cmp.Diff([]string{"created opt_out", "changed opt_out", "changed name", "removed"}, said); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// TestConversationChangedPastTheRelay is told as such.
func TestConversationChangedPastTheRelay(t *testing.T) {
	stored := talk(t)
	for name, edit := range map[string]func(*conversation.Conversation){
		"opted in":                 func(c *conversation.Conversation) { c.OptOut.OptedOut = true },
		"a name":                   func(c *conversation.Conversation) { c.Name = "Bob" },
		"a version":                func(c *conversation.Conversation) { c.Version++ },
		"the seal, by taking it":   func(c *conversation.Conversation) { c.Seal = "" },
		"the ID, by taking it":     func(c *conversation.Conversation) { c.ID = "" },
		"the ID, to another one's": func(c *conversation.Conversation) { c.ID = "AB3DEFGH2JKLMNOPQRSTUVWXYZ" },
	} {
		t.Run(name, func(t *testing.T) {
			after := stored[2]
			edit(&after)
			got := newStage(nil).entry(t, ofConversation(4, &stored[2], &after))
			isUnsealed := got.Unsealed && got.Seal == after.Seal
			if !isUnsealed || got.Prev != stored[2].Seal || got.ConversationID != stored[2].ID || got.Hash == stored[2].Seal {
				t.Errorf("entry is %+v", got)
			}
		})
	}
}

// TestOnlyConversationsOfTheirTableAreAudited: its phones and tags change with almost every text, and are passed over wherever they
// are in a batch.
func TestOnlyConversationsOfTheirTableAreAudited(t *testing.T) {
	item := func(n int, key string) events.DynamoDBEventRecord {
		record := changeOf(n, "TwilioNumber", string(relaytest.TwilioNumber), nil, &conversation.Phone{})
		record.Change.Keys["Item"] = events.NewStringAttribute(key)
		return record
	}
	key := conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}
	phone, tag := item(1, key.Item()), item(3, conversation.TagUse{Tag: "A47"}.Item())
	// What nobody audits is not read, either.
	phone.Change.NewImage["Version"] = events.NewStringAttribute("one")
	talked := conversationChanges(4, talk(t))
	talked[0].Change.SequenceNumber = sequence(2)
	batch := []events.DynamoDBEventRecord{phone, talked[0], tag, talked[1], item(9, key.Item())}

	s := newStage(nil)
	if failed := s.handle(t, batch...); failed != "" || len(s.entries(t)) != 2 || strings.Contains(s.logged.String(), "ERROR") {
		t.Errorf("change %q is named, %d entries are written: %s", failed, len(s.entries(t)), s.logged)
	}
	s = newStage(&relaytest.MemoryAuditLog{Fault: keeping(1, "before Line")})
	if failed := s.handle(t, batch...); failed != talked[1].Change.SequenceNumber {
		t.Errorf("change %q is named, want the second conversation's, %q", failed, talked[1].Change.SequenceNumber)
	}
	s = newStage(nil)
	if failed := s.handle(t, phone, tag); failed != "" || len(s.entries(t)) != 0 {
		t.Errorf("change %q is named, %d entries are written", failed, len(s.entries(t)))
	}
}

// TestConversationOfAnotherShape is no conversation: it stops the stream, and its item is not quoted.
func TestConversationOfAnotherShape(t *testing.T) {
	for _, attribute := range []string{"Name", "Customer", "OptOut", "UpdatedAt", "Version"} {
		record := conversationChanges(1, talk(t)[2:])[0]
		record.Change.NewImage[attribute] = events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewStringAttribute("Ann SECRETS")})
		s := newStage(nil)
		if failed := s.handle(t, record); failed != record.Change.SequenceNumber || strings.Contains(s.logged.String(), "SECRETS") {
			t.Errorf("%s: change %q is named: %s", attribute, failed, s.logged)
		}
	}
	strange := conversationChanges(1, talk(t)[:1])[0]
	strange.Change.Keys["Item"] = events.NewNumberAttribute("7")
	if got := newStage(nil).entry(t, strange); got.Subject != "conversation" {
		t.Errorf("an item with another key is passed over: %+v", got)
	}
}

// conversation draws a conversation of any shape.
func (s *secrets) conversation(t *rapid.T) *conversation.Conversation {
	c := &conversation.Conversation{
		TwilioNumber: s.number(t, "twilio number"), Customer: s.number(t, "customer"), Version: rapid.Int64Range(1, 999).Draw(t, "version"),
		Name: s.text(t, "name"), UpdatedAt: anyTime(t, "updated"), ID: rapid.SampledFrom([]string{"", "AB3"}).Draw(t, "id"),
		Seal: rapid.SampledFrom([]string{"", strings.Repeat("ab", 32)}).Draw(t, "seal"),
	}
	if rapid.Bool().Draw(t, "keyword") {
		c.OptOut = conversation.OptOut{OptedOut: true, Word: "STOP", Since: anyTime(t, "since"), MessageSid: relaytest.MessageSid(1)}
	}
	if rapid.Bool().Draw(t, "tag") {
		c.Tag, c.TagUsedAt, c.TagVersion = "A47", anyTime(t, "tag used"), 1
	}
	return c
}

// TestNothingSecretOfAConversationComesOut: no line, of the audit log or the operator's log, shows a number or a name.
func TestNothingSecretOfAConversationComesOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret secrets
		before, after := secret.conversation(t), secret.conversation(t)
		s := newStage(nil)
		batch := []events.DynamoDBEventRecord{
			ofConversation(1, nil, before), ofConversation(2, before, after), ofConversation(3, after, nil),
		}
		if failed := s.handle(t, batch...); failed != "" {
			t.Fatalf("change %s is named: %s", failed, s.logged)
		}
		for _, line := range s.log.Lines() {
			secret.check(t, string(line.Text), 5)
		}
		secret.check(t, s.logged.String(), 5)
	})
}
