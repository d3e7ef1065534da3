package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/workload"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// How the two kinds of ledgers are filled: into SQLite one transaction for each batch, while the next batch is made; into DynamoDB
// many small requests at once.
const (
	oneHostBatch, oneHostWriters = 10_000, 2
	tableBatch, tableWriters     = 250, 8
	tableTimeout                 = 30 * time.Second
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay bench`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:                        "bench",
		Short:                      "Make ledgers to measure the relay on",
		Long:                       `bench makes ledgers of any size to measure the relay on, with made-up texts. It sends nothing to anyone.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.benchFillCommand())
	return cmd
}

// filling is what bench fill should make.
type filling struct {
	texts, days int
	seed        uint64
	until       string
	force       bool
	endpoint    string
	table       string
	asJSON      bool
	consent     cli.Consent
}

func (p program) benchFillCommand() *cobra.Command {
	var f filling
	cmd := &cobra.Command{
		Use:   "fill",
		Short: "Fill a ledger with made-up texts",
		Long: `fill writes records of made-up texts into a ledger, spread over days, numbers and customers. Most are delivered; some are
undelivered, failed, dropped, uncertain or dead. Each has the attempts and receipts that led to its state. All phone numbers are
fictional. The same seed makes the same texts.

relay serve must not be using the folder; fill makes the folder if it is missing. If the ledger already has texts, fill refuses, so
that made-up texts never get among real ones by mistake.

The texts appear only in the ledger: not in the audit log, the metrics or the dead letters. relay serve may run on the folder
afterwards.

With --endpoint, fill fills a table of a DynamoDB on this host (DynamoDB Local) instead; the table must exist. It refuses a table on
AWS, whose stream would write every text into the audit log.`,
		Example: `  relay bench fill --data /tmp/relay-large
  relay bench fill --data /tmp/relay-small --texts 10000
  relay bench fill --endpoint http://127.0.0.1:8000 --table qdn-sms-audit --texts 20000`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.fill(cmd, f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.texts, "texts", 1_000_000, "how many texts")
	flags.IntVar(&f.days, "days", 60, "how many days the texts are spread over")
	flags.StringVar(&f.until, "until", "", "when the last text came in, such as 2026-11-24T08:00:00Z (default now)")
	flags.Uint64Var(&f.seed, "seed", 1, "random seed; another seed makes other texts")
	flags.BoolVar(&f.force, "force", false, "also fill a ledger that already has texts; fill keeps those")
	flags.StringVar(&f.endpoint, "endpoint", "", "fill a table of the DynamoDB on this host at this URL, such as http://127.0.0.1:8000")
	flags.StringVar(&f.table, "table", "qdn-sms-audit", "the table's name")
	f.consent.Add(flags, "")
	cli.AddJSON(flags, &f.asJSON, "how many texts were stored, where, and how long it took")
	cli.AddFlags(flags, fillSettings())
	return cmd
}

// fillSettings are the settings of relay serve that bench fill also uses.
func fillSettings() []cli.Setting {
	return []cli.Setting{
		{Env: cli.EnvData, Fallback: "./relay-data", Help: "fill the ledger in this folder"},
		{
			Env: cli.EnvRetention, Fallback: duration.Text(ledger.DefaultRetention),
			Help: "how long the ledger keeps each text after it came in",
		},
	}
}

func (p program) fill(cmd *cobra.Command, asked filling) error {
	mode, err := p.Mode(cmd, asked.consent, asked.asJSON)
	if err != nil {
		return err
	}
	flags := cmd.Flags()
	r := env.New(cli.LookupOf(fillSettings(), flags, p.Lookup))
	data, retention := r.String(cli.EnvData, ""), r.DurationWithin(cli.EnvRetention, 0, ledger.MinRetention, ledger.MaxRetention)
	until, err := asked.end(time.Now())
	texts := workload.Config{Seed: asked.seed, Texts: asked.texts, Days: asked.days, Until: until, Retention: retention}
	if r.Err() == nil {
		err = errors.Join(err, texts.Validate())
	}
	if err := errors.Join(r.Err(), err, asked.checkEndpoint()); err != nil {
		return cli.SettingsError(err)
	}
	f := Fill{Texts: texts, Force: asked.force}
	name := data
	if asked.endpoint != "" {
		name = asked.table
	}
	if mode != cli.Do {
		if goOn, err := p.planned(cmd, f, asked, name, mode); err != nil || !goOn {
			return err
		}
	}
	shown := cli.NewRate(p.Stderr, asked.texts)
	f.Progress = shown.Show
	return asked.open(cmd.Context(), data, func(into Ledger) error {
		if f.Batch, f.Writers = oneHostBatch, oneHostWriters; asked.endpoint != "" {
			f.Batch, f.Writers = tableBatch, tableWriters
		}
		return p.fillLedger(cmd.Context(), f, into, name, shown, asked.asJSON)
	})
}

// end returns when the last text came.
func (f filling) end(now time.Time) (time.Time, error) {
	if f.until == "" {
		return now, nil
	}
	until, err := time.Parse(time.RFC3339, f.until)
	if err != nil {
		return time.Time{}, errors.New("until: want a time such as 2026-11-24T08:00:00Z")
	}
	return until, nil
}

// checkEndpoint refuses a DynamoDB that is not on this host.
func (f filling) checkEndpoint() error {
	if f.endpoint == "" {
		return nil
	}
	u, err := url.Parse(f.endpoint)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return errors.New("endpoint: want a URL such as http://127.0.0.1:8000")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return errors.New("endpoint: want a DynamoDB on this host, such as DynamoDB Local at http://127.0.0.1:8000")
	}
	return nil
}

