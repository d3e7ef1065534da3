package jsonlines

import (
	"fmt"
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
		if got := fmt.Sprint(found(t, &Trail{path: path, most: most})); got != want {
			t.Errorf("found %s in the last %d bytes, want %s", got, most, want)
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

func BenchmarkTrail(b *testing.B) {
	path := filepath.Join(b.TempDir(), "audit.jsonl")
	l := open(b, path)
	lines := make([]auditlog.Line, 10_000)
	for i := range lines {
		lines[i] = line(fmt.Sprintf(`{"id":"SM%032x.3","subject":"message","change":"changed","version":3,"message_sid":"SM%032x",`+
			`"from":"sending","to":"sent"}`, i, i))
	}
	for range 10 {
		if err := l.Append(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if _, err := NewTrail(path).Find(b.Context(), relaytest.MessageSid(77), time.Time{}, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
