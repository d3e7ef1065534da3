package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The flags that many commands have in common. They are described once, in the root's help.
const (
	jsonFlag    = "json"
	noColorFlag = "no-color"
	// globally marks a flag as one of them; its value is one of the two below.
	globally    = "global"
	everyone    = "every command"
	whichTarget = "which relay"
)

func markGlobal(flags *pflag.FlagSet, name, kind string) {
	_ = flags.SetAnnotation(name, globally, []string{kind}) // it fails only for a flag that is not there.
}

func isGlobal(f *pflag.Flag) bool { return len(f.Annotations[globally]) > 0 }

func isTarget(f *pflag.Flag) bool {
	kinds := f.Annotations[globally]
	return len(kinds) > 0 && kinds[0] == whichTarget
}

// AddJSON makes the flag --json of a command; what is the JSON that it prints, such as "an array of routes".
func AddJSON(flags *pflag.FlagSet, asJSON *bool, what string) {
	flags.BoolVar(asJSON, jsonFlag, false, what)
	markGlobal(flags, jsonFlag, everyone)
}

// AddGlobal makes the flags that the root's help describes for all commands. They may also be written before the command.
func AddGlobal(root *cobra.Command) {
	root.PersistentFlags().Bool(jsonFlag, false, "print JSON, also of errors; the help of a command says what it holds")
	root.PersistentFlags().Bool(noColorFlag, false, "print no colours [NO_COLOR, CLICOLOR=0 and TERM=dumb do the same]")
	root.PersistentFlags().String(configFlag, "", "a file of settings, one NAME=value on each line (default: relay.env, else "+
		"/etc/sms-relay/relay.env, if it is there) ["+EnvConfig+"]")
	for _, name := range []string{jsonFlag, noColorFlag, configFlag} {
		markGlobal(root.PersistentFlags(), name, everyone)
	}
	root.Flags().BoolP("yes", "y", false, "make the change without a question, in the commands that change something")
	markGlobal(root.Flags(), "yes", everyone)
	AddTarget(root.Flags())
}

// AddQuiet makes the flag -q of a command that lists texts.
func AddQuiet(flags *pflag.FlagSet, quiet *bool) {
	flags.BoolVarP(quiet, "quiet", "q", false, "print only the SIDs, one per line")
}
