package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestSurplus(t *testing.T) {
	for _, tt := range []struct{ pages, free, want int64 }{
		{0, 0, 0},
		{5000, 4096, 0},
		{5000, 4097, 1},
		{80_000, 10_000, 0},
		{80_000, 12_000, 2000},
	} {
		if got := surplus(tt.pages, tt.free); got != tt.want {
			t.Errorf("of %d pages %d are free: surplus %d, want %d", tt.pages, tt.free, got, tt.want)
		}
	}
}

// spacious makes a file with some 12,000 free pages, 48 MB.
func spacious(tb testing.TB, db *DB) {
	tb.Helper()
	if err := db.write(tb.Context(), func(ctx context.Context, t *tx) error {
		return t.statements.run(ctx, `
			CREATE TABLE large (id INTEGER PRIMARY KEY, text TEXT);
			WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4000) INSERT INTO large SELECT n, hex(randomblob(6000)) FROM n;
			DROP TABLE large`)
	}); err != nil {
		tb.Fatal(err)
	}
}

// TestGiveBack: a new file becomes smaller until it has only the pages for what comes next, a step at a time, and loses nothing.
func TestGiveBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db := openAt(t, path, time.Now)
	if given, err := db.GiveBack(t.Context()); err != nil || given != 0 {
		t.Errorf("a file without free pages gave %d bytes back, error %v", given, err)
	}
	spacious(t, db)
	l := db.Ledger()
	fillLedger(t, l, 500, func(int, *ledger.Record) {})
	before, err := Inspect(t.Context(), path)
	if err != nil || before.Surplus < 20<<20 || !before.GivesBack {
		t.Fatalf("before: %+v, error %v", before, err)
	}
	steps, total := 0, int64(0)
	for {
		given, err := db.GiveBack(t.Context())
		// SQLite's list of which page is whose has a page for some 800 others, which may go with them.
		if err != nil || given > (givenPages+1)*4096 {
			t.Fatalf("step %d gave %d bytes back, error %v", steps, given, err)
		}
		if given == 0 {
			break
		}
		steps, total = steps+1, total+given
	}
	after, err := Inspect(t.Context(), path)
	if err != nil || after.Surplus != 0 || after.Unused < minSpare*4096-givenPages*4096 || after.Bytes != before.Bytes-total {
		t.Errorf("after %d steps: %+v, error %v; before %+v", steps, after, err, before)
	}
	if page, err := l.List(t.Context(), ledger.Query{Limit: 100}); err != nil || len(page.Records) != 100 {
		t.Errorf("%d records, error %v", len(page.Records), err)
	}
	if findings, err := db.QuickCheck(t.Context()); err != nil || len(findings) > 0 {
		t.Errorf("findings %q, error %v", findings, err)
	}
	if err := db.writer.fold(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != after.Bytes {
		t.Errorf("the file has %d bytes, error %v; want %d", info.Size(), err, after.Bytes)
	}
}

// olderFile makes a file as older releases did: it keeps its free pages.
func olderFile(t *testing.T, path string) {
	t.Helper()
	file, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.ExecContext(t.Context(), "CREATE TABLE first (id INTEGER); DROP TABLE first")
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestRebuild: a file of an older release gives nothing back until it was rebuilt; then it does, and has everything.
func TestRebuild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it's", "relay.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	olderFile(t, path)
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	spacious(t, db)
	record := relaytest.Record(1, time.Now())
	if record, err = db.Ledger().Create(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if given, err := db.GiveBack(t.Context()); err != nil || given != 0 {
		t.Errorf("it gave %d bytes back, error %v", given, err)
	}
	if err := Rebuild(t.Context(), path); !errors.Is(err, ErrInUse) {
		t.Errorf("while a relay has it open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := Inspect(t.Context(), path)
	if err != nil || before.GivesBack || before.Surplus == 0 || before.RebuildBytes() > 4<<20 {
		t.Errorf("before: %+v, error %v", before, err)
	}
	if err := Rebuild(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	after, err := Inspect(t.Context(), path)
	if err != nil || !after.GivesBack || after.Unused != 0 || after.Bytes > 1<<20 {
		t.Errorf("after: %+v, error %v", after, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != after.Bytes {
		t.Errorf("the file has %d bytes, error %v", info.Size(), err)
	}
	again := openAt(t, path, time.Now)
	if got, err := again.Ledger().Get(t.Context(), record.MessageSid); err != nil || got.Body != record.Body {
		t.Errorf("the record is %+v, error %v", got, err)
	}
	if moved, err := again.Moved(t.Context()); err != nil || !moved.At.IsZero() {
		t.Errorf("it takes itself for a copy: %v, error %v", moved, err)
	}
}

// TestErasedWordsAreGone: what was erased is nowhere in the file, not in pages that are free, and not in a copy.
func TestErasedWordsAreGone(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "relay.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	const words = "the gate code is 4711"
	l, inbox := db.Ledger(), db.Queue("inbox", QueueConfig{})
	for n := range 200 {
		r := relaytest.Record(n, time.Now())
		r.Body = strings.Repeat(words+" ", 1+n%100)
		if r, err = l.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := inbox.Send(t.Context(), queue.Outgoing{Group: "a", DeduplicationID: fmt.Sprint(n), Body: r.Body}); err != nil {
			t.Fatal(err)
		}
		r.Body = ""
		if _, err := l.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for {
		got, err := inbox.Receive(t.Context(), 10, 0, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		var handles []string
		for _, d := range got {
			handles = append(handles, d.ReceiptHandle)
		}
		if err := inbox.Delete(t.Context(), handles); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.write(t.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, "DELETE FROM changes")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(folder, "copy.db")
	if err := db.CopyTo(t.Context(), copied, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, copied} {
		content, err := os.ReadFile(file)
		if err != nil || len(content) < 200_000 || bytes.Contains(content, []byte("4711")) {
			t.Errorf("%s: %d bytes, words at %d, error %v", filepath.Base(file), len(content), bytes.Index(content, []byte("4711")), err)
		}
	}
}

// BenchmarkGiveBack is one step: so long all other writes wait.
func BenchmarkGiveBack(b *testing.B) {
	db := openNew(b)
	for b.Loop() {
		given, err := db.GiveBack(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if given == 0 {
			b.StopTimer()
			spacious(b, db)
			b.StartTimer()
		}
	}
}
