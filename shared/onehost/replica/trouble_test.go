package replica_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// What is written while the store is away comes later. The log is folded meanwhile, and commands may write.
func TestAStoreThatIsAway(t *testing.T) {
	s := newStage(t)
	defer s.close()
	s.write(1)
	s.copy()
	s.store.setAway(true)
	for range 3 {
		s.write(50)
		if _, err := s.Read(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Send(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("sent to nobody: %v", err)
		}
		command, err := sqlite.Attach(t.Context(), s.path(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		s.texts++
		_, err = command.Ledger().Create(t.Context(), relaytest.Record(s.texts, time.Now()))
		if err := errors.Join(err, command.Close()); err != nil {
			t.Error(err)
		}
	}
	s.store.setAway(false)
	s.restored(s.copy(), 154)
}

// However long the store is away, what waits for it does not fill the disk, and nothing is missing afterwards.
func TestAStoreThatIsAwayForLong(t *testing.T) {
	s := newStage(t)
	defer s.close()
	const most = 100_000
	s.LetWait(most)
	s.write(1)
	s.copy()
	s.store.setAway(true)
	for range 1000 {
		s.write(2)
		if _, err := s.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context()); !errors.Is(err, errAway) {
			t.Fatalf("sent to nobody: %v", err)
		}
		if !s.Reads() {
			break
		}
		if size, err := os.Stat(s.path()); err != nil || s.waiting() > max(most, 2*size.Size()) {
			t.Fatalf("%d bytes wait, error %v", s.waiting(), err)
		}
	}
	if s.Reads() || s.waiting() > 0 {
		t.Errorf("%d bytes wait, and it still reads: %t", s.waiting(), s.Reads())
	}
	// The relay folds the log now, and goes on with it at its beginning.
	s.write(2)
	if _, err := s.Read(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("read for nobody: %v", err)
	}
	if err := sqlite.FoldBeside(t.Context(), s.path()); err != nil {
		t.Error(err)
	}
	log, err := os.Stat(s.path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	s.write(2)
	if again, err := os.Stat(s.path() + "-wal"); err != nil || again.Size() != log.Size() {
		t.Errorf("the log has %d bytes, and %d before, error %v", again.Size(), log.Size(), err)
	}
	s.store.setAway(false)
	s.restored(s.copy(), s.texts)
	s.write(1)
	s.restored(s.copy(), s.texts)
}

// If what was not sent yet is lost, the whole database is copied again, and nothing is missing.
func TestAStateThatIsLost(t *testing.T) {
	s := newStage(t)
	defer s.close()
	s.write(5)
	s.copy()
	s.write(5)
	if _, err := s.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(s.folder, "replica", "ltx")); err != nil {
		t.Fatal(err)
	}
	s.write(5)
	_, readErr := s.Read(t.Context())
	if err := errors.Join(readErr, s.Send(t.Context())); err == nil {
		t.Error("nobody noticed")
	}
	s.restored(s.copy(), 15)
}

// Between two runs of the relay the file is changed by others: a command writes and folds the log, or the whole file is written anew.
func TestAFileThatIsChangedBetween(t *testing.T) {
	for name, change := range map[string]func(s *stage){
		"a command writes": func(s *stage) {
			db, err := sqlite.Open(t.Context(), s.path(), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			s.db = db
			s.write(5)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"it is rebuilt": func(s *stage) {
			if err := sqlite.Rebuild(t.Context(), s.path()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.write(400)
			s.copy()
			s.write(1)
			s.close()
			change(s)
			s.open()
			defer s.close()
			s.restored(s.copy(), s.texts)
			s.write(1)
			s.restored(s.copy(), s.texts)
			if err := s.Tidy(t.Context()); err != nil {
				t.Error(err)
			}
			s.restored(s.copy(), s.texts)
		})
	}
}

// If the place is away while the relay starts, nobody reads the log, and it is folded all the same, by the relay or by a command.
func TestALogThatNobodyReads(t *testing.T) {
	for name, tt := range map[string]struct {
		unread int
		writes []int
	}{
		"it is not folded":                      {1, []int{1}},
		"it begins anew":                        {0, []int{0, 1}},
		"what was not read is folded":           {1, []int{60, 1}},
		"it begins anew twice":                  {0, []int{0, 60, 1}},
		"the third is written over the second":  {0, []int{0, 1, 20}},
		"the fourth, too, and one is not read":  {1, []int{1, 1, 1, 20}},
		"the new one is as long as the old one": {1, []int{60, 80}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.write(600)
			s.copy()
			// What was read last has to lie behind what is written to the new log.
			for range 3 {
				s.write(20)
				s.copy()
			}
			s.write(tt.unread)
			crashed := s.crash()
			crashed.alone(tt.writes...)
			crashed.open()
			defer crashed.close()
			crashed.write(1)
			crashed.restored(crashed.copy(), crashed.texts)
			crashed.write(1)
			crashed.restored(crashed.copy(), crashed.texts)
		})
	}
}
