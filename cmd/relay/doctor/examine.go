package doctor

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
)

// deadline is how long one check may take, parallel how many run at once, if nobody says otherwise.
const (
	deadline = 15 * time.Second
	parallel = 8
)

// Examine says how a program that has opened a relay examines it, as relay doctor does. The relay stays open.
func Examine(base cli.Program) checkup.Examiner {
	return func(ctx context.Context, flags *pflag.FlagSet, opened *target.Target) ([]checkup.Finding, error) {
		relay, _, err := program{base}.inputsOf(ctx, flags, func() (*target.Target, error) { return opened, nil })
		if err != nil {
			return nil, err
		}
		var found []checkup.Finding
		for _, r := range examine(ctx, relay, options{Deadline: deadline, Parallel: parallel}) {
			found = append(found, checkup.Finding{Name: r.Name, Status: string(r.Status), Found: r.Found, Why: r.Why, Fix: r.Fix})
		}
		return found, nil
	}
}
