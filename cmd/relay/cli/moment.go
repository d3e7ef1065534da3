package cli

import (
	"fmt"
	"time"
)

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

// ReadMoment reads a time, or how long ago it was. No text is no time.
func ReadMoment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-11-24T08:00:00Z nor a duration such as 2h", text)
	}
	return at, nil
}
