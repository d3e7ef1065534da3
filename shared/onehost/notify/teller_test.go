package notify

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stage is a relay with something to tell, and people.
type stage struct {
	mu sync.Mutex
	// found is what there is to tell, broken the targets that do not answer.
	found  []Finding
	broken map[string]error
	// heard is what each target took, and tries how often it was tried.
	heard map[string][]Notice
	tries map[string]int
	logs  bytes.Buffer
	file  string
}

// inBubble plays with a clock of the test's own.
func inBubble(t *testing.T, play func(t *testing.T, s *stage)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "notify.json")
	synctest.Test(t, func(t *testing.T) {
		play(t, &stage{file: file, broken: map[string]error{}, heard: map[string][]Notice{}, tries: map[string]int{}})
	})
}

// target is one of the stage's.
func (s *stage) target(name string) Target {
	return Target{Label: name + "://***", id: name, send: func(_ context.Context, n Notice) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tries[name]++
		if err := s.broken[name]; err != nil && !errors.Is(err, ErrPartly) {
			return err
		}
		s.heard[name] = append(s.heard[name], n)
		return s.broken[name]
	}}
}

// start runs a teller until stop.
func (s *stage) start(t *testing.T, names ...string) (stop func()) {
	t.Helper()
	var targets []Target
	for _, name := range names {
		targets = append(targets, s.target(name))
	}
	teller := New(Config{
		Name: "SMS relay", Targets: targets, File: s.file, Interval: 15 * time.Second, Now: time.Now, Sent: func(bool) {},
		Find: func(context.Context) []Finding {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.Clone(s.found)
		},
		Logger: slog.New(slog.NewTextHandler(&s.logs, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- teller.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// set says what there is to tell from now on, and lets time pass.
func (s *stage) set(after time.Duration, found ...Finding) {
	s.mu.Lock()
	s.found = found
	s.mu.Unlock()
	time.Sleep(after)
	synctest.Wait()
}

// took returns the titles that a target took since the last call.
func (s *stage) took(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var titles []string
	for _, n := range s.heard[name] {
		titles = append(titles, strings.TrimPrefix(n.Title, "SMS relay: "))
	}
	s.heard[name] = nil
	return strings.Join(titles, "; ")
}

func dead(count int) Finding {
	f := Finding{Kind: "dead", Count: count}
	if count > 0 {
		f.Title, f.Text = "dead letters", "Look."
	}
	return f
}

func full(count int) Finding {
	f := Finding{Kind: "disk", Count: count}
	if count > 0 {
		f.Title, f.Text = "the disk is low", "Make room."
	}
	return f
}

func (s *stage) want(t *testing.T, when, name, want string) {
	t.Helper()
	if got := s.took(name); got != want {
		t.Errorf("%s: %s was told %q, want %q", when, name, got, want)
	}
}

// TestToldOnce and once more when it is over, also over restarts.
func TestToldOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		stop := s.start(t, "a")
		s.set(time.Hour, dead(0), full(0))
		s.want(t, "all is well", "a", "")
		s.set(time.Minute, dead(2), full(0))
		s.want(t, "it begins", "a", "dead letters")
		s.set(12*time.Hour, dead(2), full(0))
		s.want(t, "it goes on", "a", "")
		s.set(time.Minute, dead(3), full(0))
		s.want(t, "there is more, long after", "a", "dead letters")
		s.set(10*time.Minute, dead(5), full(0))
		s.want(t, "there is more, soon after", "a", "")
		s.set(time.Hour, dead(5), full(0))
		s.want(t, "there is more, an hour after", "a", "dead letters")
		stop()
		stop = s.start(t, "a")
		s.set(time.Hour, dead(5), full(0))
		s.want(t, "after a restart", "a", "")
		s.set(4*time.Minute, dead(0), full(0))
		s.want(t, "well for a moment", "a", "")
		s.set(time.Minute, dead(1), full(0))
		s.want(t, "and not well again", "a", "")
		stop()
		stop = s.start(t, "a")
		s.set(4*time.Minute, dead(0), full(0))
		s.want(t, "well, soon after a restart", "a", "")
		s.set(2*time.Minute, dead(0), full(0))
		s.want(t, "well for long", "a", "is over: dead letters")
		s.set(time.Hour, dead(0), full(0))
		s.want(t, "it stays well", "a", "")
		stop()
	})
}

// TestFewerAndMoreAgain: one is solved and another comes, and so there is news.
func TestFewerAndMoreAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		stop := s.start(t, "a")
		s.set(2*time.Hour, dead(3))
		s.set(2*time.Hour, dead(1))
		s.want(t, "one of three is left", "a", "dead letters")
		stop()
		stop = s.start(t, "a")
		s.set(time.Minute, dead(2))
		s.want(t, "another one", "a", "dead letters")
		stop()
	})
}

