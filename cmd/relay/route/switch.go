package route

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/route/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/route"
)

func (p program) routeOnCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:   "on NUMBER",
		Short: "Relay the texts of a number",
		Long: `on makes a route active: the texts of its number are relayed. A route that was removed comes back as it was. Texts that came
in while it was off were dropped, and stay so.`,
		Example: `  relay route on +18585550100`,
	}, routing.Switch(true), false)
}

func (p program) routeOffCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:   "off NUMBER",
		Short: "Drop the texts of a number",
		Long: `off makes a route inactive: the texts that come in for its number from now on are dropped, and the ledger says that of each. What
was accepted before is sent on as planned; off says how many texts wait. --drop-waiting has them dropped, too, as soon as it is
their turn. What was sent already is not called back.`,
		Example: `  relay route off +18585550100
  relay route off +18585550100 --drop-waiting
  relay route off +18585550100 --version 7`,
	}, routing.Switch(false), true)
}

func (p program) routeRemoveCommand() *cobra.Command {
	return p.switchCommand(cobra.Command{
		Use:     "rm NUMBER",
		Aliases: []string{"remove"},
		Short:   "Take a route out of use",
		Long: `rm takes a route out of use: the texts of its number are dropped as those of an inactive one, and ls shows it with --all only. As
with off, what was accepted before is sent on, unless --drop-waiting is said.
The item stays in the table, so that its history does, and no older maintenance.json brings it back. relay route on or set
does. While the item is there, the number can be no hop of another route.`,
		Example: `  relay route rm +18585550100`,
	}, func(r route.Route, exists bool) (route.Route, error) { return p.author().Remove(r, exists) }, true)
}

// switchCommand makes a command that changes a route without being told more than its number. One that ends says what waits.
func (p program) switchCommand(cmd cobra.Command, change change, ends bool) *cobra.Command {
	// A route that was made with --force is switched without it.
	f := editFlags{ends: ends, numbers: cli.NumberFlags{Insist: true}}
	cmd.Args, cmd.ValidArgsFunction = oneRoute, p.completeNumbers
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.edit(cmd, args[0], f, change) }
	if ends {
		cmd.Flags().BoolVar(&f.dropWaiting, "drop-waiting", false, "drop the texts, too, that were accepted before")
	}
	f.add(cmd.Flags())
	return &cmd
}

// printWaiting says what becomes of the texts of a route that was switched off which were accepted before.
func (p program) printWaiting(w target.Waiting, r route.Route) {
	becomes := "sent on as planned; --drop-waiting has them dropped"
	if r.OffSince.IsZero() {
		becomes = "dropped"
	}
	switch {
	case w.Texts > 0:
		cli.Printf(p.Stdout, "%s accepted before and not sent yet: %s.\n", cli.Were(w.Texts), becomes)
	case w.Unseen == 0:
		cli.Printf(p.Stdout, "No text waits.\n")
	}
	if w.Unseen > 0 {
		cli.Printf(p.Stdout, "The queue holds about %s of all numbers; what is among them for this one is %s.\n", cli.Plural(w.Unseen, "message"), becomes)
	}
}

// waiting counts the texts that wait. That they could not be counted is no reason to call the switch a failure.
func (p program) waiting(ctx context.Context, d *target.Target, r route.Route) *target.Waiting {
	w, err := d.Waiting(ctx, r.TwilioNumber)
	if err != nil {
		fmt.Fprintf(p.Stderr, "relay: warning: the texts that wait could not be counted: %v\n", err)
		return nil
	}
	return &w
}
