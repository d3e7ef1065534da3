// Package checkup is what an examination of a relay finds, as those who show it need it. It examines nothing: the checks are in package
// doctor.
package checkup

import (
	"context"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
)

// The statuses of a finding, from the best to the worst; see package doctor.
const (
	OK      = "ok"
	Skipped = "skipped"
	Warn    = "warn"
	Fail    = "fail"
)

// Finding is one check with what it found.
type Finding struct {
	// Name is the check's, as docs/runbook.md has it.
	Name, Status string
	// Found says what the check found, Why what goes wrong if it fails, and Fix what to do; empty if there is nothing to do.
	Found, Why, Fix string
}

// Examiner examines a relay that is open, with the settings of its flags and environment.
type Examiner func(ctx context.Context, flags *pflag.FlagSet, opened *target.Target) ([]Finding, error)
