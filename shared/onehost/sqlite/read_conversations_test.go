package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestReaderOfTheConversations sees each conversation, and no phone, and whose changes have not been read.
func TestReaderOfTheConversations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db := openAt(t, path, time.Now)
	reader := readAt(t, path).Conversations()
	var want []conversation.Conversation
	for i, customer := range []sms.PhoneNumber{"+13125550147", "+13125550148", "+13125550149"} {
		c := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: customer, ID: []string{"AB1", "AB2", ""}[i]}
		stored, err := db.Conversations().Put(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, stored)
	}
	key := conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}
	if _, err := db.Conversations().PutPhone(t.Context(), conversation.Phone{PhoneKey: key}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Routes().Put(t.Context(), relaytest.Route()); err != nil {
		t.Fatal(err)
	}
	var got []conversation.Conversation
	if err := reader.Each(t.Context(), func(c conversation.Conversation) { got = append(got, c) }); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conversations (-want +got):\n%s", diff)
	}
	if one, err := reader.Find(t.Context(), "AB2"); err != nil || one.Customer != "+13125550148" {
		t.Errorf("Find returned %+v, error %v", one, err)
	}
	if none, err := reader.Find(t.Context(), "AB9"); err != nil || none.Version != 0 {
		t.Errorf("Find of nobody returned %+v, error %v", none, err)
	}
	if one, err := reader.Get(t.Context(), relaytest.TwilioNumber, "+13125550147"); err != nil || one.ID != "AB1" {
		t.Errorf("Get returned %+v, error %v", one, err)
	}
	changes, err := db.Changes().Read(t.Context(), 10, 0)
	if err != nil || len(changes) != 4 {
		t.Fatalf("%d changes, error %v", len(changes), err)
	}
	if err := db.Changes().Checkpoint(t.Context(), changes[0].SequenceNumber); err != nil {
		t.Fatal(err)
	}
	var unread []string
	err = reader.Unread(t.Context(), func(id string) { unread = append(unread, id) })
	if err != nil || !slices.Equal(unread, []string{"AB2"}) {
		t.Errorf("unread are %q, error %v", unread, err)
	}
}
