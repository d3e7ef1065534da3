package route

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
)

func (p program) routeGetCommand() *cobra.Command {
	var asJSON bool
	var numbers cli.NumberFlags
	cmd := &cobra.Command{
		Use:     "get NUMBER",
		Aliases: []string{"show", "view"},
		Short:   "Show the route of one number",
		Long: `get shows the route of one Twilio number, even if it was removed: where its texts go, who has opted out, who changed it last,
and its version.`,
		Example: `  relay route get +18585550100
  relay route get "(858) 555-0100" --json | jq .version`,
		Args:              oneRoute,
		ValidArgsFunction: p.Number,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := numbers.Read(args[0])
			if err != nil {
				return err
			}
			all, err := p.listRoutes(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			found, ok := routing.Get(all, number)
			switch {
			case !ok:
				return cli.RouteError(routing.ErrNoRoute, number)
			case asJSON:
				return json.NewEncoder(p.Stdout).Encode(shown(found))
			default:
				return writeRoute(p.Stdout, found)
			}
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "the route")
	numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}
