package cli

import (
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// AheadHelp is what a flag's help says of the times that ReadAhead reads.
const AheadHelp = `a time such as 18:00, "Sat 22:30" or "2026-12-24 18:00", or how long from then, such as 2h`

// ReadAhead reads a time that is to come, as people write it: a time of day (the next one after now), with a day of the week (the next such
// day, today among them), with a date, with a zone, or how long after now. What has no zone is in now's. No text is now.
func ReadAhead(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.EqualFold(text, "now") {
		return now, nil
	}
	if ahead, err := duration.Parse(text); err == nil && ahead >= 0 {
		return now.Add(ahead), nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	day, clock, hasDay := strings.Cut(text, " ")
	if !hasDay {
		clock = text
	}
	shown, err := time.Parse("15:04", strings.TrimSpace(clock))
	for days := 0; err == nil && days < 8; days++ {
		at := time.Date(now.Year(), now.Month(), now.Day()+days, shown.Hour(), shown.Minute(), 0, 0, now.Location())
		isDay := !hasDay || strings.EqualFold(day, at.Weekday().String()) || strings.EqualFold(day, at.Weekday().String()[:3])
		if isDay && at.After(now) {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: want %s", text, AheadHelp)
}
