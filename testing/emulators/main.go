//go:build linux || darwin

// Command emulators runs a command, such as go test, with local stand-ins for the AWS services that the relay uses:
// Amazon's DynamoDB Local, ElasticMQ for SQS, and moto for CloudWatch Logs, Secrets Manager and S3.
//
//	go run ./testing/emulators -- go test ./shared/aws/dynamo ./shared/aws/sqs
//
// It installs them once into a cache, starts them in memory on free loopback ports, tells the command where they are by
// environment variables (see environment), passes the command's exit code on, and stops whatever it started.
//
// It is a tool for tests. It is not a way to run the relay (relay serve needs no emulator), it speaks to no AWS account,
// and nothing in it is deployed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes besides the command's own.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A second signal, for someone in a hurry, ends this process at once; on Linux the kernel then ends the children.
	context.AfterFunc(ctx, release)
	ctx, cancel := context.WithCancelCause(ctx)
	go watchParent(ctx, os.Getppid, cancel)
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// run is main without the process around it: it returns the exit code. Nothing of what it started is left when it returns.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	opts, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err != nil {
		say(stderr, "%v (-help explains)", err)
		return exitUsage
	}
	code, err := runBeside(ctx, opts, stderr)
	if err != nil {
		say(stderr, "%v", err)
	}
	return code
}

// runBeside installs and starts the chosen emulators, runs the command and stops everything, a panic included.
func runBeside(ctx context.Context, opts options, stderr io.Writer) (int, error) {
	folders, err := installAll(ctx, opts, stderr)
	if err != nil {
		return exitFailed, err
	}
	if opts.installOnly {
		return exitDone, nil
	}
	running, err := startAll(ctx, opts, folders, stderr)
	defer stopAll(running)
	if err != nil {
		return exitFailed, err
	}
	code, err := runCommand(ctx, opts.command, environment(running))
	if err != nil {
		return exitFailed, err
	}
	if err := errors.Join(deaths(running)...); err != nil {
		return max(code, exitFailed), err
	}
	return code, nil
}

// deaths names the emulators that ended while the command ran: whatever the command says is then not to be trusted.
func deaths(running []*server) []error {
	var dead []error
	for _, s := range running {
		if s.process.ended() {
			dead = append(dead, fmt.Errorf("%s ended while the command ran (%w); its last output:\n%s",
				s.emulator.product, s.process.reason(), s.output.tail()))
		}
	}
	return dead
}

// say prints one line for the person at the terminal. Where that fails, there is nobody left to tell.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "emulators: "+format+"\n", args...)
}
