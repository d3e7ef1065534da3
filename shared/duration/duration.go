// Package duration reads and writes durations as people write them: 90s, 4h, 1h30m or 15d. Settings, flags, routes and messages all
// use it. It does not know dates: a day is 24 hours.
package duration

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Day is 24 hours.
const Day = 24 * time.Hour

// Parse reads a duration such as "90s" or "4h", see [time.ParseDuration], or one that begins with days: "3d", "1d12h". The error
// quotes text.
func Parse(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	d := time.Duration(n) * Day
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || d+more < d {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	return d + more, nil
}

// Text writes d as people do: 2 days and more as "2d" if they are whole days, and anything else as [InHours] does.
func Text(d time.Duration) string {
	if d >= 2*Day && d%Day == 0 {
		return fmt.Sprintf("%dd", d/Day)
	}
	return InHours(d)
}

// InHours writes d without days, and shorter than [time.Duration.String]: "4h", not "4h0m0s". Tables and files contain durations in
// this form, which other programs read, too.
func InHours(d time.Duration) string {
	text := d.String()
	if short, found := strings.CutSuffix(text, "m0s"); found {
		text = short + "m"
	}
	if short, found := strings.CutSuffix(text, "h0m"); found {
		text = short + "h"
	}
	return text
}
