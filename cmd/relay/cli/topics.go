package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/shared/nearest"
)

// AllSettings lists every setting that a command reads, each once; more are those that only one command knows.
func AllSettings(more []Setting) []Setting {
	all := slices.Concat(ServeSettings(), TargetSettings(), RemoteSettings(), more, []Setting{
		{Env: EnvOperator, Help: "your name, which is kept with what you change (default: the user name on this host)"},
		{Env: EnvConfig, Help: "a file of settings, one NAME=value on each line; the environment goes before it (default: relay.env, else " +
			"/etc/sms-relay/relay.env, if it is there)"},
	})
	var once []Setting
	for _, s := range all {
		if !slices.ContainsFunc(once, func(o Setting) bool { return o.Env == s.Env }) {
			once = append(once, s)
		}
	}
	return once
}

// Topics returns the pages of `relay help TOPIC`.
func Topics(more []Setting) []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "The environment variables that relay reads", Long: environmentPage(AllSettings(more))},
		{Use: "exit-codes", Short: "What the exit code says", Long: exitCodesPage},
		{Use: "numbers", Short: "How to write phone numbers", Long: numbersPage},
	}
}

const exitCodesPage = `The exit code says how a command ended:

  0  done
  1  failed
  2  wrong usage: nothing was done
  3  found a problem (doctor, number check, route check, audit verify, canary)

With --json, the error is an object on the standard error: {"error": …, "hint": …, "exit_code": …}.`

const numbersPage = `You may write phone numbers as usual: "(858) 555-0100", 858-555-0100, "+1 858 555 0100" or +18585550100. Put
quotes around a number that contains spaces.

A number without a country code belongs to the country in --country, which is US unless you say otherwise. Commands that list texts also
read a short code (12345), an address of another channel (whatsapp:+18585550100) and a sender's name.

relay refuses a number that does not have the digits of its country's numbers; route set --force accepts it. Logs and the audit log
show only the last digits of a number, such as ***0100.`

// environmentPage lists the variables, each with its flag.
func environmentPage(all []Setting) string {
	var page strings.Builder
	page.WriteString("Every setting is an environment variable and, in the commands that need it, a flag. A flag wins.\n" +
		"Write durations as 500ms, 90s, 4h, 1h30m or 15d.\n")
	for _, s := range all {
		flag := ", --" + s.Flag()
		if s.Env == EnvOperator {
			flag = ""
		}
		fmt.Fprintf(&page, "\n  %s%s\n", s.Env, flag)
		text := s.Help
		if s.Fallback != "" {
			text += " (default " + s.Fallback + ")"
		}
		page.WriteString("      " + strings.Join(Wrap(text, defaultWidth-6), "\n      ") + "\n")
	}
	page.WriteString("\nHow relay shows what it prints:\n\n" +
		"  NO_COLOR, CLICOLOR=0, TERM=dumb   print no colours, as --no-color does\n" +
		"  CLICOLOR_FORCE=1                  print colours also where nobody looks\n" +
		"  COLUMNS                           how wide the terminal is\n" +
		"  TZ                                the time zone of times on a terminal\n")
	return page.String()
}

// HelpCommand returns `relay help`.
func HelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Help about any command or topic",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			below, _, err := cmd.Root().Find(args)
			if err != nil || below == nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(below), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about := cmd.Root()
			for _, name := range args {
				next := below(about, name)
				if next == nil {
					return Usage(fmt.Errorf("unknown help topic %q%s", strings.Join(args, " "), nearest.Question(name, commandNames(about))))
				}
				about = next
			}
			return about.Help()
		},
	}
}

func below(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name || c.HasAlias(name) {
			return c
		}
	}
	return nil
}

// AddCompletion adds `relay completion`, which refuses shells that it does not know.
func AddCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion := below(root, "completion")
	completion.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return NotAmong("shell", args[0], commandNames(cmd))
		}
		return nil
	}
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// WarnOfSettings says which variables of the environment, and which lines of the file, are probably settings with a slip in their names.
func (p Program) WarnOfSettings(more []Setting) {
	if p.Config != nil {
		p.Config.warn(p)
	}
	if p.Environ == nil {
		return
	}
	var known []string
	for _, s := range AllSettings(more) {
		known = append(known, s.Env)
	}
	for _, variable := range p.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "RELAY_") || slices.Contains(known, name) {
			continue
		}
		if question := nearest.Question(name, known); question != "" {
			Say(p.Stderr, "relay: warning: %s is not a setting%s", name, question)
		}
	}
}
