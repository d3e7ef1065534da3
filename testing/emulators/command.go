//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

const (
	region    = "us-east-1"
	accountID = "000000000000"
	// signalled is what shells add to a signal's number to make an exit code of it.
	signalled = 128
	// parentInterval is how often we look whether our parent is still there.
	parentInterval = time.Second
)

// errOrphaned says that the process that started this program has ended before it.
var errOrphaned = errors.New("the program that started this one has ended")

// environment is what the command gets besides what we have: where the emulators are, and credentials that no account
// knows. Secrets Manager, CloudWatch Logs and S3 are all at RELAY_TEST_MOTO_URL.
func environment(running []*server) []string {
	variables := []string{
		"AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_EC2_METADATA_DISABLED=true",
	}
	for _, s := range running {
		variables = append(variables, s.emulator.variable+"="+s.url)
	}
	return variables
}

// withoutAWS drops what would lead a test to a real account (a profile, a session token, an endpoint) and what an outer
// run of this program has set.
func withoutAWS(variables []string) []string {
	var kept []string
	for _, variable := range variables {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "RELAY_TEST_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// runCommand runs the command on our own standard streams and returns its exit code, 128 + n after signal n.
// An error means that it could not be run or was interrupted.
func runCommand(ctx context.Context, args, variables []string) (int, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running what the user typed is the purpose
	cmd.Env = append(withoutAWS(cmd.Environ()), variables...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	in := ownGroup
	if term.IsTerminal(int(os.Stdin.Fd())) {
		in = ourGroup
	}
	p, err := start(cmd, in)
	if err != nil {
		return exitFailed, fmt.Errorf("start the command: %w", err)
	}
	err = p.wait()
	if ctx.Err() != nil {
		return exitFailed, fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitDone, nil
	case !errors.As(err, &exit):
		return exitFailed, fmt.Errorf("run the command: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return signalled + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// watchParent cancels when our parent is gone. go run, and make above it, end on SIGTERM without a word to the program
// they run: without this, it would go on alone.
func watchParent(ctx context.Context, parent func() int, cancel context.CancelCauseFunc) {
	first := parent()
	ticker := time.NewTicker(parentInterval)
	defer ticker.Stop()
	for parent() == first {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
	cancel(errOrphaned)
}
