// Package route is `relay route`: it shows and changes where the texts of each number go. The package routing, below it, decides what a
// change does to a route.
package route

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/route"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay route`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "route",
		Short: "See and change where the texts of each number go",
		Long: `route shows and changes the routing table: which phones get the texts of each Twilio number, and with which settings. A
running relay uses a change within five seconds.

The table keeps who made each change and when. It refuses a change if someone else changed the same route meanwhile. Your name is
the one in RELAY_OPERATOR, or else your user name on this host. You may write phone numbers as usual, such as "(858) 555-0100";
a number without a country code belongs to the country in --country.`,
		Example: `  relay route set +18585550100 --to +16195550123 --fallback +16195550124
  relay route off +18585550100
  relay route export > maintenance.json
  relay route import maintenance.json`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.routeListCommand(), p.routeGetCommand(), p.routeSetCommand(), p.routeOnCommand(), p.routeOffCommand(),
		p.routeRemoveCommand(),
		p.routeImportCommand(), p.routeExportCommand(), p.routeCheckCommand(), p.routeHistoryCommand())
	return cmd
}

func (p program) routeListCommand() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the routes",
		Long: `ls lists the routes, one per line. You may use it while relay serve runs.

If a phone texted STOP to the number, it is marked as opted out: the relay skips it until it texts START. SETTINGS shows the
settings of the route itself; for the others, the relay's own settings count. --all also shows removed routes.`,
		Example: `  relay route ls
  relay route ls --json | jq -r '.[] | select(.opted_out) | .twilio_number'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			visible := routes
			if !all {
				visible = routing.Visible(routes)
			}
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(shownRoutes(visible))
			}
			return writeRoutes(p.Stdout, visible, len(routes)-len(visible))
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of routes")
	cmd.Flags().BoolVar(&all, "all", false, "also show removed routes")
	cli.AddTarget(cmd.Flags())
	return cmd
}

// listRoutes reads the routing table.
func (p program) listRoutes(ctx context.Context, flags *pflag.FlagSet) (routes []route.Route, err error) {
	err = p.withRoutes(ctx, flags, func(table route.Table) error {
		routes, err = p.ListRoutes(ctx, table)
		return err
	})
	return routes, err
}

// withRoutes opens the relay and calls do with its routing table.
func (p program) withRoutes(ctx context.Context, flags *pflag.FlagSet, do func(table route.Table) error) error {
	return p.WithTarget(ctx, flags, func(d *target.Target) error { return do(d.Routes) })
}
