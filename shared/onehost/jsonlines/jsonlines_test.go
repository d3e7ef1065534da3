package jsonlines

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func open(tb testing.TB, path string) *Log {
	tb.Helper()
	// A segment is of one month: that of the lines.
	l, err := Open(path, Config{Now: noon})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

func readAll(t *testing.T, path string) []auditlog.Line {
	t.Helper()
	var lines []auditlog.Line
	err := Read(path, func(line auditlog.Line) error {
		line.Number = 0
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 123e6, time.UTC) }

func line(text string) auditlog.Line { return auditlog.Line{Time: noon(), Text: []byte(text)} }

func TestAuditLog(t *testing.T) {
	relaytest.TestAuditLog(t, func(t *testing.T) (auditlog.Log, func(*testing.T) []auditlog.Line) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "audit", "audit.jsonl")
		return open(t, path), func(t *testing.T) []auditlog.Line {
			t.Helper()
			return readAll(t, path)
		}
	})
}

func TestLinesOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	if err := l.Append(t.Context(), []auditlog.Line{line(`{"id":"a","to":"sent"}`), line(`{}`), line(`{ }`)}); err != nil {
		t.Fatal(err)
	}
	const want = `{"@timestamp":"2026-11-24T12:00:00.123Z","id":"a","to":"sent"}
{"@timestamp":"2026-11-24T12:00:00.123Z"}
{"@timestamp":"2026-11-24T12:00:00.123Z" }
`
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]auditlog.Line{line(`{"id":"a","to":"sent"}`), line(`{}`), line(`{ }`)}, readAll(t, path)); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "audit.jsonl")
	open(t, path)
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestOpenCutsATornLine(t *testing.T) {
	whole := `{"@timestamp":"2026-11-24T12:00:00.123Z","id":"a"}` + "\n"
	a := line(`{"id":"a"}`)
	for name, tt := range map[string]struct {
		tail string
		kept []auditlog.Line
	}{
		"nothing torn":               {"", []auditlog.Line{a}},
		"a line without its newline": {strings.TrimSuffix(whole, "\n"), []auditlog.Line{a, a}},
		"half a line":                {whole[:20], []auditlog.Line{a}},
		"half a time":                {whole[:25], []auditlog.Line{a}},
		"a hole":                     {string(make([]byte, 200_000)), []auditlog.Line{a}},
		"half a line, and a hole":    {whole[:30] + string(make([]byte, 100)), []auditlog.Line{a}},
		"a long half line":           {`{"` + strings.Repeat("x", 300_000), []auditlog.Line{a}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			if err := os.WriteFile(path, []byte(whole+tt.tail), 0o600); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.kept, readAll(t, path)); diff != "" {
				t.Errorf("read before it is cut (-want +got):\n%s", diff)
			}
			if err := open(t, path).Append(t.Context(), []auditlog.Line{line(`{"id":"b"}`)}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append(tt.kept, line(`{"id":"b"}`)), readAll(t, path)); diff != "" {
				t.Errorf("read after the next append (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppendRefusesWhatIsNoLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	for name, text := range map[string]string{
		"nothing": "", "no object": `"a"`, "no JSON": `{"a"`, "two objects": `{}{}`,
		"two lines": "{\"a\":\n1}", "a carriage return": "{\"a\":\r1}",
	} {
		err := l.Append(t.Context(), []auditlog.Line{line(`{"id":"good"}`), line(text)})
		incomplete, ok := errors.AsType[*auditlog.IncompleteError](err)
		if !ok || incomplete.Kept != 0 || fault.Of(err).Kind != fault.Permanent {
			t.Errorf("Append of %s: error %v, want a permanent *IncompleteError that kept nothing", name, err)
		}
	}
	if got := readAll(t, path); len(got) != 0 {
		t.Errorf("kept %v, want nothing", got)
	}
}

// An append that fails half-way leaves no torn line between two good ones.
func TestAppendAfterAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	if err := l.Append(t.Context(), []auditlog.Line{line(`{"id":"a"}`)}); err != nil {
		t.Fatal(err)
	}
	// This imitates a write that ended early, as on a full disk: this is what it leaves behind.
	if _, err := l.file.WriteAt([]byte(`{"@timestamp":"2026-`), l.size); err != nil {
		t.Fatal(err)
	}
	l.torn = true
	if err := l.Append(t.Context(), []auditlog.Line{line(`{"id":"b"}`)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]auditlog.Line{line(`{"id":"a"}`), line(`{"id":"b"}`)}, readAll(t, path)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// A file that is open for reading only refuses every write, as a broken disk does.
func TestAppendThatFailsIsTransient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	writable := l.file
	l.file = readOnly
	err = l.Append(t.Context(), []auditlog.Line{line(`{"id":"a"}`)})
	if _, ok := errors.AsType[*auditlog.IncompleteError](err); !ok || fault.Of(err).Kind != fault.Transient {
		t.Errorf("Append: error %v, want a transient *IncompleteError", err)
	}
	if err := readOnly.Close(); err != nil {
		t.Fatal(err)
	}
	l.file = writable
	if err := l.Append(t.Context(), []auditlog.Line{line(`{"id":"a"}`)}); err != nil {
		t.Errorf("Append when the disk is well again: %v", err)
	}
	if diff := cmp.Diff([]auditlog.Line{line(`{"id":"a"}`)}, readAll(t, path)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestAppendToAClosedLog(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "audit.jsonl"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), []auditlog.Line{line(`{}`)}); !errors.Is(err, errClosed) {
		t.Errorf("Append: error %v, want ErrClosed", err)
	}
}

func TestReadNamesTheLineItCannotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	const text = `{"@timestamp":"2026-11-24T12:00:00.123Z"}` + "\nnonsense\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Read(path, func(auditlog.Line) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("Read: error %v, want one that names line 2", err)
	}
}

