package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// whereAt opens the file with Open, asks where it has been, and closes it.
func whereAt(t *testing.T, path string, now time.Time) Moved {
	t.Helper()
	db, err := Open(t.Context(), path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	moved, err := db.Moved(t.Context())
	if err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return moved
}

// movedBeside asks the same as an operator's command does.
func movedBeside(t *testing.T, path string) Moved {
	t.Helper()
	db, err := Attach(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was written.
	moved, err := db.Moved(t.Context())
	if err != nil {
		t.Error(err)
	}
	return moved
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A copy knows that it is one, from its first start on and for ever; the file itself, a renamed one and a new one are not copies.
func TestACopyKnowsThatItIsOne(t *testing.T) {
	folder := t.TempDir()
	first, renamed, second := filepath.Join(folder, "a.db"), filepath.Join(folder, "renamed.db"), filepath.Join(folder, "b.db")
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i := range 2 {
		if got := whereAt(t, first, noon); got != (Moved{}) {
			t.Errorf("opened for the %d. time: %+v", i+1, got)
		}
	}
	if err := os.Rename(first, renamed); err != nil {
		t.Fatal(err)
	}
	if got := whereAt(t, renamed, noon); got != (Moved{}) {
		t.Errorf("renamed: %+v", got)
	}
	copyFile(t, renamed, second)
	if got := movedBeside(t, second); got != (Moved{Unopened: true}) {
		t.Errorf("a copy that nobody has opened: %+v", got)
	}
	for _, later := range []time.Duration{time.Hour, 200 * time.Hour} {
		if got := whereAt(t, second, noon.Add(later)); got != (Moved{At: noon.Add(time.Hour)}) {
			t.Errorf("the copy after %v: %+v", later, got)
		}
	}
	if got := movedBeside(t, second); got != (Moved{At: noon.Add(time.Hour)}) {
		t.Errorf("the copy, opened: %+v", got)
	}
	if got := whereAt(t, renamed, noon.Add(2*time.Hour)); got != (Moved{}) {
		t.Errorf("the original: %+v", got)
	}
}

// A file from before it knew itself is not a copy.
func TestAFileFromBeforeIdentities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db := openAt(t, path, time.Now)
	if _, err := db.writer.exec(t.Context(), "DELETE FROM identity"); err != nil {
		t.Fatal(err)
	}
	if err := db.remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := db.Moved(t.Context()); err != nil || got != (Moved{}) {
		t.Errorf("%+v, error %v", got, err)
	}
}

func TestIsAnother(t *testing.T) {
	here := identity{"host-a", "2049", "131"}
	for other, want := range map[identity]bool{
		here:                          false,
		{"host-b", "2049", "131"}:     true,
		{"host-a", "2050", "131"}:     true,
		{"host-a", "2049", "132"}:     true,
		{"", "2049", "131"}:           false,
		{"", "2049", "132"}:           true,
		{"", "", "/srv/relay.db"}:     true,
		{"host-a", "", "/x/relay.db"}: true,
	} {
		if got := other.isAnother(here); got != want {
			t.Errorf("%v another than %v: %v", other, here, got)
		}
	}
}
