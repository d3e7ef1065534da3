package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/nearest"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	asJSON, list bool
	only         []string
	deadline     time.Duration
	parallel     int
}

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay doctor`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the relay and say what to fix",
		Long: `doctor checks everything that a text needs to arrive: the account at Twilio, the numbers' webhooks, the front door,
the routes, what happened to the texts, and the host or the stack. If something is wrong, doctor says what it is, why it matters
and how to fix it; docs/runbook.md has a section for each check.

doctor changes nothing. It needs the settings of relay serve: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, PUBLIC_BASE_URL, and the
folder. With --aws it reads Twilio's credentials from the stack's secrets; set PUBLIC_BASE_URL to the stack's output OperatorUrl.
If a setting is missing, doctor skips the checks that need it, and says so.

The exit code is 3 if a check fails, and 0 if there are only warnings.`,
		Example: `  relay doctor
  relay doctor --only front-door-signature --only webhook-url
  relay doctor --json | jq -r '.[] | select(.status == "fail") | .name'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.doctor(cmd.Context(), cmd.Flags(), f) },
	}
	flags := cmd.Flags()
	cli.AddJSON(flags, &f.asJSON, "an array of results")
	flags.BoolVar(&f.list, "list", false, "list the checks without running them")
	flags.StringSliceVar(&f.only, "only", nil, "run only this check; may be repeated")
	cli.DurationVar(flags, &f.deadline, "deadline", deadline, "how long one check may take")
	flags.IntVar(&f.parallel, "parallel", parallel, "how many checks run at once")
	cli.CompleteWords(cmd, "only", checkNames())
	addExam(flags)
	return cmd
}

// checkNames lists the names of the checks.
func checkNames() []string {
	var names []string
	for _, c := range Checks() {
		names = append(names, c.Name)
	}
	return names
}

// examSettings lists the settings of doctor, number and canary, in addition to those of the target.
func examSettings() []cli.Setting {
	return cli.Named(cli.ServeSettings(), cli.EnvAccountSid, cli.EnvAuthToken, cli.EnvAPIKeySid, cli.EnvAPIKeySecret, cli.EnvTwilioBaseURL,
		cli.EnvPublicBaseURL, cli.EnvListen, cli.EnvDomain, cli.EnvPacePair, cli.EnvSendTimeout)
}

// addExam makes flags of these settings and of the target's.
func addExam(flags *pflag.FlagSet) {
	cli.AddTarget(flags)
	cli.AddFlags(flags, append(examSettings(), secretSettings()...))
}

func (p program) doctor(ctx context.Context, flags *pflag.FlagSet, f doctorFlags) error {
	if f.list {
		return p.listChecks(f.asJSON)
	}
	if err := f.check(); err != nil {
		return cli.Usage(err)
	}
	relay, closeRelay, err := p.inputs(ctx, flags)
	if err != nil {
		return err
	}
	results := examine(ctx, relay, options{Only: f.only, Deadline: f.deadline, Parallel: f.parallel})
	return errors.Join(p.report(results, f.asJSON), closeRelay())
}

// check says what is wrong with the flags.
func (f doctorFlags) check() error {
	for _, name := range f.only {
		if _, found := find(name); !found {
			return fmt.Errorf("there is no check %q%s; relay doctor --list lists them all", name, nearest.Question(name, checkNames()))
		}
	}
	if f.parallel < 1 || f.deadline <= 0 {
		return errors.New("--parallel must be 1 or more, and --deadline longer than zero")
	}
	return nil
}

// report shows the results; its error says whether one failed.
func (p program) report(results []Result, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(p.Stdout).Encode(results)
	} else {
		writeResults(p.Stdout, results)
	}
	if err == nil && worst(results) == Fail {
		var failed []string
		for _, r := range results {
			if r.Status == Fail {
				failed = append(failed, r.Name)
			}
		}
		return cli.Found(fmt.Errorf("failed: %s", strings.Join(failed, ", ")))
	}
	return err
}

// inputs collects what the checks need. If the relay cannot be opened, that is a finding like others.
func (p program) inputs(ctx context.Context, flags *pflag.FlagSet) (Relay, func() error, error) {
	return p.inputsOf(ctx, flags, func() (*target.Target, error) { return p.OpenTarget(ctx, flags) })
}

