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
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestMain lets relays replicate their databases: a process decides that before it opens its first one.
func TestMain(m *testing.M) {
	_ = sqlite.LockByFile() // Where this fails, nothing is replicated.
	os.Exit(m.Run())
}

// replicatorStage is a replicator whose place may be out of reach, with a clock that goes on while it waits.
type replicatorStage struct {
	*replicator

	at     time.Time
	broken error
	// gone lets the replica be removed from its place once.
	gone bool
	// quiet is set if nobody writes.
	quiet                 bool
	begun, closed, copies int
	// unread is set if nobody reads the log, folds counts how often it was looked at then.
	unread bool
	folds  int
}

// Copy, Tidy and Close are what the replicator does with the place.
func (s *replicatorStage) Copy(context.Context) (time.Time, error) {
	s.copies++
	return s.at, s.broken
}

func (s *replicatorStage) Tidy(context.Context) error {
	if s.gone {
		s.gone = false
		return backups.ErrReplicaGone
	}
	return nil
}

func (s *replicatorStage) Close(ctx context.Context) (time.Time, error) {
	s.closed++
	return s.Copy(ctx)
}

func (s *replicatorStage) Reads() bool { return !s.unread }

func newReplicatorStage(t *testing.T) *replicatorStage {
	t.Helper()
	s := &replicatorStage{at: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)}
	s.replicator = &replicator{
		config: ReplicaConfig{To: "/srv/replica"}, data: t.TempDir(), now: func() time.Time { return s.at },
		logger: slog.New(slog.DiscardHandler), pause: func(_ context.Context, d time.Duration) { s.at = s.at.Add(d) },
		written: func() <-chan struct{} { return nil },
		await: func(_ context.Context, _ <-chan struct{}, longest time.Duration) {
			if s.quiet {
				s.at = s.at.Add(longest)
			}
		},
		start: func(_ context.Context, id string) (replication, string, error) {
			if s.begun++; id == "" {
				id = "new-" + s.at.Format("150405")
			}
			return s, id, s.broken
		},
		fold: func(context.Context) error {
			s.folds++
			return nil
		},
	}
	return s
}

// pass lets so much time pass.
func (s *replicatorStage) pass(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	until, pause := s.at.Add(d), s.pause
	s.pause = func(ctx context.Context, d time.Duration) {
		if pause(ctx, d); !s.at.Before(until) {
			cancel()
		}
	}
	if err := s.run(ctx); err != nil {
		t.Fatal(err)
	}
	s.pause = pause
}

// A place that is out of reach for a moment is no problem; for longer it is, until it is there again.
func TestAReplicaThatIsLate(t *testing.T) {
	s := newReplicatorStage(t)
	s.begin(t.Context(), time.Time{})
	s.pass(t, time.Minute)
	if age, problem := one(t, s.readAge), s.State().Problem(s.at); age > 1 || problem != "" {
		t.Errorf("the replica is %v s old, problem %q", age, problem)
	}
	s.broken = errors.New("nobody is there")
	s.pass(t, time.Minute)
	if problem := s.State().Problem(s.at); problem != "" {
		t.Errorf("after a minute: %s", problem)
	}
	s.pass(t, 4*time.Minute)
	problem := s.State().Problem(s.at)
	if !strings.Contains(problem, "the replica in /srv/replica is ") || !strings.Contains(problem, "nobody is there") {
		t.Errorf("after five minutes: %q", problem)
	}
	if kept, found, err := backups.ReadReplicaState(s.data); err != nil || !found || kept.Failure != "nobody is there" {
		t.Errorf("the folder has %+v, %t, error %v", kept, found, err)
	}
	s.broken = nil
	s.pass(t, time.Second)
	if problem := s.State().Problem(s.at); problem != "" || s.begun != 1 {
		t.Errorf("when it is there again: %q; begun %d times", problem, s.begun)
	}
	if err := s.close(t.Context()); err != nil || s.closed != 1 {
		t.Errorf("closed %d times, error %v", s.closed, err)
	}
	s.at = s.at.Add(time.Hour)
	if kept, _, _ := backups.ReadReplicaState(s.data); kept.Problem(s.at) != "" {
		t.Errorf("a relay that was stopped: %s", kept.Problem(s.at))
	}
}

