package serve

import (
	"errors"
	"regexp"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// Lookup finds a setting: on the command line, else in the environment, else its fallback.
func Lookup(flags *pflag.FlagSet, environment func(string) (string, bool)) func(string) (string, bool) {
	return cli.LookupOf(cli.ServeSettings(), flags, environment)
}

// asTyped names the settings in an error as people typed them: by their flags if they were on the command line.
func asTyped(err error, flags *pflag.FlagSet) error {
	words := err.Error()
	for _, s := range cli.ServeSettings() {
		if f := flags.Lookup(s.Flag()); f != nil && f.Changed {
			words = regexp.MustCompile(`\b`+s.Env+`\b`).ReplaceAllLiteralString(words, "--"+s.Flag())
		}
	}
	return errors.New(words)
}
