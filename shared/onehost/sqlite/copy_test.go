package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// A copy has what was committed at the moment at which it was taken, and nothing of what is written while the pages are copied.
func TestCopyIsOfOneMoment(t *testing.T) {
	folder := t.TempDir()
	db := openAt(t, filepath.Join(folder, "relay.db"), time.Now)
	inbox := db.Queue("inbox", QueueConfig{})
	send := func(n int) error {
		return inbox.Send(t.Context(), queue.Outgoing{Group: "a", DeduplicationID: strconv.Itoa(n), Body: fmt.Sprint("text ", n)})
	}
	for n := range 200 {
		if err := send(n); err != nil {
			t.Fatal(err)
		}
	}
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for n := 1000; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := send(n); err != nil {
				stopped <- err
				return
			}
		}
	}()
	copied := filepath.Join(folder, "copy.db")
	atThatMoment := 0
	err := db.CopyTo(t.Context(), copied, func() (err error) {
		_, err = db.reader.get(t.Context(), []any{&atThatMoment}, "SELECT count(*) FROM queue_messages")
		return err
	})
	close(stop)
	if err := errors.Join(err, <-stopped); err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(copied + beside); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the copy has %s, error %v", beside, err)
		}
	}
	again := openAt(t, copied, time.Now)
	visible, inFlight, _, err := again.Queue("inbox", QueueConfig{}).Depth(t.Context())
	if err != nil || visible+inFlight != atThatMoment || atThatMoment < 200 {
		t.Errorf("the copy has %d messages, error %v, want the %d of that moment", visible+inFlight, err, atThatMoment)
	}
	if moved, err := again.Moved(t.Context()); err != nil || moved.At.IsZero() {
		t.Errorf("the copy takes itself for the original: %+v, error %v", moved, err)
	}
	if moved, err := db.Moved(t.Context()); err != nil || moved != (Moved{}) {
		t.Errorf("the original takes itself for a copy: %+v, error %v", moved, err)
	}
}

// If the moment cannot be used, there is no copy, and the database goes on.
func TestCopyThatIsNotWanted(t *testing.T) {
	folder := t.TempDir()
	db := openAt(t, filepath.Join(folder, "relay.db"), time.Now)
	refused := errors.New("refused")
	copied := filepath.Join(folder, "copy.db")
	if err := db.CopyTo(t.Context(), copied, func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("error %v, want the refusal", err)
	}
	if _, err := os.Stat(copied); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a copy, error %v", err)
	}
	err := db.Queue("inbox", QueueConfig{}).Send(t.Context(), queue.Outgoing{Group: "a", DeduplicationID: "a", Body: "a"})
	if err != nil {
		t.Error(err)
	}
}

// Damage is found in a copy.
func TestCheckFindsDamage(t *testing.T) {
	folder := t.TempDir()
	db := openAt(t, filepath.Join(folder, "relay.db"), time.Now)
	for n := range 300 {
		err := db.Queue("inbox", QueueConfig{}).Send(t.Context(), queue.Outgoing{Group: "a", DeduplicationID: strconv.Itoa(n), Body: "a"})
		if err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(folder, "copy.db")
	if err := db.CopyTo(t.Context(), copied, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 2; i < len(content)/2+8192 && i < len(content); i++ {
		content[i] = 0xff
	}
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), copied); err == nil {
		t.Error("the damage was not found")
	}
}

// Nobody opens a database that is held, and nobody holds one that is open.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	release, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, time.Now); !errors.Is(err, ErrInUse) {
		t.Errorf("opened while held: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, time.Now)
	if _, err := Hold(path); !errors.Is(err, ErrInUse) {
		t.Errorf("held while open: %v", err)
	}
}

// A copy waits longer than SQLite does for another process that writes.
func TestCopyWaitsForOthersWrites(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "relay.db")
	db := openAt(t, path, time.Now)
	other, err := openPool(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // it only held a lock.
	conn, err := other.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan error)
	go func() {
		time.Sleep(6 * time.Second)
		_, err := conn.ExecContext(t.Context(), "ROLLBACK")
		released <- errors.Join(err, conn.Close())
	}()
	frozen := 0
	if err := db.CopyTo(t.Context(), filepath.Join(folder, "copy.db"), func() error { frozen++; return nil }); err != nil || frozen != 1 {
		t.Errorf("copied at %d moments, error %v", frozen, err)
	}
	if err := <-released; err != nil {
		t.Error(err)
	}
}
