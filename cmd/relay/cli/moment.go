package cli

import (
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// MomentHelp is what a flag's help says of the times that it reads.
const MomentHelp = "a time such as 2026-11-24, 2026-11-24T08:00 or yesterday, or how long ago, such as 2h or 3d"

// Moment is a flag's time: how long ago, or when.
type Moment struct{ At time.Time }

// String returns the time.
func (m *Moment) String() string {
	if m.At.IsZero() {
		return ""
	}
	return m.At.Format(time.RFC3339)
}

// Type is what help shows.
func (m *Moment) Type() string { return "time" }

// Set reads the time.
func (m *Moment) Set(text string) (err error) {
	m.At, err = ReadMoment(text, time.Now())
	return err
}

// ReadMoment reads a time as people write it: how long before now (2h, 3d), a day (2026-11-24, today, yesterday; its beginning), or a
// time of day with or without a zone. What has no zone is in now's. No text is no time.
func ReadMoment(text string, now time.Time) (time.Time, error) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "":
		return time.Time{}, nil
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if ago, err := duration.Parse(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
		time.DateOnly,
	} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: want %s", text, MomentHelp)
}
