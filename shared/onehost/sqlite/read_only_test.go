package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// readAt opens the database at path for reading and closes it when the test ends.
func readAt(t *testing.T, path string) *Reader {
	t.Helper()
	reader, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	})
	return reader
}

// reads fails unless List and Lookup show exactly the route.
func (r *Reader) reads(t *testing.T, want route.Route) {
	t.Helper()
	listed, err := r.Routes().List(t.Context())
	if diff := cmp.Diff([]route.Route{want}, listed); err != nil || diff != "" {
		t.Errorf("List: %v (-want +got):\n%s", err, diff)
	}
	found, err := r.Routes().Lookup(t.Context(), want.TwilioNumber, relaytest.Customer)
	if diff := cmp.Diff(map[sms.PhoneNumber]route.Route{want.TwilioNumber: want}, found); err != nil || diff != "" {
		t.Errorf("Lookup: %v (-want +got):\n%s", err, diff)
	}
}

// TestReaderBesideAWriter sees each commit, and neither keeps the other from anything.
func TestReaderBesideAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db := openAt(t, path, time.Now)
	reader := readAt(t, path)
	if listed, err := reader.Routes().List(t.Context()); err != nil || len(listed) != 0 {
		t.Errorf("List of an empty table: %v, %v", listed, err)
	}
	stored := relaytest.Route()
	for range 3 {
		var err error
		if stored, err = db.Routes().Put(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		reader.reads(t, stored)
	}
	if _, err := reader.reader.exec(t.Context(), "DELETE FROM routing"); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("write on a reader: error %v, want a fatal fault", err)
	}
	reader.reads(t, stored)
}

// TestReaderOfAFileAtRest, and it leaves the file to the next process that opens it.
func TestReaderOfAFileAtRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := db.Routes().Put(t.Context(), relaytest.Route())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	readAt(t, path).reads(t, stored)
	readAt(t, path).reads(t, stored)
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed by reading, error %v", err)
	}
	if _, err := openAt(t, path, time.Now).Routes().Put(t.Context(), stored); err != nil {
		t.Errorf("Put while readers are still open: %v", err)
	}
}

func TestReaderRefuses(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "diary.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("Dear diary, ", 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	ofVersion := func(version int) string {
		path := filepath.Join(folder, fmt.Sprint("version", version), "relay.db")
		db := openAt(t, path, time.Now)
		setVersion(t, db, version)
		return path
	}
	tests := []struct {
		name, path string
		want       error // nil: any
		text       string
	}{
		{"no file", filepath.Join(folder, "none.db"), fs.ErrNotExist, "none.db: no such file"},
		{"no folder", filepath.Join(folder, "none", "relay.db"), fs.ErrNotExist, "none/relay.db: no such file"},
		{"a folder", folder, nil, "not a file"},
		{"no database", text, nil, "not a database"},
		{"a newer schema", ofVersion(99), ErrNewerSchema, "it needs version 99 of the schema, and this program knows up to"},
		{"an older schema", ofVersion(0), ErrOlderSchema, "the file has version 0, this program reads"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := OpenReader(t.Context(), tt.path)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(filepath.ToSlash(err.Error()), tt.text) {
				t.Errorf("OpenReader: error %v, want %v that says %q", err, tt.want, tt.text)
			}
		})
	}
	for _, path := range []string{"none.db", "none"} {
		if _, err := os.Stat(filepath.Join(folder, path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made, or cannot be looked for: %v", path, err)
		}
	}
}

// setVersion makes the file say that it has that version of the schema, and needs it.
func setVersion(t *testing.T, db *DB, version int) {
	t.Helper()
	err := db.write(t.Context(), func(ctx context.Context, tx *tx) error {
		if _, err := tx.exec(ctx, "DELETE FROM schema_steps"); err != nil {
			return err
		}
		_, err := tx.exec(ctx, fmt.Sprint("PRAGMA user_version = ", version))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReaderIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	openAt(t, path, time.Now)
	reader, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Routes().List(t.Context()); fault.Of(err).Kind != fault.Transient {
		t.Errorf("List after Close: error %v, want a transient fault", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenReader(ended, path); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenReader with an ended context: error %v, want that", err)
	}
}

// writesForAnother names the file that TestWriterForAnotherProcess writes; it does nothing without.
const writesForAnother = "RELAY_TEST_WRITES"

// TestWriterForAnotherProcess is the other process of the test below: it writes a version of the route for each line that
// it reads, and says which.
func TestWriterForAnotherProcess(t *testing.T) {
	path := os.Getenv(writesForAnother)
	if path == "" {
		t.Skip("the other process of TestReaderNextToAnotherProcess")
	}
	routes := openAt(t, path, time.Now).Routes()
	stored := relaytest.Route()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var err error
		if stored, err = routes.Put(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		fmt.Println("version", stored.Version)
	}
}

// TestReaderNextToAnotherProcess is how relay route ls reads while relay serve runs.
func TestReaderNextToAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestWriterForAnotherProcess$")
	other.Env = append(os.Environ(), writesForAnother+"="+path)
	orders, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answers)
	write := func(version int64) {
		t.Helper()
		fmt.Fprintln(orders)
		if want := fmt.Sprint("version ", version); !lines.Scan() || lines.Text() != want {
			t.Fatalf("the other process says %q, want %q", lines.Text(), want)
		}
	}
	want := relaytest.Route()
	want.Version = 1
	write(1)
	reader := readAt(t, path)
	reader.reads(t, want)
	if _, err := Open(t.Context(), path, time.Now); !errors.Is(err, ErrInUse) {
		t.Errorf("Open next to the other process: error %v, want ErrInUse", err)
	}
	want.Version = 2
	write(2)
	reader.reads(t, want)
	if err := orders.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answers); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	reader.reads(t, want)
	readAt(t, path).reads(t, want)
}
