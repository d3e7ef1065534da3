package cli

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// Consent is how a person allows a command to change something. The rule is the same for all commands: on a terminal a command shows
// what would change, and asks; --yes skips the question. Where nobody can be asked, commands that have --apply need it (or --yes), and
// the others change at once. --dry-run always shows what would change, and changes nothing.
type Consent struct {
	Apply, Yes, DryRun bool

	needsApply bool
}

// Add makes the flags. Apply is the help of --apply; empty is a command that has no such flag.
func (c *Consent) Add(flags *pflag.FlagSet, apply string) {
	if c.needsApply = apply != ""; c.needsApply {
		flags.BoolVar(&c.Apply, "apply", false, apply)
	}
	flags.BoolVar(&c.DryRun, "dry-run", false, "show what would change, and change nothing")
	flags.BoolVarP(&c.Yes, "yes", "y", false, "do not ask")
	markGlobal(flags, "yes", everyone)
}

// ErrNotConfirmed means that a person said no.
var ErrNotConfirmed = errors.New("nothing was changed")

// Given reports whether the flags allow the change without a question.
func (c Consent) Given() bool { return (c.Apply || c.Yes) && !c.DryRun }

// Mode is what a command does about a change.
type Mode int

// The modes.
const (
	// Show shows what would change.
	Show Mode = iota
	// Ask shows it, and then asks.
	Ask
	// Do makes the change.
	Do
)

// Mode says what to do. With JSON nobody is asked: programs read it.
func (p Program) Mode(cmd *cobra.Command, c Consent, asJSON bool) (Mode, error) {
	switch {
	case c.DryRun && (c.Apply || c.Yes):
		return Show, Usage(errors.New("--dry-run changes nothing: leave out --apply and --yes, or --dry-run"))
	case c.DryRun:
		return Show, nil
	case c.Given():
		return Do, nil
	case !asJSON && p.canAsk(cmd.InOrStdin()):
		return Ask, nil
	case c.needsApply:
		return Show, nil
	default:
		return Do, nil
	}
}

// canAsk reports whether a person sees questions and can answer them.
func (p Program) canAsk(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && isTerminal(p.Stdout) && isTerminal(p.Stderr)
}

// Confirmed asks a question that y answers with yes, and everything else with no.
func (p Program) Confirmed(cmd *cobra.Command, question string) bool {
	answer, _ := p.Ask(cmd, question+" [y/N]") // no answer is no.
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes"
}

// Reason asks why, unless the reason is there.
func (p Program) Reason(cmd *cobra.Command, because string) string {
	if strings.TrimSpace(because) == "" {
		because, _ = p.Ask(cmd, "Why? The reason is kept:") // no answer is no reason.
	}
	return because
}
