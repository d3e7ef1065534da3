package sqlite

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestReaderOfTheLedger sees each record, and whose changes have not been read, while another process writes.
func TestReaderOfTheLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db := openAt(t, path, time.Now)
	reader := readAt(t, path)
	want := map[string]ledger.Record{}
	for n := range 3 {
		stored, err := db.Ledger().Create(t.Context(), relaytest.Record(n, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
		if err != nil {
			t.Fatal(err)
		}
		want[stored.MessageSid] = stored
	}
	if _, err := db.Routes().Put(t.Context(), relaytest.Route()); err != nil {
		t.Fatal(err)
	}
	got := map[string]ledger.Record{}
	if err := reader.Ledger().Each(t.Context(), func(r ledger.Record) { got[r.MessageSid] = r }); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	one, err := reader.Ledger().Get(t.Context(), relaytest.MessageSid(1))
	if diff := cmp.Diff(want[relaytest.MessageSid(1)], one); err != nil || diff != "" {
		t.Errorf("Get: %v (-want +got):\n%s", err, diff)
	}
	if _, err := reader.Ledger().Get(t.Context(), relaytest.MessageSid(9)); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Get of no text: error %v, want ErrNotFound", err)
	}
	changes, err := db.Changes().Read(t.Context(), 10, 0)
	if err != nil || len(changes) != 4 {
		t.Fatalf("%d changes, error %v", len(changes), err)
	}
	if err := db.Changes().Checkpoint(t.Context(), changes[1].SequenceNumber); err != nil {
		t.Fatal(err)
	}
	unread := map[string]string{}
	if err := reader.Unread(t.Context(), func(table, key string) { unread[key] = table }); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{relaytest.MessageSid(2): TableLedger, string(relaytest.TwilioNumber): TableRouting},
		unread); diff != "" {
		t.Errorf("unread changes (-want +got):\n%s", diff)
	}
}
