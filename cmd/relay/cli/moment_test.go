package cli

import (
	"testing"
	"time"
)

func TestReadMoment(t *testing.T) {
	pacific := time.FixedZone("PST", -8*3600)
	now := time.Date(2026, 11, 28, 9, 30, 15, 0, pacific)
	for text, want := range map[string]time.Time{
		"":                          {},
		"now":                       now,
		"0s":                        now,
		"2h":                        time.Date(2026, 11, 28, 7, 30, 15, 0, pacific),
		"1d":                        time.Date(2026, 11, 27, 9, 30, 15, 0, pacific),
		"1d12h":                     time.Date(2026, 11, 26, 21, 30, 15, 0, pacific),
		"today":                     time.Date(2026, 11, 28, 0, 0, 0, 0, pacific),
		"Yesterday":                 time.Date(2026, 11, 27, 0, 0, 0, 0, pacific),
		"2026-11-24":                time.Date(2026, 11, 24, 0, 0, 0, 0, pacific),
		"2026-11-24T08:00":          time.Date(2026, 11, 24, 8, 0, 0, 0, pacific),
		"2026-11-24 08:00":          time.Date(2026, 11, 24, 8, 0, 0, 0, pacific),
		"2026-11-24T08:00Z":         time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC),
		"2026-11-24T08:00-05:00":    time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC),
		"2026-11-24T08:00:01":       time.Date(2026, 11, 24, 8, 0, 1, 0, pacific),
		"2026-11-24T08:00:01+01:00": time.Date(2026, 11, 24, 7, 0, 1, 0, time.UTC),
	} {
		if got, err := ReadMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"saturday", "-2h", "2", "24.11.2026", "2026-13-01", "08:00", "d"} {
		if got, err := ReadMoment(text, now); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}
