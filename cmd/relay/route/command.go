package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/desk"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
)

func (p program) routeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "route",
		Short: "See and change where the texts of each number go",
		Long: `route works on the routing table: which phones the texts of each Twilio number go to, and with which settings. A running
relay takes a change over within five seconds.

Each change is written with who made it and when, and refused if someone else has changed the same meanwhile. Who it is says
RELAY_OPERATOR, else the user of this host. Phone numbers may be written as people do, "(858) 555-0100"; without a
country code they are those of --country.`,
		Example: `  relay route set +18585550100 --to +16195550123 --fallback +16195550124
  relay route off +18585550100
  relay route export > maintenance.json
  relay route import maintenance.json`,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.routeListCommand(), p.routeGetCommand(), p.routeSetCommand(), p.routeOnCommand(), p.routeOffCommand(), p.routeRemoveCommand(),
		p.routeImportCommand(), p.routeExportCommand(), p.routeCheckCommand(), p.routeHistoryCommand())
	return cmd
}

func (p program) routeListCommand() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the routes",
		Long: `ls lists the routes, one a line. It may be asked while relay serve runs.

A phone that texted STOP to the number is marked as opted out: the relay passes it over until it texts START. SETTINGS
are those that the route itself says; for the others, the relay's own hold. Routes that were removed are shown with --all.`,
		Example: `  relay route ls
  relay route ls --json | jq -r '.[] | select(.OptedOut) | .TwilioNumber'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			shown := routes
			if !all {
				shown = routing.Visible(routes)
			}
			if asJSON {
				return json.NewEncoder(p.stdout).Encode(append([]route.Route{}, shown...))
			}
			return writeRoutes(p.stdout, shown, len(routes)-len(shown))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of routes, with the names of a maintenance.json")
	cmd.Flags().BoolVar(&all, "all", false, "show those, too, that were removed")
	addDesk(cmd.Flags())
	return cmd
}

// listRoutes reads the routing table.
func (p program) listRoutes(ctx context.Context, flags *pflag.FlagSet) (routes []route.Route, err error) {
	err = p.withRoutes(ctx, flags, func(table route.Table) error {
		routes, err = table.List(ctx)
		return err
	})
	return routes, err
}

// withRoutes opens the relay and lends out its routing table.
func (p program) withRoutes(ctx context.Context, flags *pflag.FlagSet, do func(table route.Table) error) error {
	return p.withDesk(ctx, flags, func(d *desk.Desk) error { return do(d.Routes) })
}

// withDesk opens the relay and lends it out.
func (p program) withDesk(ctx context.Context, flags *pflag.FlagSet, do func(d *desk.Desk) error) (err error) {
	var d *desk.Desk
	if d, err = p.openDesk(ctx, flags); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(d)
}

// withReadHint adds advice to errors that people meet when they look into a folder.
func withReadHint(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return hintedError{err, "relay serve makes this file: name the folder that it works on with --data or RELAY_DATA"}
	case errors.Is(err, os.ErrPermission):
		return hintedError{err, "ask as the user that relay serve runs as: the folder is that user's alone"}
	case errors.Is(err, sqlite.ErrOlderSchema):
		return hintedError{err, "start relay serve of this version once: it brings the file up to date"}
	case errors.Is(err, sqlite.ErrNewerSchema):
		return hintedError{err, "ask with the version of relay that wrote the file"}
	default:
		return err
	}
}