// TestSeveralAtOnce are told in one notice.
func TestSeveralAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		stop := s.start(t, "a")
		s.set(time.Minute, dead(2), full(1))
		s.mu.Lock()
		if n := s.heard["a"][0]; n.Text != "Dead letters.\nLook.\n\nThe disk is low.\nMake room." || n.Over {
			t.Errorf("told %+v", n)
		}
		s.mu.Unlock()
		s.want(t, "both begin", "a", "2 things need somebody")
		s.set(10*time.Minute, dead(0), full(0))
		s.want(t, "both end", "a", "2 things are over")
		s.set(10*time.Minute, full(1))
		s.want(t, "one of them, and the other is not known", "a", "the disk is low")
		stop()
	})
}

// TestTargetThatDoesNotAnswer is tried again, ever more rarely, logged once, and then told what is so. Others do not wait for it.
func TestTargetThatDoesNotAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		s.broken["a"] = errors.New("it answered 500")
		stop := s.start(t, "a", "b")
		s.set(time.Minute, dead(1))
		s.want(t, "the one that answers", "b", "dead letters")
		s.set(2*time.Hour, dead(1))
		s.want(t, "the one that answers, later", "b", "")
		if tries := s.tries["a"]; tries < 8 || tries > 20 {
			t.Errorf("it was tried %d times in two hours", tries)
		}
		if lines := strings.Count(s.logs.String(), "people were not told"); lines != 1 || strings.Contains(s.logs.String(), "id=") {
			t.Errorf("the log has %d lines about it: %s", lines, s.logs.String())
		}
		stop()
		stop = s.start(t, "a", "b")
		s.mu.Lock()
		delete(s.broken, "a")
		s.mu.Unlock()
		s.set(20*time.Minute, dead(1), full(2))
		s.want(t, "it answers again", "a", "2 things need somebody")
		s.want(t, "the other one", "b", "the disk is low")
		stop()
	})
}

func TestOnlySomeGotIt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		s.broken["a"] = ErrPartly
		stop := s.start(t, "a")
		s.set(2*time.Hour, dead(1))
		s.want(t, "some got it", "a", "dead letters")
		if lines := strings.Count(s.logs.String(), "some people were not told"); lines != 1 {
			t.Errorf("the log has %d lines about it", lines)
		}
		stop()
	})
}

// TestClockIsSetBack neither repeats what was told nor keeps quiet for long.
func TestClockIsSetBack(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	before := map[string]told{"dead": {"dead letters", 1, now.Add(24 * time.Hour)}}
	if _, news, over := compare([]Finding{dead(1)}, before, nil, now); len(news)+len(over) > 0 {
		t.Errorf("told again: %v, %v", news, over)
	}
	if _, news, _ := compare([]Finding{dead(2)}, before, nil, now); len(news) != 1 {
		t.Errorf("told of more: %v", news)
	}
}

// TestBookIsUnreadable: people are told again rather than not at all.
func TestBookIsUnreadable(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		if err := os.WriteFile(s.file, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		stop := s.start(t, "a")
		s.set(time.Minute, dead(1))
		s.want(t, "after that", "a", "dead letters")
		stop()
		if info, err := os.Stat(s.file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v", info, err)
		}
	})
}

// TestBookCannotBeWritten: people are told once all the same, and the log says it once.
func TestBookCannotBeWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, s *stage) {
		t.Helper()
		notFolder := filepath.Join(filepath.Dir(s.file), "file")
		if err := os.WriteFile(notFolder, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s.file = filepath.Join(notFolder, "notify.json")
		stop := s.start(t, "a")
		s.set(3*time.Hour, dead(1))
		s.set(3*time.Hour, dead(2))
		s.want(t, "the disk is full", "a", "dead letters; dead letters")
		if lines := strings.Count(s.logs.String(), "is not saved"); lines != 1 {
			t.Errorf("the log has %d lines about it: %s", lines, s.logs.String())
		}
		stop()
	})
}
