package jsonlines

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// segmented is a log whose clock, and what it tells, are the test's.
type segmented struct {
	*Log

	t    *testing.T
	path string
	now  time.Time
	told []string
	n    int
}

func newSegmented(t *testing.T, maxSize int64) *segmented {
	t.Helper()
	s := &segmented{t: t, path: filepath.Join(t.TempDir(), "audit.jsonl"), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	s.open(maxSize)
	return s
}

func (s *segmented) open(maxSize int64) {
	s.t.Helper()
	var err error
	s.Log, err = Open(s.path,
		Config{MaxSize: maxSize, Now: func() time.Time { return s.now }, Lost: func(what string) { s.told = append(s.told, what) }})
	if err != nil {
		s.t.Fatal(err)
	}
	log := s.Log
	s.t.Cleanup(func() { _ = log.Close() })
}

// add appends the next entry.
func (s *segmented) add() {
	s.t.Helper()
	s.n++
	text := fmt.Sprintf(`{"id":"route:***0100.%d@1","time":%q,"subject":"route","change":"changed","version":%d}`, s.n,
		s.now.Format(time.RFC3339), s.n)
	if err := s.Append(s.t.Context(), []auditlog.Line{{Time: s.now, Text: []byte(text)}}); err != nil {
		s.t.Fatal(err)
	}
}

// files lists the log's files.
func (s *segmented) files() string {
	s.t.Helper()
	names, err := os.ReadDir(filepath.Dir(s.path))
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		all = append(all, name.Name())
	}
	return strings.Join(all, " ")
}

// verified reads all segments, and returns how many entries of routes there are and what is wrong.
func (s *segmented) verified() (entries int, problems string) {
	s.t.Helper()
	v := auditlog.NewVerifier(auditlog.Options{})
	number := int64(0)
	err := EachSegment(s.path, func(segment Segment, lines *Scanner, sum func() string) error {
		if number++; segment.Number > 0 {
			number = segment.Number
		}
		err := read(lines, func(line auditlog.Line) error {
			if begins, ok := auditlog.Begins(line); ok && segment.Number == 0 {
				number = begins
			}
			if bytes.Contains(line.Text, []byte(`"route"`)) {
				entries++
			}
			v.Add(line)
			return nil
		})
		v.Segment(number, sum())
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var found []string
	for _, f := range v.Report().Findings {
		found = append(found, f.Kind+" "+f.Detail)
	}
	return entries, strings.Join(found, "; ")
}

// holds wants the log whole, and so many entries in it.
func (s *segmented) holds(entries int, problems string) {
	s.t.Helper()
	if got, found := s.verified(); got != entries || !strings.Contains(found, problems) || (problems == "" && found != "") {
		s.t.Errorf("%d entries, want %d; found %q, want %q; files %s", got, entries, found, problems, s.files())
	}
}

func TestSegmentsBySizeAndMonth(t *testing.T) {
	s := newSegmented(t, 300)
	for range 3 {
		s.add()
	}
	if got := s.files(); got != "audit-000001-2026-11.jsonl audit.jsonl" {
		t.Errorf("files %s", got)
	}
	s.now = s.now.AddDate(0, 1, 0)
	s.add()
	if got := s.files(); got != "audit-000001-2026-11.jsonl audit-000002-2026-11.jsonl audit.jsonl" {
		t.Errorf("files %s", got)
	}
	s.holds(4, "")
	// A clock that goes back ends no segment, and a restart goes on where the log was.
	s.now = s.now.AddDate(0, -2, 0)
	_ = s.Close()
	s.open(10_000)
	s.add()
	s.holds(5, "")
	if got := s.files(); got != "audit-000001-2026-11.jsonl audit-000002-2026-11.jsonl audit.jsonl" || len(s.told) > 0 {
		t.Errorf("files %s, told %q", got, s.told)
	}
	for name, change := range map[string]func(path string) error{
		"segment 1 is not as it was": func(path string) error {
			text, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, bytes.Replace(text, []byte("changed"), []byte("created"), 1), 0o600))
		},
		"segment 1 is missing": os.Remove,
	} {
		path := filepath.Join(filepath.Dir(s.path), "audit-000001-2026-11.jsonl")
		before, err := os.ReadFile(path)
		if err := errors.Join(err, change(path)); err != nil {
			t.Fatal(err)
		}
		if _, problems := s.verified(); !strings.Contains(problems, name) {
			t.Errorf("want %q, found %q", name, problems)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.holds(5, "")
}

// TestSegmentsMayBeCompressed once they are closed.
func TestSegmentsMayBeCompressed(t *testing.T) {
	s := newSegmented(t, 200)
	for range 3 {
		s.add()
	}
	path := filepath.Join(filepath.Dir(s.path), "audit-000001-2026-11.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), os.WriteFile(path+".gz", packed.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	s.holds(3, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.holds(3, "")
	s.add()
	s.holds(4, "")
}

// TestFirstSegmentIsWhatWasThere before there were segments.
func TestFirstSegmentIsWhatWasThere(t *testing.T) {
	s := newSegmented(t, 10_000)
	s.now = time.Date(2025, 1, 5, 12, 0, 0, 0, time.UTC)
	s.add()
	_ = s.Close()
	s.now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s.open(10_000)
	s.add()
	if got := s.files(); got != "audit-000001-2025-01.jsonl audit.jsonl" {
		t.Errorf("files %s", got)
	}
	s.holds(2, "")
}

// TestFileLostWhileTheLogIsOpen: it is told, nothing is written into a hole or into a file without a name, and the log goes on.
func TestFileLostWhileTheLogIsOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		lose     func(path string) error
		told     string
		entries  int
		problems string
	}{
		"cut in place": {func(path string) error { return os.Truncate(path, 0) }, "it was cut from", 1, "segment 1 was cut while the relay ran"},
		"cut in part": {
			func(path string) error { return os.Truncate(path, 150) }, "it was cut from", 2,
			"segment 1 was cut while the relay ran",
		},
		"moved away": {func(path string) error { return os.Rename(path, path+".1") }, "moved away or removed", 1, "segment 1 is missing"},
		"removed":    {os.Remove, "moved away or removed", 1, "segment 1 is missing"},
		"rotated": {func(path string) error {
			return errors.Join(os.Rename(path, path+".1"), os.WriteFile(path, nil, 0o600))
		}, "another file is in its place", 1, "segment 1 is missing"},
		"written to": {
			func(path string) error { return appendTo(path, "{\"forged\":true}\n") }, "written to it by someone else", 3,
			"the line is not an entry",
		},
		"begun by hand": {
			func(path string) error { return errors.Join(os.Remove(path), appendTo(path, "nonsense\n")) },
			"another file is in its place", 1,
			"segment 1 is missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, idle := range []bool{false, true} {
				s := newSegmented(t, 10_000)
				s.add()
				s.add()
				if err := tt.lose(s.path); err != nil {
					t.Fatal(err)
				}
				if idle {
					// Nothing is appended, and it is noticed all the same.
					if err := s.Check(); err != nil || len(s.told) != 1 {
						t.Errorf("Check: error %v, told %q", err, s.told)
					}
				}
				s.add()
				if len(s.told) != 1 || !strings.Contains(s.told[0], tt.told) {
					t.Errorf("told %q", s.told)
				}
				text, err := os.ReadFile(s.path)
				if err != nil || bytes.ContainsRune(text, 0) || !bytes.HasSuffix(text, []byte("}\n")) {
					t.Errorf("the file holds %q, error %v", text, err)
				}
				if _, problems := s.allProblems(); !strings.Contains(problems, tt.problems) {
					t.Errorf("found %q, want %q", problems, tt.problems)
				}
				if trouble, err := Trouble(s.path); err != nil || (len(trouble) == 0) != (name == "written to") {
					t.Errorf("trouble %q, error %v", trouble, err)
				}
				s.add()
				if len(s.told) != 1 {
					t.Errorf("told again: %q", s.told)
				}
			}
		})
	}
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// allProblems is verified of a log that may hold anything.
func (s *segmented) allProblems() (entries int, problems string) {
	v := auditlog.NewVerifier(auditlog.Options{})
	number := int64(0)
	_ = EachSegment(s.path, func(segment Segment, lines *Scanner, sum func() string) error {
		if number++; segment.Number > 0 {
			number = segment.Number
		}
		for {
			line, err := lines.Next()
			if errors.Is(err, io.EOF) {
				v.Segment(number, sum())
				return nil
			}
			if err != nil {
				return err
			}
			if begins, ok := auditlog.Begins(line); ok && segment.Number == 0 {
				number = begins
			}
			v.Add(line)
			entries++
		}
	})
	for _, f := range v.Report().Findings {
		problems += f.Kind + " " + f.Detail + "; "
	}
	return entries, problems
}