// inputsOf is inputs of a relay that open opens.
func (p program) inputsOf(ctx context.Context, flags *pflag.FlagSet, open func() (*target.Target, error)) (Relay, func() error, error) {
	r := env.New(cli.LookupOf(examSettings(), flags, p.Lookup))
	onAWS := env.Parsed(env.New(cli.LookupOf(cli.TargetSettings(), flags, p.Lookup)), cli.EnvAWS, "false", cli.ParseBool)
	pair := env.Parsed(r, cli.EnvPacePair, "", pace.Parse)
	relay := Relay{
		Now: time.Now, Build: telemetry.ReadBuild(), HTTP: newFrontDoorClient(),
		AuthTokens: r.List(cli.EnvAuthToken), PublicBaseURLs: cli.PublicBaseURLs(r), OwnTwilio: r.String(cli.EnvTwilioBaseURL, "") == "",
	}
	if !onAWS {
		relay.PacePair = &pair
		if len(relay.PublicBaseURLs) == 0 && !relay.OwnTwilio {
			relay.PublicBaseURLs = []string{"http://" + r.String(cli.EnvListen, "")}
		}
	}
	err := setTwilio(r, &relay)
	if err := errors.Join(r.Err(), err); err != nil {
		return relay, nil, cli.SettingsError(err)
	}
	closeRelay, err := p.openFor(ctx, flags, onAWS, &relay, open)
	return relay, closeRelay, err
}

// setTwilio makes the clients, as far as there are credentials for them.
func setTwilio(r *env.Reader, relay *Relay) error {
	config := twilio.Config{
		AccountSid: r.String(cli.EnvAccountSid, ""), APIKeySid: r.String(cli.EnvAPIKeySid, ""), APIKeySecret: r.String(cli.EnvAPIKeySecret, ""),
		BaseURL: r.String(cli.EnvTwilioBaseURL, ""), Timeout: r.Duration(cli.EnvSendTimeout, 0),
	}
	if config.AccountSid == "" || (config.APIKeySid == "" && len(relay.AuthTokens) == 0) {
		return nil
	}
	if len(relay.AuthTokens) > 0 {
		config.AuthToken = relay.AuthTokens[0]
	}
	client, err := twilio.New(config)
	if err != nil {
		return err
	}
	relay.Twilio = client
	if config.AuthToken == "" {
		return nil
	}
	config.APIKeySid, config.APIKeySecret = "", ""
	withToken, err := twilio.New(config)
	relay.WithToken = withToken
	return err
}

// openFor opens the relay's tables and queues, if it can.
func (p program) openFor(
	ctx context.Context, flags *pflag.FlagSet, onAWS bool, relay *Relay, open func() (*target.Target, error),
) (closeRelay func() error, err error) {
	opened, err := open()
	if _, wrong := errors.AsType[cli.UsageError](err); wrong {
		return nil, err
	}
	if onAWS {
		if err := p.setAWS(ctx, flags, relay); err != nil {
			return nil, err
		}
	} else {
		data := env.New(cli.LookupOf(cli.TargetSettings(), flags, p.Lookup)).String(cli.EnvData, "")
		relay.Host = &Host{
			Folder: data, Database: datafolder.DatabaseFile, AuditLog: datafolder.AuditFile, Disk: datafolder.Space,
			Schema: func(ctx context.Context) (sqlite.Schema, error) {
				return sqlite.Inspect(ctx, filepath.Join(data, datafolder.DatabaseFile))
			},
			CatchUp: func() (backups.CatchUp, bool, error) { return backups.ReadCatchUp(data) },
			Backups: func() (backups.State, bool, error) { return backups.ReadState(data) },
			Replica: func() (backups.ReplicaState, bool, error) { return backups.ReadReplicaState(data) },
		}
	}
	relay.OpenErr = err
	if opened == nil {
		return func() error { return nil }, nil
	}
	fill(relay, opened)
	return opened.Close, nil
}

// fill adds what a target has to the examination.
func fill(relay *Relay, opened *target.Target) {
	relay.Where, relay.Routes, relay.Ledger, relay.DeadLetters = opened.Where, opened.Routes, opened.Ledger, opened.DeadLetters
	relay.Customers = opened.Conversations
	if relay.Host != nil {
		relay.Host.OldestChange, relay.Host.QuickCheck, relay.Host.Moved = opened.OldestChange, opened.QuickCheck, opened.Moved
	}
}

// newFrontDoorClient asks a front door as Twilio does, without following redirects.
func newFrontDoorClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
