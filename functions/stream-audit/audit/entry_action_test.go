package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// ofAction returns the nth stream record, a change of what an operator did.
func ofAction(n int, before, after *conversation.Action) events.DynamoDBEventRecord {
	either := after
	if either == nil {
		either = before
	}
	record := changeOf(n, "TwilioNumber", string(either.TwilioNumber), before, after)
	record.Change.Keys["Item"] = events.NewStringAttribute(either.Item())
	return record
}

// TestWhatOperatorsDoToPhonesIsLogged with who did it, and with masked numbers.
func TestWhatOperatorsDoToPhonesIsLogged(t *testing.T) {
	key := conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}
	a := conversation.NewAction(conversation.DeedResume, key, relaytest.Customer, "ann", noon.AddDate(0, -1, 0))
	s := newStage(nil)
	created := ofAction(1, nil, &a)
	got := s.entry(t, created)
	want := auditlog.Entry{
		ID: "action:" + a.ID, Time: created.Change.ApproximateCreationDateTime.UTC(), Subject: "phone", Change: "created",
		TwilioNumber: relaytest.TwilioNumber.Mask(), Customer: relaytest.Customer.Mask(), Phone: relaytest.Destination.Mask(),
		Actor: "ann", Decision: "resume",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	other := a
	other.By = "bob"
	changed, removed := s.entry(t, ofAction(2, &a, &other)), s.entry(t, ofAction(3, &other, nil))
	if changed.Change != "changed" || removed.Change != "removed" || changed.ID == got.ID || removed.ID == changed.ID {
		t.Errorf("entries of what somebody changed by hand: %+v and %+v, want each under its own id", changed, removed)
	}
	for _, line := range s.log.Lines() {
		for _, secret := range []string{string(relaytest.Customer), string(relaytest.Destination), string(relaytest.TwilioNumber)} {
			if strings.Contains(string(line.Text), secret) {
				t.Errorf("line %s shows %s", line.Text, secret)
			}
		}
	}
}

// TestWhoChangedAName is in the entry of the name alone, not in those of what the relay changes later.
func TestWhoChangedAName(t *testing.T) {
	named := conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer, Name: "Ann Miller", NamedBy: "grace",
	}
	tagged := named
	tagged.Tag, tagged.TagVersion = "A47", 1
	without := tagged
	without.Name, without.NamedBy = "", "ada"
	s := newStage(nil)
	if failed := s.handle(t, conversationChanges(1, sealedConversations(t, named, tagged, without))...); failed != "" {
		t.Fatalf("change %s is named: %s", failed, s.logged)
	}
	actors := []string{}
	for _, entry := range s.entries(t) {
		if actors = append(actors, entry.Actor); entry.Unsealed {
			t.Errorf("the writer sealed another entry than %+v", entry)
		}
	}
	if diff := cmp.Diff([]string{"grace", "", "ada"}, actors); diff != "" {
		t.Errorf("actors (-want +got):\n%s", diff)
	}
}

// TestWhoBlockedACustomer is in the entries of the block and of its end.
func TestWhoBlockedACustomer(t *testing.T) {
	tagged := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer, Tag: "A47", TagVersion: 1}
	blocked, _ := tagged.Block(conversation.Blocked{On: true, By: "grace", Since: noon})
	again, _ := blocked.Block(conversation.Blocked{Phone: relaytest.Destination, Since: noon.Add(time.Hour)})
	s := newStage(nil)
	if failed := s.handle(t, conversationChanges(1, sealedConversations(t, tagged, blocked, again))...); failed != "" {
		t.Fatalf("change %s is named: %s", failed, s.logged)
	}
	said := []string{}
	for _, entry := range s.entries(t) {
		said = append(said, fmt.Sprintf("%s %t %v", entry.Actor, entry.Conversation.Blocked, entry.Conversation.Changed))
		if entry.Unsealed {
			t.Errorf("the writer sealed another entry than %+v", entry)
		}
	}
	want := []string{" false [tag]", "grace true [seen block]", relaytest.Destination.Mask() + " false [block]"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
