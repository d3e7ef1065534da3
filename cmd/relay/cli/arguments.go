package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/shared/nearest"
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

// UnknownCommand refuses an unknown command and suggests the nearest known ones.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return UnknownName("command", args[0], cmd)
	}
	return nil
}

// UnknownName refuses the name of a command below cmd that there is not, and suggests the nearest.
func UnknownName(what, name string, cmd *cobra.Command) error {
	return Usage(fmt.Errorf("unknown %s %q%s", what, name, nearest.Question(name, commandNames(cmd))))
}

// commandNames lists the commands below cmd.
func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

// FlagError refuses a flag that the command does not have and suggests the nearest.
func FlagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return Usage(err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	question := ""
	if len(unknown.GetSpecifiedName()) > 1 {
		question = nearest.Question("--"+unknown.GetSpecifiedName(), names)
	}
	return Usage(fmt.Errorf("%w%s", err, question))
}

// Exclusive refuses two flags that exclude each other.
func Exclusive(flags *pflag.FlagSet, one, other string) error {
	if flags.Changed(one) && flags.Changed(other) {
		return Usage(fmt.Errorf("--%s and --%s exclude each other: use only one of them", one, other))
	}
	return nil
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
