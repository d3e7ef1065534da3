package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// Texts that wait because so many went back and forth go on after conversation resume, and only those of that customer.
func TestResumeLetsTheTextsOfOneCustomerGoOn(t *testing.T) {
	data := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it was only read.
	now, other := time.Now().UTC(), relaytest.Fallback
	full := conversation.Bucket{Until: now.Add(2 * time.Hour)}
	key := conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}
	if _, err := db.Conversations().PutPhone(t.Context(), conversation.Phone{PhoneKey: key, View: conversation.View{
		Exchanges: []conversation.Exchange{
			{Customer: relaytest.Customer, SentAt: now, Texts: full}, {Customer: other, SentAt: now, Texts: full},
		},
	}}); err != nil {
		t.Fatal(err)
	}
	args := []string{"conversation", "resume", string(relaytest.TwilioNumber), string(relaytest.Customer)}
	for _, tt := range []struct {
		flag, says string
		waits      bool
	}{
		{"--dry-run", "would go on", true},
		{"--yes", "go on within three minutes", false},
		{"--yes", "No text between", false},
	} {
		if out := ran(t, "", data, append(args, tt.flag)); !strings.Contains(out, tt.says) {
			t.Errorf("resume %s says %q, want %q", tt.flag, out, tt.says)
		}
		p, err := db.Conversations().GetPhone(t.Context(), key)
		if waits := p.Pause(relaytest.Customer, now) > 0; err != nil || waits != tt.waits || p.Pause(other, now) == 0 {
			t.Errorf("after resume %s: waits %v, the other %v, error %v", tt.flag, waits, p.Pause(other, now), err)
		}
	}
	checkResumed(t, db)
}

// checkResumed wants one action on its way to the audit log: who let the texts go on, between whom.
func checkResumed(t *testing.T, db *sqlite.DB) {
	t.Helper()
	changes, err := db.Changes().Read(t.Context(), 10, 0)
	if err != nil || len(changes) != 1 {
		t.Fatalf("%d changes go to the audit log, error %v; want one", len(changes), err)
	}
	var action conversation.Action
	if err := json.Unmarshal(changes[0].New, &action); err != nil {
		t.Fatal(err)
	}
	number, item := changes[0].ConversationKey()
	if number != string(relaytest.TwilioNumber) || item != action.Item() || action.Deed != conversation.DeedResume || action.By == "" ||
		action.Customer != relaytest.Customer || action.Phone != relaytest.Destination {
		t.Errorf("under %q and %q the action is %+v", number, item, action)
	}
}
