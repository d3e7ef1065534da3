package auditsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
)

// followed starts a follower, and returns what it has seen so far after each call.
func followed(t *testing.T, f Follower) (seen func() []string) {
	t.Helper()
	var texts []string
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- f.Run(ctx, func(line auditlog.Line) error {
			texts = append(texts, string(line.Text))
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return func() []string {
		time.Sleep(2 * f.Interval)
		synctest.Wait()
		return texts
	}
}

func TestFollowFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		write := func(text string) {
			t.Helper()
			file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err == nil {
				_, err = file.WriteString(text)
			}
			if err = errors.Join(err, file.Close()); err != nil {
				t.Fatal(err)
			}
		}
		line := func(minute int) string {
			return fmt.Sprintf("2026-11-24T12:%02d:00Z {\"n\":%d}\n", minute, minute)
		}
		write(line(1) + line(2))
		source, err := File(path)
		if err != nil {
			t.Fatal(err)
		}
		seen := followed(t, Follower{Source: source, Since: time.Date(2026, 11, 24, 12, 2, 0, 0, time.UTC), Interval: time.Second, Now: time.Now})
		check := func(want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, seen()); diff != "" {
				t.Errorf("lines (-want +seen):\n%s", diff)
			}
		}
		check(`{"n":2}`)
		write(line(3))
		check(`{"n":2}`, `{"n":3}`)
		// A line in two pieces is one line.
		write(line(4)[:20])
		check(`{"n":2}`, `{"n":3}`)
		write(line(4)[20:])
		check(`{"n":2}`, `{"n":3}`, `{"n":4}`)
	})
}

// Lines of a log in the cloud come late and in no order; each is seen once, and each look goes back no further than it must.
func TestFollowCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var log []auditlog.Line
		var asked []time.Duration
		source := &Source{Read: func(_ context.Context, q Query, visit func(auditlog.Line) error) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, time.Since(q.From))
			for _, line := range log {
				if !line.Time.Before(q.From) {
					if err := visit(line); err != nil {
						return err
					}
				}
			}
			return nil
		}}
		add := func(ago time.Duration, text string) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, auditlog.Line{Time: time.Now().Add(-ago), Text: []byte(text)})
		}
		add(time.Hour, "long ago")
		seen := followed(t, Follower{Source: source, Since: began, Interval: time.Second, Overlap: time.Minute, Now: time.Now})
		check := func(want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, append([]string{}, seen()...)); diff != "" {
				t.Errorf("lines (-want +seen):\n%s", diff)
			}
		}
		check([]string{}...)
		add(0, "first")
		check("first")
		time.Sleep(time.Hour)
		add(0, "third")
		add(50*time.Second, "second, late")
		check("first", "third", "second, late")
		time.Sleep(time.Minute)
		check("first", "third", "second, late")
		mu.Lock()
		defer mu.Unlock()
		if last := asked[len(asked)-1]; last > time.Minute+time.Second {
			t.Errorf("the last look went back %v", last)
		}
	})
}

func TestFollowSaysWhatIsWrong(t *testing.T) {
	broken := errors.New("broken")
	source := &Source{Read: func(context.Context, Query, func(auditlog.Line) error) error { return broken }}
	if err := (Follower{Source: source, Interval: time.Second, Now: time.Now}).Run(t.Context(), nil); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// TestFollowSegments goes on where the log goes on, and begins where lines are wanted from.
func TestFollowSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		log, err := jsonlines.Open(filepath.Join(folder, "audit.jsonl"), jsonlines.Config{MaxSize: 200, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close() //nolint:errcheck // a test's.
		n, want := 0, []string{}
		add := func() {
			n++
			text := fmt.Sprintf(`{"id":"a%d","subject":"route"}`, n)
			want = append(want, text)
			if err := log.Append(t.Context(), []auditlog.Line{{Time: time.Now(), Text: []byte(text)}}); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			add()
		}
		source, err := File(folder)
		if err != nil {
			t.Fatal(err)
		}
		seen := followed(t, Follower{Source: source, Since: time.Now().Add(-time.Hour), Interval: time.Second, Now: time.Now})
		check := func() {
			t.Helper()
			texts := slices.DeleteFunc(slices.Clone(seen()), func(text string) bool { return strings.Contains(text, `"segment"`) })
			if diff := cmp.Diff(want, texts); diff != "" {
				t.Errorf("lines (-want +seen):\n%s", diff)
			}
		}
		check()
		for range 3 {
			add()
			add()
			check()
		}
		if err := os.Truncate(filepath.Join(folder, "audit.jsonl"), 0); err != nil {
			t.Fatal(err)
		}
		seen()
		add()
		check()
	})
}
