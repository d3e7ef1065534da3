package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"quickdumpnow.com/smsrelay/shared/nearest"
)

// The exit codes.
const (
	ExitDone   = 0
	ExitFailed = 1
	ExitUsage  = 2
	ExitFound  = 3
)

// UsageError is a mistake in the call, not in the work.
type UsageError struct{ error }

// Usage says that err is a mistake in the call.
func Usage(err error) error { return UsageError{err} }

// foundError is a problem that a command looked for and found.
type foundError struct{ error }

// Unwrap returns what was found.
func (e foundError) Unwrap() error { return e.error }

// Found says that err is a problem the command looked for.
func Found(err error) error { return foundError{err} }

// HintedError is an error with a hint.
type HintedError struct {
	Err  error
	Hint string
}

// Hinted adds a hint to err.
func Hinted(err error, hint string) error { return HintedError{err, hint} }

// Error returns the error's text, without the hint.
func (e HintedError) Error() string { return e.Err.Error() }

// Unwrap returns the error without its hint.
func (e HintedError) Unwrap() error { return e.Err }

// Interrupted returns the error of a command that was interrupted.
func Interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return Hinted(errors.New("interrupted"), "the rest is unchanged; run the same command again to continue")
	}
	return err
}

// NotAmong refuses a name that is not one of the known ones.
func NotAmong(what, name string, known []string) error {
	return Hinted(Usage(fmt.Errorf("%q is not a known %s%s", name, what, nearest.Question(name, known))),
		"known are "+strings.Join(known, ", "))
}

// WithHint adds a hint to an error that has none.
func WithHint(err error, hint string) error {
	if _, ok := errors.AsType[HintedError](err); ok || err == nil {
		return err
	}
	return Hinted(err, hint)
}