func TestReadStopsAtTheVisitorsError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := open(t, path).Append(t.Context(), []auditlog.Line{line(`{}`), line(`{}`)}); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	visits := 0
	err := Read(path, func(auditlog.Line) error {
		visits++
		return enough
	})
	if !errors.Is(err, enough) || visits != 1 {
		t.Errorf("Read: error %v after %d visits, want the visitor's after 1", err, visits)
	}
}

// Whatever a crash left in the file, opening it keeps every complete line as it was and the next append is whole.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("{}\n{"))
	f.Add([]byte("\n\x00\x00\n\x00"))
	f.Fuzz(func(t *testing.T, before []byte) {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		added := line(`{"id":"a"}`)
		if err := open(t, path).Append(t.Context(), []auditlog.Line{added}); err != nil {
			t.Fatal(err)
		}
		encoded, err := encode([]auditlog.Line{added})
		if err != nil {
			t.Fatal(err)
		}
		kept := bytes.Clone(before[:bytes.LastIndexByte(before, '\n')+1])
		if _, err := decode(before[len(kept):]); err == nil {
			kept = append(bytes.Clone(before), '\n')
		}
		want := append(kept, encoded...)
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("file is %q, want %q", got, want)
		}
	})
}

// A text that the log accepts comes back byte for byte.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{`{}`, `{ }`, `{"a":1}`, `{"@timestamp":"x"}`, `{"a":"\u2028"} `, "{\t}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := encode([]auditlog.Line{line(text)})
		if err != nil {
			return
		}
		got, err := decode(bytes.TrimSuffix(encoded, []byte("\n")))
		if err != nil {
			t.Fatalf("decode of %q: %v", encoded, err)
		}
		if diff := cmp.Diff(line(text), got); diff != "" {
			t.Errorf("line (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	l := open(b, filepath.Join(b.TempDir(), "audit.jsonl"))
	lines := []auditlog.Line{line(`{"id":"SM00000000000000000000000000000001.3","subject":"message","change":"changed","version":3}`)}
	for b.Loop() {
		if err := l.Append(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
	}
}
