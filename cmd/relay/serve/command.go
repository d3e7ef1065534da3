package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/embedded"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
)

func (p program) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the relay on this host",
		Long: `serve runs the whole relay on this host: the webhooks, the queue, the sender and the audit log, over one SQLite
file. What it has acknowledged to Twilio survives a crash. It stops on SIGINT or SIGTERM when what is under way is done.

Every setting is an environment variable and a flag of the same name; a flag wins.`,
		Example: `  export TWILIO_ACCOUNT_SID=AC… TWILIO_AUTH_TOKEN=… PUBLIC_BASE_URL=https://relay.example.com
  relay serve --routes maintenance.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), cmd.Flags()) },
	}
	addFlags(cmd.Flags(), settings())
	return cmd
}

func (p program) serve(ctx context.Context, flags *pflag.FlagSet) error {
	config, err := readSettings(settingLookup(flags, p.lookup), p.stderr)
	if err != nil {
		return settingError(asTyped(err, flags))
	}
	relay, err := embedded.Open(ctx, config)
	if err != nil {
		return withHint(err)
	}
	config.Logger.LogAttrs(ctx, slog.LevelInfo, "relay serves", slog.String("url", relay.URL()), slog.String("data", config.Data))
	err = relay.Run(ctx)
	config.Logger.LogAttrs(ctx, slog.LevelInfo, "relay stopped")
	return errors.Join(err, relay.Close())
}

// readSettings reads and checks everything at once.
func readSettings(lookup func(string) (string, bool), logTo io.Writer) (embedded.Config, error) {
	r := env.New(lookup)
	config := embedded.Config{
		Listen:         r.String(envListen, ""),
		Data:           r.String(envData, ""),
		AccountSid:     r.String(envAccountSid, ""),
		AuthTokens:     r.List(envAuthToken),
		APIKeySid:      r.String(envAPIKeySid, ""),
		APIKeySecret:   r.String(envAPIKeySecret, ""),
		TwilioBaseURL:  r.String(envTwilioBaseURL, ""),
		PublicBaseURLs: r.URLs(envPublicBaseURL),
		OperatorToken:  r.String(envOperatorToken, ""),
		AllowedOrigins: r.List(envAllowedOrigins),
		RetryBase:      r.Duration(envRetryBase, 0),
		MaxAttempts:    r.Int(envMaxAttempts, 0, delivery.MinMaxAttempts, delivery.MaxMaxAttempts),
		SendTimeout:    r.DurationWithin(envSendTimeout, 0, delivery.MinSendTimeout, delivery.MaxSendTimeout),
		PacePair:       env.Parsed(r, envPacePair, "", pace.Parse),
		PaceNumber:     env.Parsed(r, envPaceNumber, "", pace.Parse),
		ReconcileLooks: r.Int(envLooks, 0, delivery.MinReconcileLooks, delivery.MaxReconcileLooks),

		ReconcileInterval: r.DurationWithin(envLookInterval, 0, delivery.MinReconcileInterval, delivery.MaxReconcileInterval),

		Retention: r.DurationWithin(envRetention, 0, ledger.MinRetention, ledger.MaxRetention),
	}
	logger, err := newLogger(r.String(envLogFormat, ""), logTo)
	config.Logger = logger
	routes, routesErr := readRoutes(r.String(envRoutes, ""))
	config.Routes = routes
	return config, errors.Join(r.Err(), err, routesErr, config.Validate())
}

// readRoutes reads a maintenance.json; no path is no routes.
func readRoutes(path string) ([]route.Route, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) //nolint:gosec // the operator names the file.
	if err != nil {
		if missing, ok := errors.AsType[*fs.PathError](err); ok {
			err = missing.Err
		}
		return nil, fmt.Errorf("%s: %s: %w; relay route export prints such a file", envRoutes, path, err)
	}
	defer file.Close() //nolint:errcheck // it was only read.
	routes, err := route.ParseMaintenance(file, route.Reading{Now: time.Now()})
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", envRoutes, path, err)
	}
	return routes, nil
}

// newLogger returns the logger of a format; the time is the logger's own.
func newLogger(format string, out io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(newConsole(out, isTerminal(out))), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, nil)), nil
	case "auto":
		if isTerminal(out) {
			return slog.New(newConsole(out, true)), nil
		}
		return slog.New(slog.NewJSONHandler(out, nil)), nil
	default:
		return nil, fmt.Errorf("RELAY_LOG_FORMAT is %q: want text, json or auto", format)
	}
}

// withHint adds advice to errors that people meet at the start.
func withHint(err error) error {
	_, isNetwork := errors.AsType[*net.OpError](err)
	switch {
	case isAddressInUse(err):
		return hintedError{err, "another program has this address: choose another port with --listen"}
	case isNetwork:
		return hintedError{err, "choose an address of this host, and a port above 1023, with --listen"}
	case errors.Is(err, sqlite.ErrInUse):
		return hintedError{err, "one relay serve at a time works on a folder: stop the other, or choose another folder with --data"}
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.ENOTDIR), errors.Is(err, os.ErrNotExist):
		return hintedError{err, "RELAY_DATA (--data) must be a folder that this user may write to"}
	default:
		return err
	}
}
