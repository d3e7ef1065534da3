package jsonlines

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestTrail(t *testing.T) {
	relaytest.TestTrail(t, func(t *testing.T) (auditlog.Log, auditlog.Trail) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		return open(t, path), NewTrail(path)
	})
}

// found searches the file for the text SM1 and returns the ids of its entries.
func found(t *testing.T, trail *Trail) []string {
	t.Helper()
	entries, err := trail.Find(t.Context(), "SM1", line("").Time, line("").Time)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, entry := range entries {
		ids = append(ids, entry.ID)
	}
	return ids
}

// TestTrailIsBounded: only the log's end is searched, from the first line that begins in it.
func TestTrailIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	for i := range 4 {
		if err := l.Append(t.Context(), []auditlog.Line{line(fmt.Sprintf(`{"id":"%d","message_sid":"SM1"}`, i))}); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	one := info.Size() / 4
	for most, want := range map[int64]string{
		0: "[]", 1: "[]", one - 1: "[]", one: "[3]", one + 1: "[3]", 2*one - 1: "[3]", 2 * one: "[2 3]", 4*one - 1: "[1 2 3]",
		4 * one: "[0 1 2 3]", 9 * one: "[0 1 2 3]",
	} {
		for _, part := range []int64{1, one, partBytes} {
			trail := &Trail{path: path, most: most, part: part}
			for range 2 {
				if got := fmt.Sprint(found(t, trail)); got != want {
					t.Errorf("found %s in the last %d bytes, in parts of %d, want %s", got, most, part, want)
				}
			}
		}
	}
}

// TestTrailSearchesFurtherBack when what came later is gone.
func TestTrailSearchesFurtherBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var all [][]byte
	for i := range 6 {
		text, err := encode([]auditlog.Line{line(fmt.Sprintf(`{"id":"%d","message_sid":"SM1"}`, i))})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	closed := closedPath(path, 1, line("").Time)
	for name, text := range map[string][]byte{closed: bytes.Join(all[:4], nil), path: bytes.Join(all[4:], nil)} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trail := &Trail{path: path, most: int64(4 * len(all[0])), part: 1}
	if got := fmt.Sprint(found(t, trail)); got != "[4 5 2 3]" {
		t.Errorf("found %s", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(found(t, trail)); got != "[0 1 2 3]" {
		t.Errorf("found %s where there was less", got)
	}
}

// TestTrailRemembers what is where, also when the segment is closed and a search fails.
func TestTrailRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	for i := range 20 {
		if err := l.Append(t.Context(), []auditlog.Line{line(fmt.Sprintf(`{"id":"%d","message_sid":"SM%d"}`, i, i%2))}); err != nil {
			t.Fatal(err)
		}
	}
	trail := &Trail{path: path, most: searchBytes, part: 1}
	found(t, trail)
	if len(trail.known) != 1 {
		t.Fatalf("%d segments are remembered, want the one", len(trail.known))
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trail.Find(canceled, "SM1", time.Time{}, time.Now()); err == nil {
		t.Error("a search that was broken off found all")
	}
	before := maps.Clone(trail.known)
	if err := os.Rename(path, closedPath(path, 1, line("").Time)); err != nil {
		t.Fatal(err)
	}
	if got := found(t, trail); len(got) != 10 {
		t.Errorf("found %q in what was closed", got)
	}
	for head, p := range trail.known {
		if before[head] != p || len(p.all) != 20 {
			t.Errorf("the segment was read anew, in %d parts", len(p.all))
		}
	}
}

// TestTrailReadsLongLines: a line is read in pieces, and what says which text it is about may be in two of them.
func TestTrailReadsLongLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	for long := 65_536 - 100; long < 65_536; long++ {
		text, err := encode([]auditlog.Line{line(fmt.Sprintf(`{"id":"a","note":"%0*d","message_sid":"SM1"}`, long, 0)), line(`{}`)})
		if err == nil {
			err = os.WriteFile(closedPath(path, 1, line("").Time), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(found(t, NewTrail(path))); got != "[a]" {
			t.Errorf("found %s in a line of %d characters", got, len(text))
		}
	}
}

// TestTrailPassesOver what is no line of the log, and one that is being written; one that lacks its newline alone is a line.
func TestTrailPassesOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	whole, err := encode([]auditlog.Line{line(`{"id":"a","message_sid":"SM1"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("nonsense of SM1\n"+string(whole)), whole[:len(whole)-3]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(found(t, NewTrail(path))); got != "[a]" {
		t.Errorf("found %s, want [a]", got)
	}
}

func TestTrailWithoutItsLog(t *testing.T) {
	folder := t.TempDir()
	if got := found(t, NewTrail(filepath.Join(folder, "audit.jsonl"))); len(got) != 0 {
		t.Errorf("found %q in no log", got)
	}
	if _, err := NewTrail(folder).Find(t.Context(), "SM1", time.Time{}, time.Now()); fault.Of(err).Kind != fault.Transient {
		t.Errorf("search of a folder: error %v, want a transient one", err)
	}
}

// BenchmarkTrail finds a text in 256 MiB: the first of a process, and another.
func BenchmarkTrail(b *testing.B) {
	path := filepath.Join(b.TempDir(), "audit.jsonl")
	l := open(b, path)
	const texts = 120_000
	for first := 0; first < texts; first += 2000 {
		var lines []auditlog.Line
		for i := first; i < first+2000; i++ {
			for version := range 5 {
				lines = append(lines, line(fmt.Sprintf(`{"id":"%s.%d","subject":"message","change":"changed","version":%d,"message_sid":"%s",`+
					`"from":"sending","to":"sent","note":"%0250d"}`, relaytest.MessageSid(i), version, version, relaytest.MessageSid(i), i)))
			}
		}
		if err := l.Append(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
	}
	look := func(b *testing.B, trail *Trail, i int) {
		b.Helper()
		got, err := trail.Find(b.Context(), relaytest.MessageSid(i), time.Time{}, time.Now())
		if err != nil || len(got) != 5 {
			b.Fatalf("found %d entries of text %d, error %v", len(got), i, err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			look(b, NewTrail(path), 77_000)
		}
	})
	b.Run("again", func(b *testing.B) {
		trail := NewTrail(path)
		look(b, trail, 77_000)
		for i := 0; b.Loop(); i++ {
			look(b, trail, 77_000+i*997%40_000)
		}
	})
}
