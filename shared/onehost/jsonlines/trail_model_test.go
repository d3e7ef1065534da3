package jsonlines

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// grownLog is a log whose files a test writes itself.
type grownLog struct {
	*rapid.T

	path  string
	trail *Trail
	// number is that of the segment that was closed last, and written counts the lines.
	number  int64
	written int
}

// modelPart is smaller than a few lines.
const modelPart = 200

// TestTrailMissesNothing: what is remembered of the log never hides a text, whatever becomes of its files between the searches.
func TestTrailMissesNothing(t *testing.T) {
	folder := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		path := filepath.Join(folder, fmt.Sprint(runs), "audit.jsonl")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		l := &grownLog{T: t, path: path, trail: &Trail{path: path, most: searchBytes, part: modelPart}}
		t.Repeat(map[string]func(*rapid.T){
			"append": l.append, "cut": l.cut, "damage": l.damage, "close": l.closeSegment, "pack": l.pack, "remove": l.remove, "": l.find,
		})
	})
}

func (l *grownLog) write(path string, text []byte) {
	l.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		l.Fatal(err)
	}
}

func (l *grownLog) read(path string) []byte {
	l.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		l.Fatal(err)
	}
	return text
}

// append writes lines, with fields in any place, also such as no relay writes.
func (l *grownLog) append(t *rapid.T) {
	var text []byte
	for range rapid.IntRange(1, 20).Draw(t, "lines") {
		l.written++
		sid := fmt.Sprint("SM", rapid.IntRange(0, 5).Draw(t, "sid"))
		form := rapid.SampledFrom([]string{
			`{"id":"ID","message_sid":"SID","note":"NOTE"}`, `{"message_sid": "SID","id":"ID"}`,
			`{"id":"ID","attempt":{"message_sid":"SM9"},"message_sid":"SID"}`, `{"id":"ID","note":"\"message_sid\":\"SID\""}`,
			`{"id":"ID","note":"NOTENOTE","message_sid":"SID"}`,
		}).Draw(t, "form")
		note := strings.Repeat("x", rapid.SampledFrom([]int{0, 0, 100, 1000}).Draw(t, "note"))
		filled := strings.NewReplacer("SID", sid, "ID", fmt.Sprint(l.written), "NOTE", note)
		encoded, err := encode([]auditlog.Line{line(filled.Replace(form))})
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, encoded...)
	}
	if rapid.Bool().Draw(t, "torn") {
		text = append(text, `{"@timestamp":"20`...)
	}
	all := l.read(l.path)
	l.write(l.path, append(all[:bytes.LastIndexByte(all, '\n')+1], text...))
}

// cut takes lines off the end, as many as an append may have written in vain.
func (l *grownLog) cut(t *rapid.T) {
	all := l.read(l.path)
	end := len(all)
	for line := range rapid.IntRange(0, 3).Draw(t, "lines") {
		start := bytes.LastIndexByte(bytes.TrimSuffix(all[:end], []byte("\n")), '\n') + 1
		if len(all)-start > modelPart {
			break
		}
		t.Logf("line %d from the end is cut", line)
		end = start
	}
	if len(all) > 0 {
		l.write(l.path, all[:end])
	}
	if rapid.Bool().Draw(t, "more") {
		l.append(t)
	}
}

// damage takes more off than the relay ever does.
func (l *grownLog) damage(t *rapid.T) {
	all := l.read(l.path)
	if len(all) == 0 {
		t.Skip("there is nothing")
	}
	l.write(l.path, all[:rapid.IntRange(0, len(all)).Draw(t, "left")])
}

func (l *grownLog) closeSegment(t *rapid.T) {
	if len(l.read(l.path)) == 0 {
		t.Skip("there is none")
	}
	l.number++
	if err := os.Rename(l.path, closedPath(l.path, l.number, line("").Time)); err != nil {
		t.Fatal(err)
	}
}

// one returns one of the closed segments.
func (l *grownLog) one(t *rapid.T) string {
	closed, err := ClosedSegments(l.path)
	if err != nil {
		t.Fatal(err)
	}
	if len(closed) == 0 {
		t.Skip("there is none")
	}
	return closed[rapid.IntRange(0, len(closed)-1).Draw(t, "segment")].Path
}

func (l *grownLog) pack(t *rapid.T) {
	path := l.one(t)
	if strings.HasSuffix(path, ".gz") {
		t.Skip("it is packed")
	}
	var packed bytes.Buffer
	out := gzip.NewWriter(&packed)
	if _, err := out.Write(l.read(path)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	l.write(path+".gz", packed.Bytes())
	l.remover(t, path)
}

func (l *grownLog) remove(t *rapid.T) { l.remover(t, l.one(t)) }

func (*grownLog) remover(t *rapid.T, path string) {
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// find compares what the trail finds of each text with all that is there.
func (l *grownLog) find(t *rapid.T) {
	want := map[string][]string{}
	err := EachSegment(l.path, func(_ Segment, lines *Scanner, _ func() string) error {
		for {
			line, err := lines.Next()
			if err != nil {
				return nil //nolint:nilerr // it is the end.
			}
			var entry auditlog.Entry
			if json.Unmarshal(line.Text, &entry) == nil {
				want[entry.MessageSid] = append(want[entry.MessageSid], entry.ID)
			}
		}
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for n := range 6 {
		sid := fmt.Sprint("SM", n)
		entries, err := l.trail.Find(t.Context(), sid, time.Time{}, line("").Time)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, entry := range entries {
			got = append(got, entry.ID)
		}
		slices.Sort(got)
		slices.Sort(want[sid])
		if !slices.Equal(got, want[sid]) {
			t.Fatalf("entries %v of %s were found, want %v", got, sid, want[sid])
		}
	}
}
