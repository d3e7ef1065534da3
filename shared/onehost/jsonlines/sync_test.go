package jsonlines

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// watched is a file system that counts what is synced, and whose next writes can end early or whose syncs can fail.
type watched struct {
	calls     []string
	short     int
	failsSync bool
}

// watchedFile is a file of it.
type watchedFile struct {
	*os.File

	fs *watched
}

// WriteAt writes, or ends early.
func (f watchedFile) WriteAt(text []byte, at int64) (int, error) {
	f.fs.calls = append(f.fs.calls, "write")
	if f.fs.short > 0 {
		n, err := f.File.WriteAt(text[:f.fs.short], at)
		f.fs.short = 0
		return n, errors.Join(err, errors.New("no space left"))
	}
	return f.File.WriteAt(text, at)
}

// Sync syncs, or fails.
func (f watchedFile) Sync() error {
	f.fs.calls = append(f.fs.calls, "sync")
	if f.fs.failsSync {
		f.fs.failsSync = false
		return errors.New("input/output error")
	}
	return f.File.Sync()
}

// Truncate cuts.
func (f watchedFile) Truncate(size int64) error {
	f.fs.calls = append(f.fs.calls, "cut")
	return f.File.Truncate(size)
}

func (w *watched) openLog(t *testing.T, path string, maxSize int64) *Log {
	t.Helper()
	l, err := Open(path, Config{
		MaxSize: maxSize, Now: time.Now,
		open: func(path string) (file, error) {
			opened, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
			return watchedFile{opened, w}, err
		},
		syncFolder: func(string) error {
			w.calls = append(w.calls, "sync folder")
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestAppendIsSynced before it returns, also into a new segment, whose name is synced, too: the outbox goes on after that.
func TestAppendIsSynced(t *testing.T) {
	fs := &watched{}
	l := fs.openLog(t, filepath.Join(t.TempDir(), "audit.jsonl"), 80)
	for i, want := range [][]string{
		{"write", "sync"},
		// The closed segment's name; the new one's end and name; the entry that it begins with; the text's.
		{"sync folder", "cut", "sync", "sync folder", "write", "sync", "write", "sync"},
	} {
		fs.calls = nil
		if err := l.Append(t.Context(), []auditlog.Line{line(fmt.Sprintf(`{"id":"%d"}`, i))}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, fs.calls); diff != "" {
			t.Errorf("append %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestAppendThatEndsEarly: no part of it is between two lines, and nothing counts that was not synced.
func TestAppendThatEndsEarly(t *testing.T) {
	for name, breaks := range map[string]func(*watched){
		"a write that ends early": func(w *watched) { w.short = 20 },
		"a sync that fails":       func(w *watched) { w.failsSync = true },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			fs := &watched{}
			l := fs.openLog(t, path, 0)
			add := func(id string) error {
				return l.Append(t.Context(), []auditlog.Line{line(fmt.Sprintf(`{"id":%q}`, id))})
			}
			if err := add("a"); err != nil {
				t.Fatal(err)
			}
			breaks(fs)
			if err := add("a longer one, half of it would reach beyond the next"); err == nil {
				t.Error("the broken append counts")
			}
			if err := add("c"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]auditlog.Line{line(`{"id":"a"}`), line(`{"id":"c"}`)}, readAll(t, path)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}
