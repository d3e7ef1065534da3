package backups_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/s3http"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// folder is a data folder with something of everything, whose relay runs.
type folder struct {
	path string
	db   *sqlite.DB
	log  *jsonlines.Log
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{path: filepath.Join(t.TempDir(), "relay-data")}
	var err error
	if f.db, err = sqlite.Open(t.Context(), filepath.Join(f.path, datafolder.DatabaseFile), time.Now); err != nil {
		t.Fatal(err)
	}
	if f.log, err = jsonlines.Open(filepath.Join(f.path, datafolder.AuditFile), jsonlines.Config{Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.log.Close(), f.db.Close()); err != nil {
			t.Error(err)
		}
	})
	f.accept(t, 1)
	record := relaytest.Record(1, time.Now())
	record.Version = 1
	entry, err := auditlog.MessageEntry(nil, &record, auditlog.ChangeCreated, auditlog.Seen{At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	line, err := entry.Line()
	if err == nil {
		err = f.log.Append(t.Context(), []auditlog.Line{line})
	}
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, "media/"+strings.Repeat("a", 26), "picture")
	f.write(t, "certificates/key.pem", "private key")
	return f
}

// accept puts a text on the queue.
func (f *folder) accept(t *testing.T, n int) {
	t.Helper()
	err := f.db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Send(t.Context(), queue.Outgoing{
		Group: "a", DeduplicationID: relaytest.MessageSid(n), Body: "text",
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *folder) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(f.path, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *folder) source() backups.Source {
	return backups.Source{Database: f.db, Data: f.path, Relay: "test", Now: time.Now, Settings: []backups.Setting{
		{Name: "RELAY_LISTEN", Value: "127.0.0.1:8080"}, {Name: "TWILIO_AUTH_TOKEN", Value: "the-token", Secret: true},
	}}
}

func readAll(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// depthOf opens the database of a folder as relay serve does, and counts what is queued there.
func depthOf(t *testing.T, data string) int {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it was only read.
	visible, inFlight, _, err := db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if moved, err := db.Moved(t.Context()); err != nil || moved.At.IsZero() {
		t.Errorf("the restored folder does not know that it is a copy: %+v, error %v", moved, err)
	}
	return visible + inFlight
}

// What was backed up while the relay ran is restored, whole and without secrets.
func TestBackUpAndRestore(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"backups", "one.tar", "one.tar.gz"} {
		f := newFolder(t)
		place := backups.PlaceOf(filepath.Join(t.TempDir(), to))
		taken, err := backups.Take(t.Context(), f.source(), place)
		if err != nil {
			t.Fatal(err)
		}
		f.accept(t, 2)
		restored := filepath.Join(t.TempDir(), "restored")
		manifest, where, err := backups.Restore(t.Context(), place, restored, time.Now())
		if err != nil || where != taken.Where || !manifest.TakenAt.Equal(taken.TakenAt) {
			t.Fatalf("restored %s of %v, error %v, want %s", where, manifest.TakenAt, err, taken.Where)
		}
		files, original := readAll(t, restored), readAll(t, f.path)
		for _, name := range []string{"audit.jsonl", "media/" + strings.Repeat("a", 26)} {
			if files[name] != original[name] || files[name] == "" {
				t.Errorf("%s is %q, want %q", name, files[name], original[name])
			}
		}
		settings := "RELAY_LISTEN=\"127.0.0.1:8080\"\n# TWILIO_AUTH_TOKEN is a secret, and not in this backup\n"
		if _, has := files["certificates/key.pem"]; has || files["settings.env"] != settings {
			t.Errorf("a key is there: %t; settings %q", has, files["settings.env"])
		}
		says := "restored from a backup taken at " + taken.TakenAt.Format(time.RFC3339)
		if mark, found, err := backups.ReadMark(restored); err != nil || !found || mark.Says != says {
			t.Errorf("mark %+v, error %v, want %q", mark, err, says)
		}
		if queued := depthOf(t, restored); queued != 1 {
			t.Errorf("%d texts are queued, want the one of that moment", queued)
		}
	}
}

func TestBackUpWithSecrets(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	place := backups.PlaceOf(t.TempDir())
	source := f.source()
	source.Secrets = true
	if _, err := backups.Take(t.Context(), source, place); err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	if _, _, err := backups.Restore(t.Context(), place, restored, time.Now()); err != nil {
		t.Fatal(err)
	}
	files := readAll(t, restored)
	if files["certificates/key.pem"] != "private key" || !strings.Contains(files["settings.env"], "TWILIO_AUTH_TOKEN=\"the-token\"\n") {
		t.Errorf("restored %q", files)
	}
}

// A restore replaces nothing, and nothing is in the folder if the backup is not whole.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	file := filepath.Join(t.TempDir(), "one.tar.gz")
	if _, err := backups.Take(t.Context(), f.source(), backups.PlaceOf(file)); err != nil {
		t.Fatal(err)
	}
	restore := func(from, to string) error {
		_, _, err := backups.Restore(t.Context(), backups.PlaceOf(from), to, time.Now())
		return err
	}
	if err := restore(file, f.path); !errors.Is(err, backups.ErrNotEmpty) {
		t.Errorf("over a live folder: %v", err)
	}
	held := t.TempDir()
	release, err := sqlite.Hold(filepath.Join(held, datafolder.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := restore(file, held); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("into a folder of a relay that starts: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := restore(t.TempDir(), filepath.Join(t.TempDir(), "new")); !errors.Is(err, backups.ErrNone) {
		t.Errorf("of nothing: %v", err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plain := unzip(t, whole)
	changed := bytes.Replace(plain, []byte("picture"), []byte("pixture"), 1)
	for name, content := range map[string][]byte{
		"cut": plain[:len(plain)/2], "changed": changed, "cut while packed": whole[:len(whole)-20], "not a backup": []byte("hello"), "empty": nil,
	} {
		broken, into := filepath.Join(t.TempDir(), "broken.tar"), filepath.Join(t.TempDir(), "into")
		if err := os.WriteFile(broken, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := restore(broken, into); err == nil {
			t.Errorf("%s: restored", name)
		}
		for file := range readAll(t, into) {
			if file != datafolder.DatabaseFile+".lock" {
				t.Errorf("%s: %s was left in the folder", name, file)
			}
		}
		if err := restore(file, into); err != nil {
			t.Errorf("%s: the whole one afterwards: %v", name, err)
		}
	}
}

func unzip(t *testing.T, packed []byte) []byte {
	t.Helper()
	from, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// A backup that could not be made leaves nothing, and the earlier ones are as they were.
func TestABackupThatFails(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	to := t.TempDir()
	if _, err := backups.Take(t.Context(), f.source(), backups.PlaceOf(to)); err != nil {
		t.Fatal(err)
	}
	before := readAll(t, to)
	source := f.source()
	source.Database = failing{}
	if _, err := backups.Take(t.Context(), source, backups.PlaceOf(to)); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
	if after := readAll(t, to); len(after) != len(before) || len(after) != 1 {
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
}

var errDisk = errors.New("the disk is gone")

type failing struct{}

func (failing) CopyTo(context.Context, string, func() error) error { return errDisk }

// Old backups are removed from a bucket, and the newest is restored from it.
func TestBackupsInABucket(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(relaytest.NewBucket())
	t.Cleanup(server.Close)
	cfg := awsclient.New(awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: server.URL})
	place := backups.InBucket(s3http.New(cfg, "b", time.Now), "b", "relay/backups")
	f := newFolder(t)
	for n := range 3 {
		source := f.source()
		source.Now = func() time.Time { return time.Now().Add(time.Duration(n) * time.Hour) }
		if _, err := backups.Take(t.Context(), source, place); err != nil {
			t.Fatal(err)
		}
		f.accept(t, 10+n)
	}
	removed, err := backups.Prune(t.Context(), place, backups.Keep{Newest: 1}, time.Now())
	if err != nil || removed != 2 {
		t.Errorf("removed %d, error %v", removed, err)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	if _, where, err := backups.Restore(t.Context(), place, restored, time.Now()); err != nil ||
		!strings.HasPrefix(where, "s3://b/relay/backups/sms-relay-") {
		t.Fatalf("restored %s, error %v", where, err)
	}
	if queued := depthOf(t, restored); queued != 3 {
		t.Errorf("%d texts are queued, want 3", queued)
	}
}
