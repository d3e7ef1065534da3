package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// releasesFolder has a file for each release: a database as that release's program left it, as SQLite dumps it. cmd/relay's
// TestLastReleasesDatabase makes the file of the last one.
const releasesFolder = "testdata/releases"

// ofRelease makes a database of a release's dump, and returns its path.
func ofRelease(t *testing.T, dump string) string {
	t.Helper()
	script, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "relay.db")
	pool, err := openPool(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.ExecContext(t.Context(), string(script)); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// releases are the dumps of all releases, the last one last.
func releases(t *testing.T) []string {
	t.Helper()
	dumps, err := filepath.Glob(filepath.Join(releasesFolder, "*.sql"))
	if err != nil || len(dumps) == 0 {
		t.Fatalf("no databases of releases in %s, error %v", releasesFolder, err)
	}
	slices.Sort(dumps)
	return dumps
}

// The database of each release is copied, brought up to date and used, and then has the schema of a new one.
func TestADatabaseOfEachReleaseIsUsed(t *testing.T) {
	for _, dump := range releases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(dump), ".sql"), func(t *testing.T) {
			path := ofRelease(t, dump)
			before, err := Inspect(t.Context(), path)
			if err != nil || before.TooNew() || before.Version > SchemaVersion() {
				t.Fatalf("before: %+v, error %v", before, err)
			}
			if _, err := OpenReader(t.Context(), path); len(before.Steps) > 0 && !errors.Is(err, ErrOlderSchema) {
				t.Errorf("a command opens it before it is up to date: error %v", err)
			}
			now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
			db := openAt(t, path, func() time.Time { return now })
			want := Upgrade{From: before.Version, To: SchemaVersion()}
			if len(before.Steps) > 0 {
				want.Copy = filepath.Join(filepath.Dir(path), CopiesFolder, "relay-schema-5-20261130T120000Z.db")
			}
			if diff := cmp.Diff(want, db.Upgraded()); diff != "" {
				t.Errorf("what was done (-want +got):\n%s", diff)
			}
			useDatabase(t, db)
			if diff := cmp.Diff(schemaOf(t, openNew(t)), schemaOf(t, db)); diff != "" {
				t.Errorf("schema (-of a new file +of this one):\n%s", diff)
			}
			checkCopy(t, want.Copy, before)
		})
	}
}

// useDatabase wants one of each to be there, and changes it.
func useDatabase(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	page, err := db.Ledger().List(ctx, ledger.Query{Limit: ledger.MaxLimit})
	if err != nil || len(page.Records) < 4 {
		t.Fatalf("%d texts in the ledger, error %v; want some in several states", len(page.Records), err)
	}
	states := map[ledger.State]bool{}
	for _, r := range page.Records {
		states[r.State] = true
		r.ExpiresAt++
		if changed, err := db.Ledger().Update(ctx, r); err != nil || changed.Version != r.Version+1 {
			t.Errorf("change %s: version %d, error %v", r.MessageSid, changed.Version, err)
		}
	}
	if !states[ledger.Delivered] || !states[ledger.Queued] {
		t.Errorf("the texts are %v, want some that are delivered and some that wait", states)
	}
	routes, err := db.Routes().List(ctx)
	if err != nil || len(routes) == 0 {
		t.Fatalf("routes %v, error %v", routes, err)
	}
	number := routes[0].TwilioNumber
	if put, err := db.Routes().Put(ctx, routes[0]); err != nil || put.Version != routes[0].Version+1 {
		t.Errorf("change the route: version %d, error %v", put.Version, err)
	}
	useConversations(t, db, number)
	received, err := db.Queue("qdn-sms.fifo", QueueConfig{}).Receive(ctx, 10, 0, time.Minute)
	if err != nil || len(received) == 0 {
		t.Fatalf("received %d messages, error %v; want those that were there", len(received), err)
	}
	for _, message := range received {
		if _, err := queue.Decode(message.Body); err != nil {
			t.Errorf("message %q: %v", message.Body, err)
		}
	}
	if _, err := db.Pace().Reserve(ctx, oneASecond(), db.now()); err != nil {
		t.Errorf("book a send time: %v", err)
	}
	if changes, err := db.Changes().Read(ctx, 1000, 0); err != nil || len(changes) == 0 {
		t.Errorf("%d changes, error %v; want some for the audit log", len(changes), err)
	}
	if moved, err := db.Moved(ctx); err != nil || moved.At.IsZero() {
		t.Errorf("a database that was made of a dump takes itself for the original: %+v, error %v", moved, err)
	}
}

