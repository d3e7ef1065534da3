// Package setup is `relay init`: it asks for what a relay on one host needs, checks it at Twilio, and writes the settings, the route, the
// unit of systemd and the number's webhook. It runs no relay itself: systemd does, or `relay serve` in a shell.
package setup

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// Canary makes `relay canary` of a program, which sends the text at the end. main.go passes it, because no verb imports another.
type Canary func(base cli.Program) *cobra.Command

// setupFlags are the flags of init.
type setupFlags struct {
	accountSid, tokenFile, number, folder string
	phones, skip                          []string
	undo, asJSON                          bool
	consent                               cli.Consent
	numbers                               cli.NumberFlags
}

// program is the command line, with the methods of this verb.
type program struct {
	cli.Program
	canary Canary
}

// flagged are the settings that are also flags of init. What else relay serve reads, init takes from the environment.
func flagged() []cli.Setting {
	names := []string{
		cli.EnvDomain, cli.EnvPublicBaseURL, cli.EnvListen, cli.EnvData, cli.EnvACMEDirectory, cli.EnvTwilioBaseURL, cli.EnvNotify,
	}
	return slices.DeleteFunc(cli.ServeSettings(), func(s cli.Setting) bool { return !slices.Contains(names, s.Env) })
}

// Command returns `relay init`.
func Command(base cli.Program, canary Canary) *cobra.Command {
	p := program{base, canary}
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set up a relay on this host, step by step",
		Long: `init sets up a relay on this host. It asks for what it needs and checks each answer at Twilio at once. Then it shows what it would
change, asks, and does it in five steps:

  settings  writes relay.env
  routes    writes the number's route into maintenance.json, next to it
  unit      installs sms-relay.service and starts the relay
  number    points the number's texts at the relay, once the relay answers
  canary    sends a made-up text the whole way

The files are in /etc/sms-relay as root on Linux, else in the current folder; only root has a unit, where systemd runs. The canary is one
real text to the phone on duty, at the price of a text.

What is there already stays. You may run init again at any time: it goes on where it stopped, and changes nothing that is as it should
be. --skip leaves steps out. --undo gives the number back the webhook that it had, removes the unit, and moves the files aside; the texts
and the audit log stay.

Where nobody can be asked, the flags have to say everything, --yes too. The Auth Token is never a flag, because others on this host could
read it there: it is asked for, or it is in TWILIO_AUTH_TOKEN, or in a file. Every setting of relay serve that the environment has is
kept in relay.env.`,
		Example: `  sudo relay init
  relay init --account-sid AC… --auth-token-file token --number +18585550100 --phone Ann=+16195550123 --domain relay.example.com --yes
  relay init --undo --dry-run`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.init(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.accountSid, "account-sid", "", "Twilio account, AC and 32 hexadecimal digits ["+cli.EnvAccountSid+"]")
	flags.StringVar(&f.tokenFile, "auth-token-file", "", "a file with the account's Auth Token; - is the standard input (default: "+
		"TWILIO_AUTH_TOKEN)")
	flags.StringVar(&f.number, "number", "", "the account's number that customers text (default: that of maintenance.json, if it has one)")
	flags.StringArrayVar(&f.phones, "phone", nil, "a phone that gets the texts, with its name, such as Ann=+16195550123; repeat it for "+
		"those to try next")
	flags.StringVar(&f.folder, "folder", "", "where relay.env and maintenance.json are (default: "+systemFolder+" as root on Linux, else the "+
		"current folder)")
	flags.StringSliceVar(&f.skip, "skip", nil, "leave out these steps, such as unit,canary")
	flags.BoolVar(&f.undo, "undo", false, "undo what init did here")
	f.consent.Add(flags, "")
	cli.AddJSON(flags, &f.asJSON, "an object with the steps: their name, state (done, todo, changed, skipped, failed) and changes")
	f.numbers.Add(flags)
	cli.AddFlags(flags, flagged())
	return cmd
}

// init sets the relay up, or undoes that.
func (p program) init(cmd *cobra.Command, f setupFlags) error {
	j, err := p.newJob(cmd, f)
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	steps := setupSteps()
	if f.undo {
		steps = undoSteps()
	}
	for _, name := range f.skip {
		if !slices.ContainsFunc(steps, func(s step) bool { return s.name == name }) {
			return cli.NotAmong("step", name, namesOf(steps))
		}
	}
	if !f.undo {
		if err := j.gather(cmd, !f.asJSON && !f.consent.Yes && p.CanAsk(cmd)); err != nil {
			return err
		}
	}
	return j.run(cmd, steps, mode)
}

func namesOf(steps []step) []string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.name
	}
	return names
}

// newJob finds out where the files are, and reads those that are there.
func (p program) newJob(cmd *cobra.Command, f setupFlags) (*job, error) {
	j := &job{program: p, flags: f, host: thisHost(), folder: f.folder}
	if j.folder == "" {
		j.folder = j.host.usualFolder()
	}
	named, _ := cmd.Flags().GetString("config")
	if fromEnvironment, _ := p.Lookup(cli.EnvConfig); named != "" || fromEnvironment != "" {
		return nil, cli.Hinted(cli.Usage(errors.New("init writes relay.env, and reads no other file of settings")),
			"name its folder with --folder, and leave out --config and "+cli.EnvConfig)
	}
	if err := p.Config.Use(j.path(settingsFile)); err != nil {
		return nil, err
	}
	j.lookup = cli.LookupOf(withoutFallbacks(), cmd.Flags(), p.Lookup)
	return j, j.readFiles()
}

// withoutFallbacks are the settings of relay serve without what relay itself says: init writes down what people say.
func withoutFallbacks() []cli.Setting {
	settings := cli.ServeSettings()
	for i := range settings {
		settings[i].Fallback = ""
	}
	return settings
}

// missing is the one error of everything that nobody can be asked for.
func missing(what []string) error {
	return cli.Hinted(cli.Usage(fmt.Errorf("missing: %s", strings.Join(what, ", "))), "on a terminal, relay init asks for what is missing")
}
