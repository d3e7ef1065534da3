package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/queue"
)

func TestFilesAreTheOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "relay.db")
	db := openAt(t, path, time.Now)
	if err := db.Queue("main", QueueConfig{}).Send(t.Context(), text(1, 1)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestPragmas(t *testing.T) {
	db := openNew(t)
	var limit int
	if _, err := db.writer.get(t.Context(), []any{&limit}, "PRAGMA journal_size_limit"); err != nil || limit != 64<<20 {
		t.Errorf("the writer's journal_size_limit is %d (error %v), want 64 MiB: a log that grew once stays as big", limit, err)
	}
	for name, on := range map[string]*statements{"writer": db.writer.statements, "reader": db.reader.statements} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
			var got string
			if _, err := on.get(t.Context(), []any{&got}, "PRAGMA "+pragma); err != nil || got != want {
				t.Errorf("%s has %s = %q (error %v), want %q", name, pragma, got, err, want)
			}
		}
	}
	if _, err := db.reader.exec(t.Context(), "DELETE FROM ledger"); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("write on a reader's connection: error %v, want a fatal fault", err)
	}
}

// TestOpenSyncsFolders: after a power cut the files still have their names.
func TestOpenSyncsFolders(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var synced []string
	disk := durable.Disk{Sync: func(file *os.File) error {
		name, err := filepath.Rel(folder, file.Name())
		synced = append(synced, filepath.ToSlash(name))
		return errors.Join(err, file.Sync())
	}}
	db, err := open(t.Context(), filepath.Join(folder, "new", "data", "relay.db"), time.Now, disk, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{".", "new", "new/data"}, synced); diff != "" {
		t.Errorf("synced (-want +got):\n%s", diff)
	}
	disk.Sync = func(*os.File) error { return errRefused }
	if _, err := open(t.Context(), filepath.Join(folder, "new", "data", "relay.db"), time.Now, disk, false); !errors.Is(err, errRefused) {
		t.Errorf("a folder that cannot be synced: error %v", err)
	}
}

// TestCloseKeepsOthersOut until the last write is done.
func TestCloseKeepsOthersOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "relay.db")
		db, err := Open(t.Context(), path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		release := occupy(t, db)
		closed := make(chan error)
		go func() { closed <- db.Close() }()
		synctest.Wait()
		if second, err := Open(t.Context(), path, time.Now); !errors.Is(err, ErrInUse) {
			t.Errorf("opened while a write was under way: error %v", err)
			if err == nil {
				_ = second.Close()
			}
		}
		release()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		second, err := Open(t.Context(), path, time.Now)
		if err != nil {
			t.Fatalf("after the end: %v", err)
		}
		_ = second.Close()
	})
}

func TestPathOfAnyCharacters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "what? #1 100% ü&a=b", "re:lay.db")
	openAt(t, path, time.Now)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	first, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, time.Now); !errors.Is(err, ErrInUse) {
		t.Errorf("second Open: error %v, want ErrInUse", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, time.Now)
}

func TestANewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.writer.exec(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, time.Now)
	if !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "99") {
		t.Errorf("Open: error %v, want ErrNewerSchema that names version 99", err)
	}
}

func TestAFileThatIsNoDatabaseIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	const content = "This is somebody's diary, and it is long enough to be taken for a database header. It goes on and on."
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, time.Now); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("Open: error %v, want one that says that it is no database", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Errorf("file holds %q now, error %v", got, err)
	}
}

func TestWhatWasWrittenIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	db, err := Open(t.Context(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	q := db.Queue("main", QueueConfig{})
	if err := errors.Join(q.Send(t.Context(), text(1, 1)), q.Send(t.Context(), text(2, 1))); err != nil {
		t.Fatal(err)
	}
	held, err := q.Receive(t.Context(), 1, 0, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	q = openAt(t, path, clock).Queue("main", QueueConfig{})
	if got, err := q.Receive(t.Context(), 10, 0, time.Minute); err != nil || len(got) != 0 {
		t.Errorf("received %d messages of a group in flight, error %v", len(got), err)
	}
	if err := q.Delete(t.Context(), []string{held[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), text(1, 1)); err != nil {
		t.Fatal(err)
	}
	got, err := q.Receive(t.Context(), 10, 0, time.Minute)
	if err != nil || len(got) != 1 || got[0].DeduplicationID != text(2, 1).DeduplicationID {
		t.Errorf("received %v, error %v; want the second message alone", got, err)
	}
}

func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		errs := make(chan error, 2)
		go func() {
			_, err := db.Queue("main", QueueConfig{}).Receive(t.Context(), 1, time.Hour, time.Minute)
			errs <- err
		}()
		go func() {
			_, err := db.Changes().Read(t.Context(), 1, time.Hour)
			errs <- err
		}()
		synctest.Wait()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, errClosed) || fault.Of(err).Kind != fault.Transient {
				t.Errorf("waiting ended with %v, want ErrClosed, transient", err)
			}
		}
		if err := db.Queue("main", QueueConfig{}).Send(t.Context(), text(1, 1)); !errors.Is(err, errClosed) {
			t.Errorf("Send: error %v, want ErrClosed", err)
		}
		if _, err := db.Ledger().Get(t.Context(), "SM"); fault.Of(err).Kind != fault.Transient {
			t.Errorf("Get: error %v, want a transient fault", err)
		}
	})
}

// fillDisk lets the database grow by a few pages more, and returns how to give it room again.
func fillDisk(t *testing.T, db *DB) (empty func()) {
	t.Helper()
	set := func(pages int) {
		err := db.write(t.Context(), func(ctx context.Context, t *tx) error {
			var used int
			if _, err := t.get(ctx, []any{&used}, "PRAGMA page_count"); err != nil {
				return err
			}
			_, err := t.preparer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", used+pages))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(3)
	return func() { set(1 << 20) }
}

// A full disk refuses writes for a while, without losing or keeping anything that it should not.
func TestAFullDiskIsTransient(t *testing.T) {
	db := openNew(t)
	q := db.Queue("main", QueueConfig{})
	empty := fillDisk(t, db)
	long := queue.Outgoing{Group: "a", DeduplicationID: "long", Body: strings.Repeat("x", 100_000)}
	if err := q.Send(t.Context(), long); fault.Of(err).Kind != fault.Transient {
		t.Errorf("Send: error %v, want a transient fault", err)
	}
	if visible, _, _, err := q.Depth(t.Context()); visible != 0 || err != nil {
		t.Errorf("%d messages on the queue, error %v; want none", visible, err)
	}
	empty()
	if err := q.Send(t.Context(), long); err != nil {
		t.Errorf("Send with room again: %v", err)
	}
	if visible, _, _, err := q.Depth(t.Context()); visible != 1 || err != nil {
		t.Errorf("%d messages on the queue, error %v; want 1", visible, err)
	}
}
