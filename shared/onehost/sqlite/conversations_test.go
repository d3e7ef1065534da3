package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestConversations(t *testing.T) {
	relaytest.TestConversations(t, func(t *testing.T) relaytest.ConversationsUnderTest {
		t.Helper()
		return openNew(t).Conversations()
	})
}

// An opt-out is there after a restart, and neither expiry nor time takes it away.
func TestOptOutsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	wanted := conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer, OptOut: conversation.OptOut{OptedOut: true, Word: "STOP"},
	}
	if _, err := db.Conversations().Put(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path, time.Now)
	if _, err := db.Expire(t.Context(), time.Now().AddDate(20, 0, 0)); err != nil {
		t.Fatal(err)
	}
	c, err := db.Conversations().Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	if err != nil || c.Version != 1 || !c.OptOut.OptedOut {
		t.Errorf("conversation %+v, error %v; want one that is opted out", c, err)
	}
}
