package dynamo_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// headsOf keeps 25 records in a ledger and reads their heads back.
func headsOf(t *testing.T, l *dynamo.Ledger) {
	t.Helper()
	want := map[string]ledger.Record{}
	for n := range 25 {
		r := claimed(t, n, "claim")
		r.Seal = fmt.Sprintf("5ea1%d", n)
		stored, err := l.Create(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		want[r.MessageSid] = ledger.Record{
			MessageSid: r.MessageSid, Version: stored.Version, Seal: r.Seal, ReceivedAt: r.ReceivedAt,
			UpdatedAt: r.UpdatedAt,
		}
	}
	got := map[string]ledger.Record{}
	if err := l.EachHead(t.Context(), func(r ledger.Record) { got[r.MessageSid] = r }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("heads (-want +got):\n%s", diff)
	}
}

// TestHeadsHoldNoText, however many pages they come in.
func TestHeadsHoldNoText(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.LedgerSchema())
	f.pageSize = 7
	headsOf(t, ledgerOn(f, time.Now))
	f.fault = func(string, int, func() reply) reply { return refuse(400, "AccessDeniedException") }
	err := ledgerOn(f, time.Now).EachHead(t.Context(), func(ledger.Record) {})
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Kind != fault.Fatal {
		t.Errorf("error %v, want a fatal one", err)
	}
}

// TestHeadsOnEmulator asks a real table.
func TestHeadsOnEmulator(t *testing.T) {
	t.Parallel()
	headsOf(t, newEmulator(t, nil).ledger(t))
}

// headsOfConversations keeps conversations, a phone and a tag in a table and reads the heads of the conversations back.
func headsOfConversations(t *testing.T, store *dynamo.Conversations) {
	t.Helper()
	want := map[string]conversation.Conversation{}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for n := range 9 {
		c := conversation.Conversation{
			TwilioNumber: relaytest.TwilioNumber, Customer: sms.PhoneNumber(fmt.Sprintf("+1312555010%d", n)), Name: "Ann Miller",
			ID: fmt.Sprintf("AB%d", n), Seal: fmt.Sprintf("5ea1%d", n), UpdatedAt: at,
		}
		if _, err := store.Put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		want[c.ID] = conversation.Conversation{ID: c.ID, Seal: c.Seal, UpdatedAt: at, Version: 1}
	}
	if _, err := store.PutPhone(t.Context(), conversation.Phone{PhoneKey: phoneOnDuty()}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutTag(t.Context(), conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: "+13125550199"},
		conversation.TagUse{Tag: "A47"}); err != nil {
		t.Fatal(err)
	}
	want[""] = conversation.Conversation{Version: 1}
	got := map[string]conversation.Conversation{}
	if err := store.EachHead(t.Context(), func(c conversation.Conversation) { got[c.ID] = c }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("heads (-want +got):\n%s", diff)
	}
}

// TestHeadsOfConversations are neither those of phones and tags, nor do they have a name, however many pages they come in.
func TestHeadsOfConversations(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.ConversationsSchema())
	f.pageSize = 4
	headsOfConversations(t, conversationsOn(f))
}

// TestHeadsOfConversationsOnEmulator asks a real table.
func TestHeadsOfConversationsOnEmulator(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	headsOfConversations(t, dynamo.NewConversations(e.config, e.createTable(t, dynamo.ConversationsSchema())))
}
