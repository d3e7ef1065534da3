package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// TestReleaseInFlight: what a process had in hand when it ended is there for the next one at once, what is only
// delayed is not.
func TestReleaseInFlight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ordered := db.Queue("texts.fifo", sqlite.QueueConfig{})
	delayed := db.Queue("timers", sqlite.QueueConfig{Standard: true})
	for _, body := range []string{"first", "second"} {
		if err := ordered.Send(t.Context(), queue.Outgoing{Group: "g", DeduplicationID: body, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := delayed.Send(t.Context(), queue.Outgoing{Body: "later", Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if got, err := ordered.Receive(t.Context(), 10, 0, time.Hour); err != nil || len(got) != 2 {
		t.Fatalf("Receive = %d messages, %v; want 2", len(got), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db, err = sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if got, err := db.Queue("texts.fifo", sqlite.QueueConfig{}).Receive(t.Context(), 10, 0, time.Hour); err != nil || len(got) != 0 {
		t.Fatalf("Receive before the release = %d messages, %v; want none", len(got), err)
	}
	if err := db.ReleaseInFlight(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := db.Queue("texts.fifo", sqlite.QueueConfig{}).Receive(t.Context(), 10, 0, time.Hour)
	if err != nil || len(got) != 2 || got[0].Body != "first" || got[0].ReceiveCount != 2 {
		t.Errorf("Receive after the release = %+v, %v; want both in order, received twice", got, err)
	}
	if got, err := db.Queue("timers", sqlite.QueueConfig{Standard: true}).Receive(t.Context(), 10, 0, time.Hour); err != nil || len(got) != 0 {
		t.Errorf("Receive of the delayed = %d messages, %v; want none", len(got), err)
	}
}
