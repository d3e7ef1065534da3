package backups

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/s3http"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/replica"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestMain lets the tests replicate databases: a process decides that before it opens its first one.
func TestMain(m *testing.M) {
	_ = sqlite.LockByFile() // The tests of replicas skip themselves where this fails.
	os.Exit(m.Run())
}

// replicaStage is a data folder with a relay's files, which is replicated to a place.
type replicaStage struct {
	*Replication

	t     *testing.T
	data  string
	place Place
	id    string
	at    time.Time
	db    *sqlite.DB
	log   *jsonlines.Log
	texts int
}

// newReplicaStage starts on an empty folder. A segment of its audit log is full after some entries.
func newReplicaStage(t *testing.T, place Place) *replicaStage {
	t.Helper()
	if err := sqlite.LockByFile(); err != nil {
		t.Skip(err)
	}
	s := &replicaStage{t: t, data: t.TempDir(), place: place, at: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)}
	s.open()
	return s
}

func (s *replicaStage) open() {
	s.t.Helper()
	now := func() time.Time { return s.at }
	var err error
	if s.db, err = sqlite.OpenReplicated(s.t.Context(), filepath.Join(s.data, databaseName), time.Now); err != nil {
		s.t.Fatal(err)
	}
	if s.log, err = jsonlines.Open(filepath.Join(s.data, auditName), jsonlines.Config{Now: now, MaxSize: 4096}); err != nil {
		s.t.Fatal(err)
	}
	s.Replication, s.id, err = Replicate(s.t.Context(), ReplicaSource{
		Data: s.data, Audit: s.log, Relay: "test", Now: now,
		Settings: []Setting{{Name: "TWILIO_AUTH_TOKEN", Value: "much-too-secret", Secret: true}, {Name: "RELAY_LISTEN", Value: ":8080"}},
	}, s.place, s.id)
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *replicaStage) close() {
	s.t.Helper()
	_, err := s.Close(s.t.Context())
	if err := errors.Join(err, s.log.Close(), s.db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// write keeps one more text: a record, its entry in the audit log and an attachment. A user changes her password.
func (s *replicaStage) write() {
	s.t.Helper()
	s.texts++
	record := relaytest.Record(s.texts, s.at)
	_, err := s.db.Ledger().Create(s.t.Context(), record)
	line := auditlog.Line{Time: s.at, Text: fmt.Appendf(nil, `{"id":"text-%d","fill":"%0200d"}`, s.texts, s.texts)}
	err = errors.Join(err, s.log.Append(s.t.Context(), []auditlog.Line{line}))
	picture := fmt.Appendf(nil, "picture %d", s.texts)
	users := filepath.Join(s.data, datafolder.UsersFolder)
	err = errors.Join(err, durable.Disk{}.MakeFolder(users),
		durable.Disk{}.WriteFile(filepath.Join(users, "ann.json"), fmt.Appendf(nil, "password %04d", s.texts)))
	if err = errors.Join(err, durable.Disk{}.WriteFile(s.media(s.texts), picture)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *replicaStage) media(n int) string {
	return filepath.Join(s.data, datafolder.MediaFolder, fmt.Sprint("picture-", n))
}

// copy brings everything to the place, a second later.
func (s *replicaStage) copy() {
	s.t.Helper()
	s.at = s.at.Add(time.Second)
	if at, err := s.Copy(s.t.Context()); err != nil || !at.Equal(s.at) {
		s.t.Fatalf("copied as of %v, error %v", at, err)
	}
}

// auditOf reads all segments of a folder's audit log.
func auditOf(t *testing.T, data string) (all []byte) {
	t.Helper()
	closed, err := jsonlines.ClosedSegments(filepath.Join(data, auditName))
	if err != nil {
		t.Fatal(err)
	}
	for _, segment := range append(closed, jsonlines.Segment{Path: filepath.Join(data, auditName)}) {
		content, err := os.ReadFile(segment.Path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// restored checks that the place has the folder as it is now.
func (s *replicaStage) restored(texts int) (m Manifest) {
	s.t.Helper()
	data := filepath.Join(s.t.TempDir(), "restored")
	m, where, err := Restore(s.t.Context(), s.place, data, s.at)
	if err != nil || !m.Replica || !strings.Contains(where, s.id) {
		s.t.Fatalf("restored %+v from %s, error %v", m, where, err)
	}
	if got, want := auditOf(s.t, data), auditOf(s.t, s.data); !bytes.Equal(got, want) {
		s.t.Errorf("the audit log has %d bytes, want %d", len(got), len(want))
	}
	pictures, err := os.ReadDir(filepath.Join(s.data, datafolder.MediaFolder))
	if err != nil {
		s.t.Fatal(err)
	}
	again, err := os.ReadDir(filepath.Join(data, datafolder.MediaFolder))
	if err != nil || len(again) != len(pictures) {
		s.t.Errorf("%d attachments, error %v, want %d", len(again), err, len(pictures))
	}
	user, err := os.ReadFile(filepath.Join(data, datafolder.UsersFolder, "ann.json"))
	if err != nil || string(user) != fmt.Sprintf("password %04d", texts) {
		s.t.Errorf("the user is %q, error %v", user, err)
	}
	settings, err := os.ReadFile(filepath.Join(data, settingsFile))
	if err != nil || !strings.Contains(string(settings), "RELAY_LISTEN") || strings.Contains(string(settings), "much-too-secret") {
		s.t.Errorf("settings %s, error %v", settings, err)
	}
	db, err := sqlite.Open(s.t.Context(), filepath.Join(data, databaseName), time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it is only read.
	if moved, err := db.Moved(s.t.Context()); err != nil || moved.At.IsZero() {
		s.t.Errorf("the restored database takes itself for the lost one: %+v, error %v", moved, err)
	}
	for n := 1; n <= texts+1; n++ {
		_, err := db.Ledger().Get(s.t.Context(), relaytest.Record(n, s.at).MessageSid)
		if there := err == nil; there != (n <= texts) {
			s.t.Errorf("text %d is there: %t, want %d texts", n, there, texts)
		}
	}
	return m
}

// places are a folder, and a bucket.
func places(t *testing.T) map[string]Place {
	t.Helper()
	server := httptest.NewServer(relaytest.NewBucket())
	t.Cleanup(server.Close)
	bucket := s3http.New(awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: server.URL,
	}), "b", time.Now)
	return map[string]Place{"folder": PlaceOf(t.TempDir()), "bucket": InBucket(bucket, "b", "relay/replica")}
}

// What the folder has is in the place, whatever changed in between: more texts, a full segment, an attachment that is gone, a restart.
func TestAReplicaHasWhatTheFolderHas(t *testing.T) {
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			s := newReplicaStage(t, place)
			if _, _, err := Restore(t.Context(), place, filepath.Join(t.TempDir(), "early"), s.at); !errors.Is(err, ErrNone) {
				t.Errorf("restored before there was anything: %v", err)
			}
			s.write()
			s.copy()
			s.restored(1)
			for range 30 {
				s.write()
			}
			s.copy()
			for range 3 {
				s.write()
				s.copy()
			}
			if err := os.Remove(s.media(1)); err != nil {
				t.Fatal(err)
			}
			s.at = s.at.Add(replica.TidyEvery)
			s.copy()
			if err := s.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if m := s.restored(34); len(m.Files) < 4 {
				t.Errorf("%d files", len(m.Files))
			}
			was := s.id
			s.write()
			s.close()
			s.restored(35)
			s.open()
			s.write()
			s.copy()
			if s.restored(36); s.id != was {
				t.Error("after a restart it is another replica")
			}
			s.close()
		})
	}
}

// The parts of a segment become one, and what a crash left over goes.
func TestPartsOfTheAuditLog(t *testing.T) {
	place := PlaceOf(t.TempDir())
	s := newReplicaStage(t, place)
	defer s.close()
	s.write()
	s.copy()
	first := s.is.Audit.Parts[0]
	for len(s.is.Audit.Parts) < maxParts {
		s.is.Audit.Parts = append(s.is.Audit.Parts, part{Key: "audit/none"})
	}
	if err := s.store.Put(t.Context(), "audit/stray", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	s.write()
	s.copy()
	s.at = s.at.Add(replica.TidyEvery)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kept []string
	if err := s.store.List(t.Context(), auditParts, func(o replica.Object) error { kept = append(kept, o.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 || kept[0] == first.Key {
		t.Errorf("the place has %q, want one new part", kept)
	}
	s.restored(2)
}

// Two relays with one place, or a folder that was copied, have a replica each. The newest state is restored, and what nobody keeps goes.
func TestTwoReplicasInOnePlace(t *testing.T) {
	place := PlaceOf(t.TempDir())
	one, other := newReplicaStage(t, place), newReplicaStage(t, place)
	defer one.close()
	one.write()
	one.copy()
	other.write()
	other.write()
	other.at = other.at.Add(time.Minute)
	other.copy()
	other.restored(2)
	other.close()
	one.at = one.at.Add(abandonedAfter + 2*time.Minute)
	one.write()
	one.copy()
	if err := one.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	one.restored(2)
	all, err := replicasIn(t.Context(), place.store())
	left, _ := os.ReadDir(filepath.Join(place.String(), replicaFolder))
	if err != nil || len(all) != 1 || len(left) != 1 {
		t.Errorf("%d replicas, %d folders, error %v", len(all), len(left), err)
	}
}

// A replica that somebody removed is told of, and the next one is new and whole.
func TestAReplicaThatIsGone(t *testing.T) {
	folder := t.TempDir()
	s := newReplicaStage(t, PlaceOf(folder))
	s.write()
	s.copy()
	if err := errors.Join(os.RemoveAll(filepath.Join(folder, "replica")), os.Remove(filepath.Join(folder, manifestKey(s.id)))); err != nil {
		t.Fatal(err)
	}
	s.at = s.at.Add(replica.TidyEvery)
	if err := s.Tidy(t.Context()); !errors.Is(err, ErrReplicaGone) {
		t.Errorf("put in order: %v", err)
	}
	was := s.id
	s.close()
	if err := os.Remove(filepath.Join(folder, manifestKey(s.id))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	s.open()
	s.write()
	s.copy()
	if s.restored(2); s.id == was {
		t.Error("it is the same replica")
	}
	s.close()
}
