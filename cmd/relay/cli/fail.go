package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// shownError is an error as JSON.
type shownError struct {
	Error    string `json:"error"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exit_code"`
}

// Fail says what went wrong with a command, with one hint, and returns the exit code.
func (p Program) Fail(called *cobra.Command, err error, asJSON bool) int {
	shown := shownError{Error: errorText(err), ExitCode: exitCode(err)}
	if hinted, ok := errors.AsType[HintedError](err); ok {
		shown.Hint = hinted.Hint
	} else if shown.ExitCode == ExitUsage {
		shown.Hint = called.CommandPath() + " --help shows how it is used"
	}
	if asJSON {
		// What cannot be written to the standard error cannot be said.
		_ = json.NewEncoder(p.Stderr).Encode(shown)
		return shown.ExitCode
	}
	fmt.Fprintf(p.Stderr, "relay: %s\n", shown.Error)
	if shown.Hint != "" {
		fmt.Fprintf(p.Stderr, "  hint: %s\n", shown.Hint)
	}
	return shown.ExitCode
}

// exitCode says which kind of error it is.
func exitCode(err error) int {
	if _, ok := errors.AsType[UsageError](err); ok {
		return ExitUsage
	}
	if _, ok := errors.AsType[foundError](err); ok {
		return ExitFound
	}
	return ExitFailed
}
