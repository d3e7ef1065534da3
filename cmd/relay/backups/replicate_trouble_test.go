package backups

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/replica"
)

// While nobody writes, nothing is read and nothing is stored, but a manifest each minute.
func TestAReplicaAtRest(t *testing.T) {
	s := newReplicaStage(t, PlaceOf(t.TempDir()))
	s.at = time.Now().Add(time.Hour)
	s.write()
	s.copyNow(t) // Litestream makes its tables.
	s.copyNow(t)
	database, copied := s.database, s.at
	s.database = nil // Whoever reads it now comes to an end.
	for range 3 {
		s.copyNow(t)
		s.at = s.at.Add(time.Second)
	}
	if !s.is.TakenAt.Equal(copied.UTC().Round(0)) {
		t.Errorf("the manifest is of %v, want %v", s.is.TakenAt, copied)
	}
	s.database = database
	s.at = s.at.Add(manifestEvery)
	s.copyNow(t)
	if s.is.TakenAt.Before(s.at.Add(-time.Second)) {
		t.Errorf("a minute later the manifest is of %v", s.is.TakenAt)
	}
	s.write()
	s.copy()
	s.restored(2)
	s.close()
}

// copyNow copies without a second in between.
func (r *Replication) copyNow(t *testing.T) {
	t.Helper()
	if _, err := r.Copy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// refusing is a store that takes nothing whose key begins with a prefix.
type refusing struct {
	replica.Store

	prefix string
}

func (r *refusing) Put(ctx context.Context, key string, content io.Reader, size int64) error {
	if r.prefix != "" && strings.HasPrefix(key, r.prefix) {
		return errors.New("no room")
	}
	return r.Store.Put(ctx, key, content, size)
}

// After an error the place has the state of before, whole, whatever part of the new one is there.
func TestAnErrorLeavesTheStateOfBefore(t *testing.T) {
	place := PlaceOf(t.TempDir())
	s := newReplicaStage(t, place)
	defer s.close()
	s.write()
	s.copy()
	was := s.is
	broken := &refusing{Store: s.whole}
	s.whole = broken
	broken.prefix = replicaManifest
	for range 20 { // A segment is closed, which the old manifest does not know.
		s.write()
	}
	s.at = s.at.Add(time.Second)
	if _, err := s.Copy(t.Context()); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("copied: %v", err)
	}
	is, found, err := newestReplica(t.Context(), place)
	if err != nil || !found || is.Position != was.Position {
		t.Errorf("the place has %+v, %t, error %v", is, found, err)
	}
	before := t.TempDir()
	if m, err := fetchReplica(t.Context(), place.store(), is, before); err != nil || bytes.Count(auditOf(t, before), []byte("\n")) != 1 {
		t.Errorf("restored %+v, error %v, want the one entry of before", m, err)
	}
	broken.prefix = ""
	s.copy()
	s.restored(21)
}

// A newer backup in the same place goes before the replica, and a manifest of a later program is not touched.
func TestTheNewestOfBackupAndReplica(t *testing.T) {
	folder := t.TempDir()
	s := newReplicaStage(t, PlaceOf(folder))
	defer s.close()
	s.write()
	s.copy()
	source := Source{Database: s.db, Data: s.data, Relay: "test", Now: func() time.Time { return s.at.Add(time.Hour) }}
	if _, err := Take(t.Context(), source, s.place); err != nil {
		t.Fatal(err)
	}
	m, _, err := Restore(t.Context(), s.place, filepath.Join(t.TempDir(), "restored"), s.at)
	if err != nil || m.Replica {
		t.Errorf("restored %+v, error %v, want the backup", m, err)
	}
	later := s.is
	later.Format, later.TakenAt = replicaFormat+1, s.at.Add(2*time.Hour)
	text, _ := json.Marshal(later)
	if err := os.WriteFile(filepath.Join(folder, manifestKey(s.id)), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Restore(t.Context(), s.place, filepath.Join(t.TempDir(), "again"), s.at); !errors.Is(err, ErrNewer) {
		t.Errorf("restored what a later program made: %v", err)
	}
}
