package console

import (
	"fmt"
	"time"
)

// when writes a time as people say it: how long ago it was or how long it will take, and from a day on in UTC.
func when(at, now time.Time) string {
	switch d := now.Sub(at); {
	case d >= 24*time.Hour || d <= -24*time.Hour:
		return exactly(at)
	case d >= 0:
		return spoken(d) + " ago"
	default:
		return "in " + spoken(-d)
	}
}

// exactly writes a time in UTC.
func exactly(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

// spoken writes a duration in its largest unit.
func spoken(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
}

// toTheSecond writes when something happened among other things that happened soon after another.
func toTheSecond(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
