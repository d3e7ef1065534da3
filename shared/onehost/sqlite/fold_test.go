package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestTheFileIsAllThereIsAfterClose: someone copies relay.db alone, and must have everything.
func TestTheFileIsAllThereIsAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	record := relaytest.Record(1, time.Now())
	if _, err := db.Ledger().Create(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Ledger().Get(t.Context(), record.MessageSid); err != nil {
		t.Fatal(err)
	}
	if err := db.Queue("texts.fifo", sqlite.QueueConfig{}).Send(t.Context(),
		queue.Outgoing{Group: "g", DeduplicationID: "d", Body: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		t.Errorf("the write-ahead log has %d bytes after Close", log.Size())
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "relay.db")
	if err := os.WriteFile(alone, content, 0o600); err != nil {
		t.Fatal(err)
	}
	copied, err := sqlite.Open(t.Context(), alone, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = copied.Close() })
	if _, err := copied.Ledger().Get(t.Context(), record.MessageSid); err != nil {
		t.Errorf("the copy does not have the record: %v", err)
	}
}