// TestMovedFileComesBack under the name that was told, and verifies.
func TestMovedFileComesBack(t *testing.T) {
	s := newSegmented(t, 10_000)
	s.add()
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(s.path, away); err != nil {
		t.Fatal(err)
	}
	s.add()
	s.holds(1, "segment 1 is missing")
	if !strings.Contains(s.told[0], "audit-000001-2026-11.jsonl") {
		t.Errorf("told %q", s.told)
	}
	if err := os.Rename(away, filepath.Join(filepath.Dir(s.path), "audit-000001-2026-11.jsonl")); err != nil {
		t.Fatal(err)
	}
	s.holds(2, "")
}

// TestExpire removes one segment at a time, says so in the log, and believes no clock alone.
func TestExpire(t *testing.T) {
	s := newSegmented(t, 10_000)
	const keep = 40 * 24 * time.Hour
	for range 4 {
		s.add()
		s.now = s.now.AddDate(0, 1, 0)
	}
	wants := func(want string) {
		t.Helper()
		if removed, err := s.Expire(keep); err != nil || filepath.Base(removed) != want {
			t.Errorf("removed %q, error %v, want %q", removed, err, want)
		}
	}
	right := s.now
	s.now = s.now.AddDate(2, 0, 0)
	wants("audit-000001-2026-11.jsonl")
	s.holds(3, "")
	wants(".") // The latest entry is of February, and what ended in January is not old yet.
	s.now = right
	s.holds(3, "")
	begins, err := Begins(s.path)
	if err != nil || begins.Format("2006-01") != "2026-12" {
		t.Errorf("begins %v, error %v", begins, err)
	}
}
