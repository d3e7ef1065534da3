// Package localconsole is `relay console`: the console on the operator's own machine, over a relay on AWS or over a data folder.
package localconsole

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/mending"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/aws/mediabucket"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// stopTime is for how long requests may go on when the console stops.
const stopTime = 5 * time.Second

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// flags are those of relay console.
type flags struct{ listen, operator, bucket string }

// Settings are those of this command alone.
func Settings() []cli.Setting {
	return []cli.Setting{{
		Env:  cli.EnvMediaBucket,
		Help: "with --aws: the bucket for pictures, MediaBucket in the stack's outputs; without it none can go with an answer",
	}}
}

// Command returns `relay console`. examine is how it examines the relay.
func Command(base cli.Program, examine checkup.Examiner) *cobra.Command {
	p := program{base}
	var f flags
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Show the console in a browser on this machine",
		Long: `console shows pages for a browser on this machine: who waits for an answer, what went back and forth, and what can be done.
With --aws it works on the relay on AWS with your own credentials. On one host, "relay serve" has the same pages at /console, for
everybody whom "relay user" lets in.

Only this machine can reach it. It says a password that counts until you stop it with Ctrl-C. What you read and do is on record by your
name, as with the other commands. With --media-bucket, pictures can go with an answer on AWS.

"Is it well?" examines the relay from this machine, with the settings that relay doctor has.`,
		Example: `  relay console --aws
  relay console --aws --profile production --listen 127.0.0.1:8090
  relay console --aws --media-bucket sms-relay-mediabucket-1a2b3c
  relay console --data relay-data`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if host, _, err := net.SplitHostPort(f.listen); err != nil || !twilio.IsLoopback(host) {
				return cli.Usage(fmt.Errorf("--listen: %q is not an address of this machine alone, such as 127.0.0.1:8090", f.listen))
			}
			f.bucket = env.New(cli.LookupOf(Settings(), cmd.Flags(), p.Lookup)).String(cli.EnvMediaBucket, "")
			return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
				return p.serve(cmd.Context(), d, f, func(ctx context.Context) ([]checkup.Finding, error) {
					return examine(ctx, cmd.Flags(), d)
				})
			})
		},
	}
	own := cmd.Flags()
	own.StringVar(&f.listen, "listen", "127.0.0.1:0", "the address on this machine; port 0 takes a free one")
	own.StringVar(&f.operator, "operator", "", "your name, for the record (default: the user of this shell)")
	cli.AddTarget(own)
	cli.AddFlags(own, Settings())
	return cmd
}

// examiner examines the relay that is shown.
type examiner func(ctx context.Context) ([]checkup.Finding, error)

// serve shows the console until ctx ends.
func (p program) serve(ctx context.Context, d *target.Target, f flags, examine examiner) error {
	// Nobody else signs in, and nobody is signed in after a stop.
	folder, err := os.MkdirTemp("", "relay-console-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it has no secret.
	password := rand.Text()
	desk := mending.New(mending.Config{
		Ledger: d.Ledger, Routes: d.Routes, Queue: d.Queue, Dead: d.DeadLetters, Actions: d.Conversations, Pause: mending.Pause, Now: time.Now,
	})
	pages, err := p.pages(d, f.bucket, desk, examine, signin.Config{
		Users: signin.NewUsers(filepath.Join(folder, "users")), SessionsFile: filepath.Join(folder, "sessions.json"),
		OperatorToken: password, Operator: p.Operator(f.operator), Now: time.Now,
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.Stdout, "The console of the relay on %s:\n\n  http://%s%s\n\n", d.Where, listener.Addr(), console.Path)
	_, _ = fmt.Fprintf(p.Stdout, "Sign in by the name %s with the password %s. Ctrl-C ends it.\n", signin.OperatorName, password)
	return run(ctx, listener, pages, desk)
}

// pages returns the console over an open relay.
func (p program) pages(d *target.Target, bucket string, desk *mending.Desk, examine examiner, people signin.Config) (http.Handler, error) {
	logger := p.Logger()
	door, err := signin.Open(people)
	if err != nil {
		return nil, err
	}
	api := operatorapi.ConfigOf(d, logger)
	api.Rota = rota.Book{Routes: d.Routes, Records: d.Ledger, Conversations: d.Conversations, Now: time.Now}
	api.Mending, api.Pictures = desk, keeper(d, bucket)
	return console.New(console.Config{Door: door, Relay: d, API: api, Examine: examine, Now: time.Now, Logger: logger})
}

// keeper keeps pictures in the bucket of the relay on AWS, as its sender does; it is nil if there is none.
func keeper(d *target.Target, bucket string) func(media.Source) media.Keeper {
	if bucket == "" || d.AWSConfig.Region == "" {
		return nil
	}
	store := mediabucket.New(d.AWSConfig, bucket, time.Now)
	return func(source media.Source) media.Keeper {
		return media.Keeper{Source: source, Store: store, MaxItem: mediabucket.MaxItem, Now: time.Now}
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listener net.Listener, pages http.Handler, desk *mending.Desk) error {
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/{$}", http.RedirectHandler(console.Path, http.StatusSeeOther))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	group, ended := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { return desk.Run(ended) })
	group.Go(func() error {
		<-ended.Done()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		return server.Shutdown(stopping)
	})
	return group.Wait()
}
