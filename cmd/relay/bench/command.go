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
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// How the two kinds of ledgers are filled: one transaction a batch into SQLite, where the next batch is made ready
// meanwhile; many small requests side by side into DynamoDB.
const (
	embeddedBatch, embeddedWriters = 10_000, 2
	tableBatch, tableWriters       = 250, 8
	tableTimeout                   = 30 * time.Second
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay bench`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Make what the relay can be measured on",
		Long: `bench makes what the relay can be measured on: ledgers of any size, of texts that nobody sent. Nothing is sent to
anyone.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.benchFillCommand())
	return cmd
}

// filling is what bench fill is asked for.
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
		Long: `fill writes records of made-up texts into a ledger: spread over days, numbers and customers, most of them delivered,
some undelivered, failed, dropped, uncertain or dead, each with the attempts and receipts that led there. All phone
numbers are fictional. The same seed makes the same texts.

It works on a folder that relay serve is not using, and makes it if it is missing. A ledger that holds texts already is
left alone, so that made-up texts never get among real ones by mistake.

The records leave nothing in the change stream: the audit log, the metrics and the dead letters know nothing of texts
that nobody sent, and relay serve may run on the folder afterwards.

With --endpoint, a DynamoDB on this host (DynamoDB Local) is filled in place of the folder; the table must be there. A
table on AWS is refused: its stream would bring every one of the texts into the audit log.`,
		Example: `  relay bench fill --data /tmp/relay-large
  relay bench fill --data /tmp/relay-small --texts 10000
  relay bench fill --endpoint http://127.0.0.1:8000 --table qdn-sms-audit --texts 20000`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.fill(cmd.Context(), cmd.Flags(), f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.texts, "texts", 1_000_000, "how many texts")
	flags.IntVar(&f.days, "days", 60, "over how many days they are spread")
	flags.StringVar(&f.until, "until", "", "when the last of them came, such as 2026-11-24T08:00:00Z (default now)")
	flags.Uint64Var(&f.seed, "seed", 1, "another seed makes other texts")
	flags.BoolVar(&f.force, "force", false, "fill a ledger that holds texts already, too; those that it has are left out")
	flags.StringVar(&f.endpoint, "endpoint", "", "fill a table of the DynamoDB at this URL, which is on this host")
	flags.StringVar(&f.table, "table", "qdn-sms-audit", "the table's name")
	cli.AddFlags(flags, fillSettings())
	return cmd
}

// fillSettings are the settings of relay serve that bench fill works with, too.
func fillSettings() []cli.Setting {
	return []cli.Setting{
		{Env: cli.EnvData, Fallback: "./relay-data", Help: "folder whose ledger is filled"},
		{Env: cli.EnvRetention, Fallback: cli.Written(ledger.DefaultRetention), Help: "how long the ledger keeps each text from when it came"},
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
		return time.Time{}, errors.New("until: want a time of RFC 3339, such as 2026-11-24T08:00:00Z")
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
		return errors.New("endpoint: only a DynamoDB on this host is filled, such as DynamoDB Local at http://127.0.0.1:8000")
	}
	return nil
}

func (p program) fillFolder(ctx context.Context, f Fill, data string, shown *fillRate) (err error) {
	db, err := sqlite.Open(ctx, filepath.Join(data, datafolder.DatabaseFile), time.Now)
	if err != nil {
		return cli.WithStartHint(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	f.Batch, f.Writers = embeddedBatch, embeddedWriters
	return p.fillLedger(ctx, f, db.Ledger(), data, shown)
}

func (p program) fillTable(ctx context.Context, f Fill, asked filling, shown *fillRate) error {
	// DynamoDB Local takes any credentials, and keeps the tables of each apart unless it shares its database.
	config := awsclient.New(awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: asked.endpoint, AttemptTimeout: tableTimeout,
	})
	f.Batch, f.Writers = tableBatch, tableWriters
	return p.fillLedger(ctx, f, dynamo.NewImporter(config, asked.table), asked.table, shown)
}

// fillLedger fills the ledger that is known as name, and says how it went.
func (p program) fillLedger(ctx context.Context, f Fill, into Ledger, name string, shown *fillRate) error {
	stored, err := f.Run(ctx, into)
	shown.end()
	switch {
	case errors.Is(err, ErrNotEmpty):
		return cli.Hinted(fmt.Errorf("%w: %s", err, name), "fill another one, or add to it with --force")
	case err != nil:
		return fmt.Errorf("%w; %s texts were stored before", err, grouped(stored))
	}
	took := time.Since(shown.began)
	fmt.Fprintf(p.Stdout, "%s texts stored in %s, in %s: %s a second\n",
		grouped(stored), name, took.Round(100*time.Millisecond), grouped(int(float64(stored)/took.Seconds())))
	if had := f.Texts.Texts - stored; had > 0 {
		fmt.Fprintf(p.Stdout, "%s were there already\n", grouped(had))
	}
	return nil
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
