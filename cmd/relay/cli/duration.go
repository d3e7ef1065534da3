package cli

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/shared/route"
)

// day is 24 hours.
const day = 24 * time.Hour

// Written is a duration as people write it: 90s, 4h or 400d, not 9600h0m0s.
func Written(d time.Duration) string {
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return route.Duration(d).String()
}

// duration is a flag's duration, which may be in days.
type duration time.Duration

// String returns the duration as people write it.
func (d *duration) String() string { return Written(time.Duration(*d)) }

// Type is what help shows.
func (d *duration) Type() string { return "duration" }

// Set reads the duration.
func (d *duration) Set(text string) error {
	read, err := route.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 4h or 3d", text)
	}
	*d = duration(read)
	return nil
}

// DurationVar makes a flag that reads a duration as people write it.
func DurationVar(flags *pflag.FlagSet, target *time.Duration, name string, fallback time.Duration, usage string) {
	*target = fallback
	flags.Var((*duration)(target), name, usage)
}

// inHours writes a setting's duration without days, as the settings' reader wants it. What is no duration stays as it is: the reader
// says so.
func inHours(text string) string {
	if d, err := route.ParseDuration(text); err == nil {
		return time.Duration(d).String()
	}
	return text
}
