package cli

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// durationFlag is a flag's duration, which may be in days.
type durationFlag time.Duration

// String returns the duration as people write it.
func (d *durationFlag) String() string { return duration.Text(time.Duration(*d)) }

// Type is what help shows.
func (d *durationFlag) Type() string { return "duration" }

// Set reads the duration.
func (d *durationFlag) Set(text string) error {
	read, err := duration.Parse(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 4h or 3d", text)
	}
	*d = durationFlag(read)
	return nil
}

// DurationVar makes a flag that reads a duration as people write it.
func DurationVar(flags *pflag.FlagSet, target *time.Duration, name string, fallback time.Duration, usage string) {
	*target = fallback
	flags.Var((*durationFlag)(target), name, usage)
}
