package main

import (
	"fmt"
	"time"
)

// moment is a flag's time: how long ago, or when.
type moment struct{ at time.Time }

// String returns the time.
func (m *moment) String() string {
	if m.at.IsZero() {
		return ""
	}
	return m.at.Format(time.RFC3339)
}

// Type is what help shows.
func (m *moment) Type() string { return "time" }

// Set reads the time.
func (m *moment) Set(text string) (err error) {
	m.at, err = readMoment(text, time.Now())
	return err
}

// readMoment reads a time, or how long ago it was. No text is no time.
func readMoment(text string, now time.Time) (time.Time, error) {
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
