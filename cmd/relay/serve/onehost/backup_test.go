package onehost

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// makerStage is a maker of backups on a folder of its own, with a clock that goes on while the maker waits.
type makerStage struct {
	*backupMaker

	at     time.Time
	broken bool
	db     *sqlite.DB
}

func (s *makerStage) CopyTo(ctx context.Context, path string, frozen func() error) error {
	if s.broken {
		return errors.New("the disk is gone")
	}
	return s.db.CopyTo(ctx, path, frozen)
}

func newMaker(t *testing.T, to string) *makerStage {
	t.Helper()
	data := t.TempDir()
	s := &makerStage{at: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)}
	db, err := sqlite.Open(t.Context(), filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s.db = db
	s.backupMaker = &backupMaker{
		config: BackupConfig{To: to, Every: time.Hour, Keep: backups.Keep{Newest: 2}}, data: data, db: s,
		now: func() time.Time { return s.at }, logger: slog.New(slog.DiscardHandler),
		pause: func(_ context.Context, d time.Duration) { s.at = s.at.Add(max(d, 0)) },
	}
	return s
}

// rounds lets the maker make as many backups, well or not.
func (s *makerStage) rounds(t *testing.T, n int) {
	t.Helper()
	s.begin(t.Context())
	for range n {
		s.pause(t.Context(), s.due())
		s.make(t.Context())
	}
}

func TestBackupsWhileTheRelayRuns(t *testing.T) {
	to := t.TempDir()
	s := newMaker(t, to)
	began := s.at
	s.rounds(t, 4)
	if waited := s.at.Sub(began); waited != 3*time.Hour {
		t.Errorf("four backups took %v, want three hours: the first one at once", waited)
	}
	made, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil || len(made) != 2 || s.State().Problem(s.at) != "" {
		t.Errorf("%d backups are kept, error %v, problem %q", len(made), err, s.State().Problem(s.at))
	}
	// The next start knows when the last one was.
	if s.begin(t.Context()); s.due() != time.Hour {
		t.Errorf("after a restart one is due in %v", s.due())
	}
	s.at = s.at.Add(time.Minute)
	if last, age := one(t, s.readLast), one(t, s.readAge); last != float64(s.at.Unix()-60) || age != 60 {
		t.Errorf("the newest is of %v, %v s old", last, age)
	}
}

// A backup that fails is said to, is tried again soon, and is forgotten with the first that does not fail.
func TestABackupThatFailsIsTriedAgain(t *testing.T) {
	s := newMaker(t, t.TempDir())
	s.broken = true
	s.rounds(t, 1)
	if problem := s.State().Problem(s.at); !strings.Contains(problem, "the disk is gone") || s.due() != backupPause {
		t.Errorf("problem %q, due in %v", problem, s.due())
	}
	if last := one(t, s.readLast); last != 0 {
		t.Errorf("the newest is of %v", last)
	}
	state, found, err := backups.ReadState(s.data)
	if err != nil || !found || state.Failure == "" {
		t.Errorf("the folder says %+v, error %v", state, err)
	}
	s.broken = false
	s.make(t.Context())
	if problem := s.State().Problem(s.at); problem != "" || s.due() != time.Hour {
		t.Errorf("problem %q, due in %v", problem, s.due())
	}
}

// A place that is not wanted any more is no reason for an alarm.
func TestNoBackupsWanted(t *testing.T) {
	s := newMaker(t, t.TempDir())
	s.rounds(t, 1)
	s.config.To = ""
	s.begin(t.Context())
	s.at = s.at.Add(100 * time.Hour)
	state, _, err := backups.ReadState(s.data)
	if err != nil || state.Problem(s.at) != "" || one(t, s.readAge) != 0 {
		t.Errorf("the folder says %+v, error %v", state, err)
	}
	if err := s.run(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.data, datafolder.BackupFile)); err != nil {
		t.Error(err)
	}
}

// one reads a gauge.
func one(t *testing.T, read func(context.Context) ([]reading, error)) float64 {
	t.Helper()
	readings, err := read(t.Context())
	if err != nil || len(readings) != 1 {
		t.Fatalf("%v, error %v", readings, err)
	}
	return readings[0].value
}
