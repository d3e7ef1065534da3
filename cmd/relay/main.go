// Command relay is the relay's one program for people: it runs the relay on one host, shows it at work, and stands in
// for Twilio in trials. The Lambda functions are programs of their own under functions/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/shared/inert"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitFound  = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := program{stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv}
	code := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is the command line with what it touches of the world.
type program struct {
	stdout, stderr io.Writer
	// lookup finds environment variables.
	lookup func(name string) (string, bool)
}

// usageError is a mistake in the call, not in the work.
type usageError struct{ error }

// foundError is what a command looked for and hoped not to find.
type foundError struct{ error }

// hintedError is an error with advice.
type hintedError struct {
	error
	hint string
}

// Unwrap returns the error without its advice.
func (e hintedError) Unwrap() error { return e.error }

// run executes one command line and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	stdout, stderr := inert.NewWriter(p.stdout), inert.NewWriter(p.stderr)
	defer func() { _, _ = stdout.Close(), stderr.Close() }()
	p.stdout, p.stderr = stdout, stderr
	root := p.root()
	root.SetArgs(args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(p.stderr, "relay: %s\n", errorText(err))
	if hinted, ok := errors.AsType[hintedError](err); ok {
		fmt.Fprintf(p.stderr, "  hint: %s\n", hinted.hint)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(p.stderr, "  hint: %s --help shows how it is used\n", called.CommandPath())
		return exitUsage
	}
	if _, ok := errors.AsType[foundError](err); ok {
		return exitFound
	}
	return exitFailed
}

func (p program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "relay",
		Short: "Relay texts from a Twilio number to the phone on duty",
		Long: `relay passes the texts that customers send to a Twilio number on to the phone of whoever serves it.

Begin with "relay demo", which shows the whole way of a text and needs no account.`,
		Version:                    telemetry.ReadBuild().String(),
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(p.doctorCommand(), p.numberCommand(p.numberCheckCommand()), p.canaryCommand(frontDoorFinder{addExam, p.frontDoor}))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(p.sendCommand(), p.statusCommand(), p.tailCommand(), p.dlqCommand(), p.uncertainCommand(), p.resendCommand(), p.sweepCommand())
	root.AddCommand(p.serveCommand(), p.demoCommand(), p.explainCommand(), p.routeCommand(), p.auditCommand(), p.fakeTwilioCommand(), p.benchCommand(), p.versionCommand())
	return root
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q%s", args[0], didYouMean(cmd.SuggestionsFor(args[0])))}
	}
	return nil
}

func didYouMean(suggestions []string) string {
	if len(suggestions) == 0 {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", suggestions[0])
}

// noArguments refuses arguments as a mistake in the call.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