func useConversations(t *testing.T, db *DB, number sms.PhoneNumber) {
	t.Helper()
	conversations := db.Conversations()
	found, err := conversations.ListConversations(t.Context(), number, "", 100)
	if err != nil || len(found) == 0 || !found[0].Tag.IsValid() {
		t.Fatalf("conversations %v, error %v", found, err)
	}
	if put, err := conversations.Put(t.Context(), found[0]); err != nil || put.Version != found[0].Version+1 {
		t.Errorf("change the conversation: version %d, error %v", put.Version, err)
	}
	phones, err := conversations.ListPhones(t.Context(), number)
	if err != nil || len(phones) == 0 {
		t.Fatalf("phones %v, error %v", phones, err)
	}
	if put, err := conversations.PutPhone(t.Context(), phones[0]); err != nil || put.Version != phones[0].Version+1 {
		t.Errorf("change the phone: version %d, error %v", put.Version, err)
	}
}

// checkCopy wants the file as it was before, for the owner only, and as a file that knows that it is a copy.
func checkCopy(t *testing.T, copied string, before Schema) {
	t.Helper()
	if copied == "" {
		return
	}
	entries, err := os.ReadDir(filepath.Dir(copied))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder of copies, error %v; want the copy only", len(entries), err)
	}
	info, err := os.Stat(copied)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != before.Bytes {
		t.Errorf("the copy has mode %v and %d bytes, want 0600 and %d; error %v", info.Mode(), info.Size(), before.Bytes, err)
	}
	after, err := Inspect(t.Context(), copied)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Errorf("error %v, schema (-before +of the copy):\n%s", err, diff)
	}
	again := openAt(t, copied, time.Now)
	if moved, err := again.Moved(t.Context()); err != nil || moved.At.IsZero() {
		t.Errorf("the copy takes itself for the original: %+v, error %v", moved, err)
	}
}

// TestStepsAreForReleases holds the steps against what was released: who changes the schema adds a step, and who releases adds a database.
func TestStepsAreForReleases(t *testing.T) {
	all := releases(t)
	last, err := Inspect(t.Context(), ofRelease(t, all[len(all)-1]))
	if err != nil {
		t.Fatal(err)
	}
	needs := 0
	for i, one := range steps() {
		version := i + 1
		switch {
		case one.needs < needs || one.needs > version:
			t.Errorf("step %d needs version %d, after one that needs %d", version, one.needs, needs)
		case version > last.Version && one.needs > last.Version:
			t.Errorf("after step %d, the last release, which knows version %d, cannot go on with the file: a step only adds, and what it makes "+
				"superfluous is taken away a release later", version, last.Version)
		case one.what == "" || strings.HasSuffix(one.what, "."):
			t.Errorf("step %d says for operators %q", version, one.what)
		}
		needs = one.needs
	}
	released := openSteps(t, steps()[:last.Version])
	if diff := cmp.Diff(schemaIn(t, ofRelease(t, all[len(all)-1])), schemaIn(t, released)); diff != "" {
		t.Errorf("a step that was released has changed: a change of the schema is a new step (-as released +now):\n%s", diff)
	}
}

