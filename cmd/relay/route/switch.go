package route

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/route"
)

func (p program) routeOnCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:   "on NUMBER",
		Short: "Relay the texts of a number",
		Long: `on makes a route active: the relay sends on the texts of its number. A removed route comes back as it was. Texts that came
in while it was off stay dropped.`,
		Example: `  relay route on +18585550100`,
	}, routing.Switch(true), false)
}

func (p program) routeOffCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:   "off NUMBER",
		Short: "Drop the texts of a number",
		Long: `off makes a route inactive: from now on the relay drops the texts of its number, and the ledger records each. Texts accepted
before are still sent; off says how many are waiting. With --drop-waiting the relay drops them, too, when it is their turn.
Texts that were sent already cannot be called back.`,
		Example: `  relay route off +18585550100
  relay route off +18585550100 --drop-waiting
  relay route off +18585550100 --version 7`,
	}, routing.Switch(false), true)
}

func (p program) routeRemoveCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:     "rm NUMBER",
		Aliases: []string{"remove", "delete"},
		Short:   "Remove a route",
		Long: `rm removes a route: the relay drops the texts of its number, and ls shows the route only with --all. As with off, texts
accepted before are still sent, unless you add --drop-waiting.

The item stays in the table. This keeps its history, and no older maintenance.json brings it back; relay route on or set does.
While the item is there, the number cannot be a phone of another route.`,
		Example: `  relay route rm +18585550100`,
	}, func(r route.Route, exists bool) (route.Route, error) { return p.author().Remove(r, exists) }, true)
}

// switchCommand makes a command that needs only the number of the route to change. If it ends the route, it says how many texts wait.
func (p program) switchCommand(cmd cobra.Command, change change, ends bool) *cobra.Command {
	// A route that was made with --force can be switched without it.
	f := editFlags{ends: ends, numbers: cli.NumberFlags{Insist: true}}
	cmd.Args, cmd.ValidArgsFunction = oneRoute, p.Number
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.edit(cmd, args[0], f, change) }
	if ends {
		cmd.Flags().BoolVar(&f.dropWaiting, "drop-waiting", false, "also drop the texts that were accepted before")
	}
	f.add(cmd.Flags())
	return &cmd
}

// printWaiting says how many texts of a switched-off route were accepted before and wait, and what happens to them.
func (p program) printWaiting(w target.Waiting, r route.Route) {
	if w.Texts == 0 && w.Unseen == 0 {
		cli.Printf(p.Stdout, "No text is waiting.\n")
		return
	}
	if w.Texts > 0 {
		cli.Printf(p.Stdout, "%s accepted before and not sent yet.\n", cli.Were(w.Texts))
	}
	if w.Unseen > 0 {
		cli.Say(p.Stdout, "The queue holds about %s for all numbers; some may be for this one.", cli.Plural(w.Unseen, "message"))
	}
	if r.OffSince.IsZero() {
		cli.Printf(p.Stdout, "The relay drops waiting texts when it is their turn.\n")
	} else {
		cli.Printf(p.Stdout, "The relay still sends waiting texts; --drop-waiting drops them.\n")
	}
}

// waiting counts the texts that wait. If they cannot be counted, the command still succeeds.
func (p program) waiting(ctx context.Context, d *target.Target, r route.Route) *target.Waiting {
	w, err := d.Waiting(ctx, r.TwilioNumber)
	if err != nil {
		fmt.Fprintf(p.Stderr, "relay: warning: the waiting texts could not be counted: %v\n", err)
		return nil
	}
	return &w
}
