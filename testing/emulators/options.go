//go:build linux || darwin

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// errNoCommand says that there is nothing to run with the emulators.
var errNoCommand = errors.New("no command given after --")

// options is the command line, checked.
type options struct {
	// cache is the folder that installed emulators are kept in; several versions live side by side in it.
	cache string
	// chosen are the emulators to install and start, in the order of emulators().
	chosen []emulator
	// installOnly installs and ends; command is then not needed.
	installOnly bool
	// verbose shows the emulators' and the installers' own output.
	verbose bool
	// command is what to run, with its arguments.
	command []string
}

// parseOptions reads the command line. It returns flag.ErrHelp after it printed the help.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("emulators", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { usage(flags) }
	flags.StringVar(&opts.cache, "cache", defaultCache(), "`folder` that keeps what was installed")
	only := flags.String("only", "", "comma-separated `names` of those to start: "+strings.Join(names(emulators()), ", ")+" (default all)")
	flags.BoolVar(&opts.installOnly, "install-only", false, "install and end")
	flags.BoolVar(&opts.verbose, "verbose", false, "show what the emulators and the installers print")
	if err := flags.Parse(args); err != nil {
		return options{}, fmt.Errorf("read the command line: %w", err)
	}
	opts.command = flags.Args()
	if err := opts.complete(*only); err != nil {
		return options{}, err
	}
	return opts, nil
}

// complete checks what the flags alone cannot.
func (o *options) complete(only string) error {
	if len(o.command) == 0 && !o.installOnly {
		return errNoCommand
	}
	if o.cache == "" {
		return errors.New("no home folder known for the cache: name one with -cache")
	}
	cache, err := filepath.Abs(o.cache)
	if err != nil {
		return fmt.Errorf("find the cache folder: %w", err)
	}
	o.cache = cache
	o.chosen, err = choose(only)
	return err
}

// defaultCache is where the operating system wants caches: $XDG_CACHE_HOME or ~/.cache on Linux. Empty when unknown.
func defaultCache() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "smsrelay-emulators")
}

// choose finds the emulators by name; an empty list means all.
func choose(only string) ([]emulator, error) {
	all := emulators()
	if only == "" {
		return all, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var chosen []emulator
	for _, e := range all {
		if wanted[e.name] {
			chosen = append(chosen, e)
			delete(wanted, e.name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("-only: no emulator is called %q; there are %s", name, strings.Join(names(all), ", "))
	}
	return chosen, nil
}

func names(list []emulator) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.name)
	}
	return out
}

func usage(flags *flag.FlagSet) {
	_, _ = fmt.Fprint(flags.Output(), `usage: emulators [flags] -- COMMAND ARGS...

Runs COMMAND with local stand-ins for DynamoDB, SQS, CloudWatch Logs, Secrets Manager and S3.
COMMAND finds their URLs in its environment:

`)
	for _, e := range emulators() {
		_, _ = fmt.Fprintf(flags.Output(), "  %-24s %s\n", e.variable, e.product)
	}
	_, _ = fmt.Fprint(flags.Output(), "\nIts exit code is passed on. Flags:\n\n")
	flags.PrintDefaults()
}