// open opens the ledger to fill, and closes it afterwards.
func (f filling) open(ctx context.Context, data string, use func(Ledger) error) (err error) {
	if f.endpoint != "" {
		// DynamoDB Local accepts any credentials, and keeps the tables of each apart unless it shares its database.
		config := awsclient.New(awsclient.Config{
			Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: f.endpoint, AttemptTimeout: tableTimeout,
		})
		return use(dynamo.NewImporter(config, f.table))
	}
	db, err := sqlite.Open(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		return cli.WithStartHint(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return use(db.Ledger())
}

// planned shows what would be stored, and asks if somebody is to be asked. It refuses what the filling would refuse, and makes no
// folder.
func (p program) planned(cmd *cobra.Command, f Fill, asked filling, name string, mode cli.Mode) (goOn bool, err error) {
	_, missing := os.Stat(filepath.Join(name, datafolder.DatabaseFile))
	if asked.endpoint != "" || !errors.Is(missing, fs.ErrNotExist) {
		err := asked.open(cmd.Context(), name, func(into Ledger) error { return refused(f.check(cmd.Context(), into), name) })
		if err != nil {
			return false, err
		}
	}
	if asked.asJSON {
		return false, json.NewEncoder(p.Stdout).Encode(filled{Ledger: name, Texts: f.Texts.Texts, DryRun: true})
	}
	cli.Say(p.Stdout, "%s made-up texts would be stored in %s.", cli.Grouped(f.Texts.Texts), name)
	if mode == cli.Show {
		return false, nil
	}
	if !p.Confirmed(cmd, "Store them?") {
		return false, cli.ErrNotConfirmed
	}
	return true, nil
}

// refused adds a hint to the refusal of a ledger that has texts.
func refused(err error, name string) error {
	if errors.Is(err, ErrNotEmpty) {
		return cli.Hinted(fmt.Errorf("%w: %s", err, name), "fill another ledger, or add --force to fill this one")
	}
	return err
}

// filled is what came of a filling, as JSON.
type filled struct {
	// Ledger is the folder or the table.
	Ledger string `json:"ledger"`
	// Texts is how many were made, Stored how many of them the ledger did not have.
	Texts           int   `json:"texts"`
	Stored          int   `json:"stored"`
	TookMillisecond int64 `json:"took_ms"`
	// DryRun: nothing was stored.
	DryRun bool `json:"dry_run,omitempty"`
}

// fillLedger fills the ledger with this name, and says how it went.
func (p program) fillLedger(ctx context.Context, f Fill, into Ledger, name string, shown *cli.Rate, asJSON bool) error {
	stored, err := f.Run(ctx, into)
	shown.End()
	switch {
	case errors.Is(err, ErrNotEmpty):
		return refused(err, name)
	case err != nil:
		return fmt.Errorf("%w; %s texts were stored before", err, cli.Grouped(stored))
	}
	took := time.Since(shown.Began)
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(filled{
			Ledger: name, Texts: f.Texts.Texts, Stored: stored, TookMillisecond: took.Milliseconds(),
		})
	}
	fmt.Fprintf(p.Stdout, "%s texts stored in %s, in %s: %s a second\n",
		cli.Grouped(stored), name, took.Round(100*time.Millisecond), cli.Grouped(int(float64(stored)/took.Seconds())))
	if had := f.Texts.Texts - stored; had > 0 {
		fmt.Fprintf(p.Stdout, "%s were already there\n", cli.Grouped(had))
	}
	return nil
}
