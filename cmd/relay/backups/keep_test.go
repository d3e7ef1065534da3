package backups

import (
	"slices"
	"testing"
	"time"
)

func TestKeep(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var names []string
	for hours := range 24 * 10 {
		names = append(names, nameAt(noon.Add(-time.Duration(hours)*time.Hour)))
	}
	names = append(names, "notes.txt", "sms-relay-lately.tar.gz")
	for text, want := range map[string]int{"": 240, "1": 1, "24,7d": 29, "7d": 7, "24": 24, "7d,24": 29, "1000,1d": 240} {
		k, err := ParseKeep(text)
		if err != nil {
			t.Fatal(err)
		}
		expired := k.expired(names, noon)
		if kept := 240 - len(expired); kept != want {
			t.Errorf("%q keeps %d, want %d", text, kept, want)
		}
		if slices.Contains(expired, names[0]) || slices.Contains(expired, "notes.txt") {
			t.Errorf("%q removes the newest, or what is not ours", text)
		}
	}
	k := Keep{Newest: 1, Days: 2}
	last := nameAt(time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC))
	if expired := k.expired(names, noon); slices.Contains(expired, last) || len(expired) != 238 {
		t.Errorf("the last backup of yesterday is not kept: %d are removed", len(expired))
	}
	for _, text := range []string{"0", "x", "24,", "7d,7d", "24,24", "-1", "d"} {
		if _, err := ParseKeep(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// A line that was being written is not part of the log yet.
func TestWholeLines(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "a": 0, "a\n": 2, "a\nb": 2, "a\nb\n": 4} {
		if got, err := wholeLines(bytesAt(text), int64(len(text))); err != nil || got != want {
			t.Errorf("%q has %d bytes of whole lines, error %v, want %d", text, got, err, want)
		}
	}
	long := make([]byte, 200<<10)
	long[5] = '\n'
	if got, err := wholeLines(bytesAt(long), int64(len(long))); err != nil || got != 6 {
		t.Errorf("%d, error %v", got, err)
	}
}

type bytesAt string

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) { return copy(p, b[off:]), nil }
