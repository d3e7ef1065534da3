package cli

import (
	"fmt"
	"io"
	"time"
)

// When writes a time in a table: for people, how long ago it was if that is less than a day, and else the local time with its zone;
// elsewhere UTC as RFC 3339.
func When(out io.Writer, at time.Time) string {
	if !isTerminal(out) {
		return at.UTC().Format(time.RFC3339)
	}
	if ago := timeAgo(at, time.Now()); ago != "" {
		return ago
	}
	return at.Local().Format("2006-01-02 15:04 MST") //nolint:gosmopolitan // people read the clock on their wall.
}

// At writes a time to the second: for people the local time with its zone, and how long ago it was if that is
// less than a day; elsewhere UTC as RFC 3339.
func At(out io.Writer, at time.Time) string {
	if !isTerminal(out) {
		return at.UTC().Format(time.RFC3339)
	}
	text := at.Local().Format("2006-01-02 15:04:05 MST") //nolint:gosmopolitan // people read the clock on their wall.
	if ago := timeAgo(at, time.Now()); ago != "" {
		text += " (" + ago + ")"
	}
	return text
}

// Precisely writes when something changed: for people the second in their zone, elsewhere the millisecond in UTC.
func Precisely(out io.Writer, at time.Time) string {
	if !isTerminal(out) {
		return at.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return at.Local().Format("2006-01-02 15:04:05 MST") //nolint:gosmopolitan // people read the clock on their wall.
}

// Clock writes the time of day to the millisecond: for people in their zone, elsewhere in UTC.
func Clock(out io.Writer, at time.Time) string {
	if !isTerminal(out) {
		return at.UTC().Format("15:04:05.000")
	}
	return at.Local().Format("15:04:05.000") //nolint:gosmopolitan // people read the clock on their wall.
}

// timeAgo says how long before now a time is, "3 min ago"; it is empty if that is a day or more, or in the future.
func timeAgo(at, now time.Time) string {
	switch d := now.Sub(at); {
	case d < -time.Second, d >= 24*time.Hour:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
}