// openSteps makes a file that has had only these steps, and returns its path.
func openSteps(t *testing.T, some []step) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relay.db")
	pool, err := openPool(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range some {
		if _, err := pool.ExecContext(t.Context(), one.script); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// schemaIn is schemaOf for a file that nobody has open. How a statement is broken into lines says nothing.
func schemaIn(t *testing.T, path string) map[string]string {
	t.Helper()
	reader, err := openReader(path)
	if err != nil {
		t.Fatal(err)
	}
	all := schemaOf(t, &DB{reader: reader})
	for name, statement := range all {
		all[name] = strings.Join(strings.Fields(statement), " ")
	}
	if err := reader.close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A file that a newer program has added to is used as it is; one that it has changed is not.
func TestADatabaseOfANewerProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	newer := openAt(t, path, time.Now)
	for _, statement := range []string{
		"CREATE TABLE of_the_next (id INTEGER PRIMARY KEY) STRICT",
		"ALTER TABLE ledger ADD COLUMN of_the_next TEXT NOT NULL DEFAULT ''",
		"INSERT INTO schema_steps (version, done_at) VALUES (1000, 1)",
	} {
		if _, err := newer.writer.exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := newer.Close(); err != nil {
		t.Fatal(err)
	}
	schema, err := Inspect(t.Context(), path)
	if err != nil || schema.Version != 1000 || schema.Needs != SchemaNeeds() || schema.TooNew() || len(schema.Steps) > 0 {
		t.Errorf("schema %+v, error %v", schema, err)
	}
	db := openAt(t, path, time.Now)
	if want := (Upgrade{From: 1000, To: 1000}); db.Upgraded() != want {
		t.Errorf("it was changed: %+v", db.Upgraded())
	}
	if _, err := db.Ledger().Create(t.Context(), relaytest.Record(1, time.Now())); err != nil {
		t.Errorf("create a record: %v", err)
	}
	attached := attachedAt(t, path)
	if r, err := attached.Ledger().Get(t.Context(), relaytest.MessageSid(1)); err != nil || r.Version != 1 {
		t.Errorf("a command reads version %d, error %v", r.Version, err)
	}
	setVersion(t, db, 1000)
	if _, err := Attach(t.Context(), path, time.Now); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("Attach: error %v, want ErrNewerSchema", err)
	}
	if schema, err = Inspect(t.Context(), path); err != nil || !schema.TooNew() {
		t.Errorf("schema %+v, error %v", schema, err)
	}
}

// If the copy cannot be made, the file stays as it was, for the program before.
func TestNoUpgradeWithoutACopy(t *testing.T) {
	all := releases(t)
	path := ofRelease(t, all[len(all)-1])
	before, err := Inspect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	disk := durable.Disk{Sync: func(file *os.File) error {
		if filepath.Base(file.Name()) == unfinishedCopy {
			return full
		}
		return nil
	}}
	if _, err := open(t.Context(), path, time.Now, disk, false); !errors.Is(err, full) {
		t.Fatalf("Open: error %v, want that the disk is full", err)
	}
	after, err := Inspect(t.Context(), path)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Errorf("error %v, schema (-before +after):\n%s", err, diff)
	}
	if entries, err := os.ReadDir(filepath.Join(filepath.Dir(path), CopiesFolder)); err != nil || len(entries) != 0 {
		t.Errorf("%d files in the folder of copies, error %v; want none", len(entries), err)
	}
	openAt(t, path, time.Now)
	if copies, err := Copies(path); err != nil || len(copies) != 1 {
		t.Errorf("copies %v, error %v; want one", copies, err)
	}
}

func TestOnlyTheNewestCopiesAreKept(t *testing.T) {
	all := releases(t)
	path := ofRelease(t, all[len(all)-1])
	folder := filepath.Join(filepath.Dir(path), CopiesFolder)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"relay-schema-4-20260901T000000Z.db", "relay-schema-10-20260701T000000Z.db", "relay-schema-5-20260801T000000Z.db", "mine.db",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openAt(t, path, func() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) })
	copies, err := Copies(path)
	for i := range copies {
		copies[i] = filepath.Base(copies[i])
	}
	want := []string{"relay-schema-5-20261130T120000Z.db", "relay-schema-4-20260901T000000Z.db", "relay-schema-5-20260801T000000Z.db"}
	if diff := cmp.Diff(want, copies); diff != "" || err != nil {
		t.Errorf("error %v, copies (-want +got):\n%s", err, diff)
	}
	if _, err := os.Stat(filepath.Join(folder, "mine.db")); err != nil {
		t.Errorf("a file of somebody else's: %v", err)
	}
	if copies, err := Copies(filepath.Join(t.TempDir(), "relay.db")); err != nil || copies != nil {
		t.Errorf("copies without a folder: %v, error %v", copies, err)
	}
	if _, err := Inspect(t.Context(), filepath.Join(folder, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("inspect a file that is not there: error %v", err)
	}
}
