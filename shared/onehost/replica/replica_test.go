package replica_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/replica"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// memory is a store that may be out of reach.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	away    bool
}

var errAway = errors.New("nobody is there")

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func (m *memory) setAway(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

// take begins a call.
func (m *memory) take() (done func(), err error) {
	m.mu.Lock()
	if m.away {
		return m.mu.Unlock, errAway
	}
	return m.mu.Unlock, nil
}

func (m *memory) Put(_ context.Context, key string, content io.Reader, size int64) error {
	done, err := m.take()
	defer done()
	if err != nil {
		return err
	}
	m.objects[key], err = io.ReadAll(io.LimitReader(content, size))
	return err
}

func (m *memory) Open(_ context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	done, err := m.take()
	defer done()
	content, ok := m.objects[key]
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	content = content[offset:]
	if size > 0 {
		content = content[:size]
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (m *memory) List(_ context.Context, prefix string, visit func(replica.Object) error) error {
	done, err := m.take()
	defer done()
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if err == nil && strings.HasPrefix(key, prefix) {
			err = visit(replica.Object{Key: key, Size: int64(len(m.objects[key]))})
		}
	}
	return err
}

func (m *memory) Delete(_ context.Context, key string) error {
	done, err := m.take()
	defer done()
	delete(m.objects, key)
	return err
}

// sizes are those of the objects of the first level.
func (m *memory) sizes() (sizes []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(key, "ltx/0/") {
			sizes = append(sizes, len(m.objects[key]))
		}
	}
	return sizes
}

// stage is a database that is replicated.
type stage struct {
	t      *testing.T
	folder string
	store  *memory
	db     *sqlite.DB
	*replica.Replica

	texts int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	if err := sqlite.LockByFile(); err != nil {
		t.Skip(err)
	}
	s := &stage{t: t, folder: t.TempDir(), store: newMemory()}
	s.open()
	return s
}

func (s *stage) path() string { return filepath.Join(s.folder, "relay.db") }

func (s *stage) open() {
	s.t.Helper()
	var err error
	if s.db, err = sqlite.OpenReplicated(s.t.Context(), s.path(), time.Now); err != nil {
		s.t.Fatal(err)
	}
	if s.Replica, err = replica.Open(s.t.Context(), replica.Config{
		Database: s.path(), State: filepath.Join(s.folder, "replica"), Store: s.store,
	}); err != nil {
		s.t.Fatal(err)
	}
}

// alone is a run of the relay while nobody reads the log. Between the writes, of so many records each, the log is folded.
func (s *stage) alone(writes ...int) {
	s.t.Helper()
	var err error
	if s.db, err = sqlite.OpenReplicated(s.t.Context(), s.path(), time.Now); err != nil {
		s.t.Fatal(err)
	}
	for i, n := range writes {
		if i > 0 {
			if err := sqlite.FoldBeside(s.t.Context(), s.path()); err != nil {
				s.t.Fatal(err)
			}
		}
		s.write(n)
	}
	if err := s.db.Close(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) close() {
	s.t.Helper()
	if err := errors.Join(s.Close(s.t.Context()), s.db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// write keeps n more records.
func (s *stage) write(n int) {
	s.t.Helper()
	for range n {
		s.texts++
		if _, err := s.db.Ledger().Create(s.t.Context(), relaytest.Record(s.texts, time.Now())); err != nil {
			s.t.Fatal(err)
		}
	}
}

// copy brings everything to the store.
func (s *stage) copy() (position uint64) {
	s.t.Helper()
	position, err := s.Read(s.t.Context())
	if err == nil {
		err = s.Send(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return position
}

// waiting is the size of what is in the folder of the state.
func (s *stage) waiting() (size int64) {
	s.t.Helper()
	_ = filepath.WalkDir(filepath.Join(s.folder, "replica"), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			info, infoErr := entry.Info()
			if err = infoErr; err == nil {
				size += info.Size()
			}
		}
		return err
	})
	return size
}

// restored checks that the store has so many records at that position.
func (s *stage) restored(position uint64, texts int) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "relay.db")
	err := replica.Restore(s.t.Context(), s.store, position, path)
	if err == nil {
		err = sqlite.Check(s.t.Context(), path)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	db, err := sqlite.Open(s.t.Context(), path, time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it is only read.
	for n := 1; n <= texts+1; n++ {
		_, err := db.Ledger().Get(s.t.Context(), relaytest.Record(n, time.Now()).MessageSid)
		if there := err == nil; there != (n <= texts) {
			s.t.Errorf("position %d: record %d is there: %t, want %d records", position, n, there, texts)
		}
	}
}

func TestACopyIsOfEachPosition(t *testing.T) {
	s := newStage(t)
	defer s.close()
	s.write(20)
	first := s.copy()
	s.write(5)
	second := s.copy()
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.write(5)
	third := s.copy()
	s.restored(first, 20)
	s.restored(second, 25)
	s.restored(third, 30)
	if again := s.copy(); again != third {
		t.Errorf("position %d without a write, want %d", again, third)
	}
}

// After a stop, the copy goes on where it was, and the file has everything by itself.
func TestACopyGoesOnAfterARestart(t *testing.T) {
	s := newStage(t)
	s.write(400)
	s.copy()
	s.write(1)
	s.close()
	content, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "relay.db")
	if err := os.WriteFile(alone, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if db, err := sqlite.Open(t.Context(), alone, time.Now); err != nil {
		t.Error(err)
	} else {
		if _, err := db.Ledger().Get(t.Context(), relaytest.Record(401, time.Now()).MessageSid); err != nil {
			t.Errorf("the file alone does not have the last record: %v", err)
		}
		_ = db.Close()
	}
	s.open()
	defer s.close()
	s.write(1)
	s.restored(s.copy(), 402)
	if sizes := s.store.sizes(); len(sizes) < 3 || slices.Max(sizes[1:])*4 > sizes[0] {
		t.Errorf("the parts have %v bytes: the whole database was copied again", sizes)
	}
}

// crash returns the stage as a crash leaves it, in another place.
func (s *stage) crash() *stage {
	s.t.Helper()
	crashed := &stage{t: s.t, folder: filepath.Join(s.t.TempDir(), "data"), store: newMemory(), texts: s.texts}
	maps.Copy(crashed.store.objects, s.store.objects)
	if err := os.CopyFS(crashed.folder, os.DirFS(s.folder)); err != nil {
		s.t.Fatal(err)
	}
	s.close()
	return crashed
}

// After a crash it goes on in the same way.
func TestACopyGoesOnAfterACrash(t *testing.T) {
	s := newStage(t)
	s.write(400)
	s.copy()
	s.write(3)
	crashed := s.crash()
	crashed.open()
	defer crashed.close()
	crashed.write(1)
	crashed.restored(crashed.copy(), 404)
	if sizes := crashed.store.sizes(); len(sizes) < 2 || slices.Max(sizes[1:])*4 > sizes[0] {
		t.Errorf("the parts have %v bytes: the whole database was copied again", sizes)
	}
}

// A long log is folded into the file, and the copy has all of it.
func TestALongLogIsFolded(t *testing.T) {
	s := newStage(t)
	defer s.close()
	for range 6 {
		s.write(400)
		s.copy()
	}
	if info, err := os.Stat(s.path() + "-wal"); err != nil || info.Size() > 32<<20 {
		t.Errorf("the log has %d bytes, error %v", info.Size(), err)
	}
	s.restored(s.copy(), 2400)
}
