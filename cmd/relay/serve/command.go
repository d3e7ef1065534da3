// Package serve is `relay serve`: it reads the settings and runs the relay on this host. The relay itself is in onehost, below it.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/journal"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay serve`. examine is how its console examines the relay; with nil, it does not.
func Command(base cli.Program, examine checkup.Examiner) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the relay on this host",
		Long: `serve runs the whole relay on this host: the webhooks, the queue, the sender and the audit log, with one SQLite file. A text
that it has acknowledged to Twilio survives a crash. On SIGINT or SIGTERM it finishes what is under way and then stops.

Every setting is an environment variable and a flag with the same name; if you set both, the flag counts.`,
		Example: `  export TWILIO_ACCOUNT_SID=AC… TWILIO_AUTH_TOKEN=… PUBLIC_BASE_URL=https://relay.example.com
  relay serve --routes maintenance.json`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), cmd.Flags(), examine) },
	}
	cli.AddFlags(cmd.Flags(), cli.ServeSettings())
	return cmd
}

func (p program) serve(ctx context.Context, flags *pflag.FlagSet, examine checkup.Examiner) error {
	lookup := Lookup(flags, p.Lookup)
	config, err := ReadSettings(lookup, p.Stderr)
	if err != nil {
		return cli.SettingsError(asTyped(err, flags))
	}
	format, _ := lookup(cli.EnvLogFormat)
	stream, _ := p.Lookup(envJournalStream)
	config.Logger = toJournal(config.Logger, format, stream, p.Stderr, journal.Socket)
	config.Backup.Access = p.bucketAccess()
	config.Replica.Access = config.Backup.Access
	if examine != nil {
		config.Examine = func(ctx context.Context, opened *target.Target) ([]checkup.Finding, error) {
			return examine(ctx, flags, opened)
		}
	}
	relay, err := onehost.Open(ctx, config)
	if err != nil {
		return cli.WithStartHint(err)
	}
	config.Logger.LogAttrs(ctx, slog.LevelInfo, "relay serves", slog.String("url", relay.URL()), slog.String("data", config.Data))
	err = relay.Run(ctx)
	config.Logger.LogAttrs(ctx, slog.LevelInfo, "relay stopped")
	return errors.Join(err, relay.Close())
}

// bucketAccess is whose access to AWS reaches a bucket for backups.
func (p program) bucketAccess() awsprofile.Config {
	profile, _ := p.Lookup(cli.EnvProfile)
	region, _ := p.Lookup(cli.EnvRegion)
	return awsprofile.Config{Profile: profile, Region: region}
}

// ReadSettings reads and checks all settings, and reports all problems at once.
func ReadSettings(lookup func(string) (string, bool), logTo io.Writer) (onehost.Config, error) {
	r := env.New(lookup)
	config := onehost.Config{
		Listen:         cli.Listen(r),
		Certificates:   ownCertificates(r),
		Data:           r.String(cli.EnvData, ""),
		AccountSid:     r.String(cli.EnvAccountSid, ""),
		AuthTokens:     r.List(cli.EnvAuthToken),
		APIKeySid:      r.String(cli.EnvAPIKeySid, ""),
		APIKeySecret:   r.String(cli.EnvAPIKeySecret, ""),
		TwilioBaseURL:  r.String(cli.EnvTwilioBaseURL, ""),
		PublicBaseURLs: cli.PublicBaseURLs(r),
		OperatorToken:  r.String(cli.EnvOperatorToken, ""),
		AllowedOrigins: r.List(cli.EnvAllowedOrigins),
		RetryBase:      r.Duration(cli.EnvRetryBase, 0),
		MaxAttempts:    r.Int(cli.EnvMaxAttempts, 0, delivery.MinMaxAttempts, delivery.MaxMaxAttempts),
		SendTimeout:    r.DurationWithin(cli.EnvSendTimeout, 0, delivery.MinSendTimeout, delivery.MaxSendTimeout),
		PacePair:       env.Parsed(r, cli.EnvPacePair, "", pace.Parse),
		PaceNumber:     env.Parsed(r, cli.EnvPaceNumber, "", pace.Parse),
		ReconcileLooks: r.Int(cli.EnvLooks, 0, delivery.MinReconcileLooks, delivery.MaxReconcileLooks),

		ReconcileInterval: r.DurationWithin(cli.EnvLookInterval, 0, delivery.MinReconcileInterval, delivery.MaxReconcileInterval),

		Retention:      r.DurationWithin(cli.EnvRetention, 0, ledger.MinRetention, ledger.MaxRetention),
		AuditRetention: r.DurationWithin(cli.EnvAuditRetention, 0, ledger.MinRetention, ledger.MaxRetention),
		MediaRetention: r.DurationWithin(cli.EnvMediaRetention, 0, media.MinKept, media.MaxKept),
		DiskQuota:      env.Parsed(r, cli.EnvDiskQuota, "", datafolder.ParseQuota),
	}
	settings := settingsOf(r)
	config.Backup, config.Replica = backupsOf(r, settings), replicaOf(r, settings)
	config.Notify, config.NotifyShow = env.Parsed(r, cli.EnvNotify, "", notify.Parse), env.Parsed(r, cli.EnvNotifyShow, "", parseShow)
	logger, err := cli.NewLogger(r.String(cli.EnvLogFormat, ""), logTo)
	config.Logger = logger
	routes, routesErr := readRoutes(r.String(cli.EnvRoutes, ""))
	config.Routes = routes
	return config, errors.Join(r.Err(), err, routesErr, config.Validate())
}

// readRoutes reads a maintenance.json. Without a path there are no routes.
func readRoutes(path string) ([]route.Route, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) //nolint:gosec // the operator names the file.
	if err != nil {
		if missing, ok := errors.AsType[*fs.PathError](err); ok {
			err = missing.Err
		}
		return nil, fmt.Errorf("%s: %s: %w; relay route export prints such a file", cli.EnvRoutes, path, err)
	}
	defer file.Close() //nolint:errcheck // it was only read.
	routes, err := route.ParseMaintenance(file, route.Reading{Now: time.Now()})
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", cli.EnvRoutes, path, err)
	}
	return routes, nil
}
