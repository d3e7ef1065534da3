package onehost

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// The health shows a copy for as long as something from before is queued, at each start. A copy with nothing queued is not shown.
func TestHealthTellsOfACopy(t *testing.T) {
	folder := withDatabase(t, func(ctx context.Context, db *sqlite.DB) error {
		return db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Send(ctx, queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "a"})
	})
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	problems := func(r *Relay) string { return strings.Join(r.condition().Problems, "; ") }
	onFolder(t, folder, func(r *Relay) {
		if !r.moved.IsZero() || problems(r) != "" {
			t.Errorf("the original: moved %v, %q", r.moved, problems(r))
		}
	})
	for range 2 {
		onFolder(t, copied, func(r *Relay) {
			if r.moved.IsZero() || !strings.Contains(problems(r), "copied or restored") {
				t.Errorf("the copy: moved %v, %q", r.moved, problems(r))
			}
		})
	}
	onFolder(t, copied, func(r *Relay) {
		inbox := r.db.Queue(datafolder.QueueName, datafolder.InboxConfig())
		got, err := inbox.Receive(t.Context(), 1, 0, time.Hour)
		if err != nil || len(got) != 1 {
			t.Fatalf("received %v, error %v", got, err)
		}
		if err := inbox.Delete(t.Context(), []string{got[0].ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
		if err := r.watchMoved(t.Context()); err != nil || problems(r) != "" {
			t.Errorf("with nothing queued: %q, error %v", problems(r), err)
		}
	})
	onFolder(t, copied, func(r *Relay) {
		if r.moved.IsZero() || problems(r) != "" {
			t.Errorf("the copy, later: moved %v, %q", r.moved, problems(r))
		}
	})
}

// onFolder calls use with a relay that has opened the folder's database and found out whether it is a copy.
func onFolder(t *testing.T, folder string, use func(r *Relay)) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &Relay{db: db, config: Config{Logger: slog.New(slog.DiscardHandler)}}
	if err := r.learnMoved(t.Context()); err != nil {
		t.Error(err)
		return
	}
	use(r)
}