// While the place is away and nobody reads the log, the relay folds it.
func TestALogThatNobodyReads(t *testing.T) {
	s := newReplicatorStage(t)
	s.begin(t.Context(), time.Time{})
	s.broken = errors.New("nobody is there")
	s.pass(t, 5*time.Minute)
	if atStart := s.folds; atStart != s.begun || atStart < 5 {
		t.Errorf("looked at the log %d times in %d tries to begin", atStart, s.begun)
	}
	s.broken, s.folds = nil, 0
	s.pass(t, time.Minute)
	s.broken = errors.New("nobody is there")
	s.pass(t, 5*time.Minute)
	if s.folds != 0 {
		t.Errorf("it was folded %d times while it was read", s.folds)
	}
	s.unread = true
	s.pass(t, 5*time.Minute)
	if s.folds < 4 {
		t.Errorf("it was folded %d times", s.folds)
	}
}

func TestALongLogIsFolded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := sqlite.OpenReplicated(t.Context(), path, time.Now)
	if err != nil {
		t.Skip(err)
	}
	defer db.Close() //nolint:errcheck // the test is over.
	const most = 1 << 20
	for n := range 300 {
		if _, err := db.Ledger().Create(t.Context(), relaytest.Record(n, time.Now())); err != nil {
			t.Fatal(err)
		}
		if err := foldLong(t.Context(), path, most); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() > 2*most {
		t.Errorf("the log has %d bytes, error %v", info.Size(), err)
	}
}

// While nobody writes, the replica is hardly looked at, and its age is small all the same.
func TestAReplicaAtRest(t *testing.T) {
	s := newReplicatorStage(t)
	s.begin(t.Context(), time.Time{})
	s.pass(t, time.Minute)
	busy := s.copies
	s.quiet, s.copies = true, 0
	s.pass(t, 10*time.Minute)
	if busy < 55 || s.copies > 50 || s.State().Problem(s.at) != "" || s.State().Age(s.at) > 20*time.Second {
		t.Errorf("%d looks in a busy minute, %d in ten at rest, the replica is %v old", busy, s.copies, s.State().Age(s.at))
	}
}

// A restart goes on with the replica; a folder that was copied, another place and a replica that is gone begin anew.
func TestWhichReplicaIsKept(t *testing.T) {
	s := newReplicatorStage(t)
	restart := func(moved time.Time) (id string) {
		s.begin(t.Context(), moved)
		s.pass(t, 2*time.Second)
		id = s.State().ID
		if err := s.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := restart(time.Time{})
	if again := restart(time.Time{}); again != first || first == "" {
		t.Errorf("after a restart it is %q, was %q", again, first)
	}
	copied := restart(s.at)
	if copied == first {
		t.Error("a copied folder goes on with the replica of the other one")
	}
	if again := restart(s.at.Add(-time.Hour)); again != copied {
		t.Errorf("after a restart of the copy it is %q, was %q", again, copied)
	}
	s.begin(t.Context(), time.Time{})
	s.gone = true
	s.pass(t, 10*time.Second)
	if id := s.State().ID; id == copied || id == "" || s.State().Last.IsZero() {
		t.Errorf("after the replica was removed: %+v", s.State())
	}
	s.config.To = "/mnt/replica"
	if elsewhere := restart(time.Time{}); elsewhere == copied || s.State().To != "/mnt/replica" {
		t.Errorf("in another place: %+v", s.State())
	}
	if err := os.MkdirAll(filepath.Join(s.data, datafolder.ReplicaFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	s.config.To = ""
	s.begin(t.Context(), time.Time{})
	_, err := os.Stat(filepath.Join(s.data, datafolder.ReplicaFolder))
	if !errors.Is(err, os.ErrNotExist) || s.State().Problem(s.at.Add(time.Hour)) != "" {
		t.Errorf("no replica is wanted any more: %v, %+v", err, s.State())
	}
}
