package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// TestTheEnvironmentTopicHasEverySetting that is also a flag of some command.
func TestTheEnvironmentTopicHasEverySetting(t *testing.T) {
	known := map[string]bool{}
	for _, s := range cli.AllSettings(singleSettings()) {
		known[s.Env] = true
	}
	variable := regexp.MustCompile(`\[([A-Z][A-Z_]+)[\],]`)
	found := 0
	eachCommand(program{}.root(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			for _, name := range variable.FindAllStringSubmatch(f.Usage, -1) {
				found++
				if !known[name[1]] && f.Name != "no-color" {
					t.Errorf("%s --%s is %s, which relay help environment does not have", cmd.CommandPath(), f.Name, name[1])
				}
			}
		})
	})
	if found < 100 {
		t.Errorf("only %d flags have a variable", found)
	}
}

// TestFlagsThatManyCommandsHaveAreAlike: a short flag means the same everywhere.
func TestFlagsThatManyCommandsHaveAreAlike(t *testing.T) {
	long := map[string]string{"n": "limit", "q": "quiet", "o": "output", "y": "yes", "h": "help", "v": "version"}
	eachCommand(program{}.root(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand != "" && long[f.Shorthand] != f.Name {
				t.Errorf("%s has -%s for --%s", cmd.CommandPath(), f.Shorthand, f.Name)
			}
		})
		if strings.HasPrefix(cmd.Use, "ls") && !cmd.HasAlias("list") {
			t.Errorf("%s has no alias list", cmd.CommandPath())
		}
	})
}

func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, c := range cmd.Commands() {
		eachCommand(c, visit)
	}
}
