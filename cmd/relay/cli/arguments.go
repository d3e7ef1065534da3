package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// OneSID wants one argument.
func OneSID(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return Usage(errors.New("which text? Name its SID"))
	case len(args) > 1:
		return Usage(fmt.Errorf("name only one text: unexpected argument %q", args[1]))
	}
	return nil
}

// UnknownCommand refuses a command that does not exist, and suggests the nearest.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usage(fmt.Errorf("unknown command %q%s", args[0], DidYouMean(cmd.SuggestionsFor(args[0]))))
	}
	return nil
}

// DidYouMean words the first of the suggestions; it is empty if there is no suggestion.
func DidYouMean(suggestions []string) string {
	if len(suggestions) == 0 {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", suggestions[0])
}

// NoArguments refuses arguments as a mistake in the call.
func NoArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usage(fmt.Errorf("unexpected argument %q", args[0]))
	}
	return nil
}

// OneNumber wants one argument.
func OneNumber(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return Hinted(Usage(fmt.Errorf("name one number: there are %d arguments", len(args))), "put quotes around a number that contains spaces")
	}
	return nil
}
