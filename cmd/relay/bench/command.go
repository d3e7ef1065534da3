package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
		RunE: func(cmd *cobra.Command, _ []string) error { return p.fill(cmd.Context(), cmd.Flags(), f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.texts, "texts", 1_000_000, "how many texts")
	flags.IntVar(&f.days, "days", 60, "how many days the texts are spread over")
	flags.StringVar(&f.until, "until", "", "when the last text came in, such as 2026-11-24T08:00:00Z (default now)")
	flags.Uint64Var(&f.seed, "seed", 1, "random seed; another seed makes other texts")
	flags.BoolVar(&f.force, "force", false, "also fill a ledger that already has texts; fill keeps those")
	flags.StringVar(&f.endpoint, "endpoint", "", "fill a table of the DynamoDB on this host at this URL, such as http://127.0.0.1:8000")
	flags.StringVar(&f.table, "table", "qdn-sms-audit", "the table's name")
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

func (p program) fill(ctx context.Context, flags *pflag.FlagSet, asked filling) error {
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
	shown := newFillRate(p.Stderr, asked.texts)
	f := Fill{Texts: texts, Force: asked.force, Progress: shown.show}
	if asked.endpoint != "" {
		return p.fillTable(ctx, f, asked, shown)
	}
	return p.fillFolder(ctx, f, data, shown)
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

func (p program) fillFolder(ctx context.Context, f Fill, data string, shown *fillRate) (err error) {
	db, err := sqlite.Open(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		return cli.WithStartHint(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	f.Batch, f.Writers = oneHostBatch, oneHostWriters
	return p.fillLedger(ctx, f, db.Ledger(), data, shown)
}

func (p program) fillTable(ctx context.Context, f Fill, asked filling, shown *fillRate) error {
	// DynamoDB Local accepts any credentials, and keeps the tables of each apart unless it shares its database.
	config := awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: asked.endpoint, AttemptTimeout: tableTimeout,
	})
	f.Batch, f.Writers = tableBatch, tableWriters
	return p.fillLedger(ctx, f, dynamo.NewImporter(config, asked.table), asked.table, shown)
}

// fillLedger fills the ledger with this name, and says how it went.
func (p program) fillLedger(ctx context.Context, f Fill, into Ledger, name string, shown *fillRate) error {
	stored, err := f.Run(ctx, into)
	shown.end()
	switch {
	case errors.Is(err, ErrNotEmpty):
		return cli.Hinted(fmt.Errorf("%w: %s", err, name), "fill another ledger, or add --force to fill this one")
	case err != nil:
		return fmt.Errorf("%w; %s texts were stored before", err, grouped(stored))
	}
	took := time.Since(shown.began)
	fmt.Fprintf(p.Stdout, "%s texts stored in %s, in %s: %s a second\n",
		grouped(stored), name, took.Round(100*time.Millisecond), grouped(int(float64(stored)/took.Seconds())))
	if had := f.Texts.Texts - stored; had > 0 {
		fmt.Fprintf(p.Stdout, "%s were already there\n", grouped(had))
	}
	return nil
}

// grouped writes a number with commas between its thousands.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
