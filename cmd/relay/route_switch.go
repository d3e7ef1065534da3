package main

import (
	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
)

func (p program) routeOnCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:   "on NUMBER",
		Short: "Relay the texts of a number",
		Long: `on makes a route active: the texts of its number are relayed. A route that was removed comes back as it was. Texts that came
in while it was off were dropped, and stay so.`,
		Example: `  relay route on +18585550100`,
	}, routing.Switch(true))
}

func (p program) routeOffCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:   "off NUMBER",
		Short: "Drop the texts of a number",
		Long: `off makes a route inactive: the texts that come in for its number are dropped, and the ledger says that of each. What was
sent already is not called back.`,
		Example: `  relay route off +18585550100
  relay route off +18585550100 --version 7`,
	}, routing.Switch(false))
}

func (p program) routeRemoveCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:     "rm NUMBER",
		Aliases: []string{"remove"},
		Short:   "Take a route out of use",
		Long: `rm takes a route out of use: the texts of its number are dropped as those of an inactive one, and ls shows it with --all only.
The item stays in the table, so that its history does, and no older maintenance.json brings it back. relay route on or set
does. While the item is there, the number can be no hop of another route.`,
		Example: `  relay route rm +18585550100`,
	}, func(r route.Route, exists bool) (route.Route, error) { return p.author().Remove(r, exists) })
}

// switchCommand makes a command that changes a route without being told more than its number.
func (p program) switchCommand(cmd cobra.Command, change change) *cobra.Command {
	var f editFlags
	cmd.Args, cmd.ValidArgsFunction = oneRoute, p.completeNumbers
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.edit(cmd, args[0], f, change) }
	f.add(cmd.Flags())
	return &cmd
}
