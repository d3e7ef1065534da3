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

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sqlite"
)

func (p program) routeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "route",
		Short: "See where the texts of each number go",
		Long: `route shows the routing table of a relay serve on this host: which phones the texts of each Twilio number go to, and
with which settings. Routes are changed with a maintenance.json, see relay serve --routes.`,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.routeListCommand())
	return cmd
}

func (p program) routeListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the routes",
		Long: `ls lists the routes, one a line. It may be asked while relay serve runs.

A phone that texted STOP to the number is marked as opted out: the relay passes it over until it texts START. SETTINGS
are those that the route itself says; for the others, the relay's own hold.`,
		Example: `  relay route ls
  relay route ls --json | jq -r '.[] | select(.OptedOut) | .TwilioNumber'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(p.stdout).Encode(append([]route.Route{}, routes...))
			}
			return writeRoutes(p.stdout, routes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of routes, with the names of a maintenance.json")
	addDesk(cmd.Flags())
	return cmd
}

// listRoutes reads the routing table.
func (p program) listRoutes(ctx context.Context, flags *pflag.FlagSet) (routes []route.Route, err error) {
	d, err := p.openDesk(ctx, flags)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Routes.List(ctx)
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
