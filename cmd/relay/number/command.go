// Package number is `relay number`: it shows where the numbers of the Twilio account post their texts, and points them at the relay.
// The checks of a number are in package doctor.
package number

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/cmd/relay/webhooks"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay number`.
func Command(base cli.Program, check *cobra.Command) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "number",
		Short: "See and set where the account's numbers post their texts",
		Long: `number shows the account's numbers at Twilio and gives them the relay's webhook. It needs the Auth Token or a Main API key:
the restricted key that sends texts may not read numbers.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.numberListCommand(), p.numberConfigureCommand(), check)
	return cmd
}

func (p program) numberListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the account's numbers with their webhooks",
		Long:    `ls lists the account's numbers, one per line, with what they can do and where they post incoming texts.`,
		Example: `  relay number ls
  relay number ls --json | jq -r '.[] | select(.sms_url == "") | .phone_number'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := p.OpenTwilio(cmd.Flags())
			if err != nil {
				return err
			}
			numbers, err := client.Numbers(cmd.Context(), "")
			if err != nil {
				return p.twilioError(cmd.Flags(), err)
			}
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(shownNumbers(numbers))
			}
			return p.writeNumbers(numbers)
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of numbers")
	cli.AddTwilio(cmd.Flags())
	return cmd
}

// writeNumbers shows a line for each number.
func (p program) writeNumbers(numbers []twilio.Number) error {
	if len(numbers) == 0 {
		fmt.Fprintln(p.Stderr, "The account has no numbers.")
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "NUMBER"}, cli.Column{Title: "SMS"}, cli.Column{Title: "WEBHOOK", Text: true},
		cli.Column{Title: "METHOD", Drop: 1}, cli.Column{Title: "FALLBACK", Text: true, Drop: 2}, cli.Column{Title: "NAME", Text: true, Drop: 3})
	for _, n := range numbers {
		can := "no"
		if n.SMS {
			can = "yes"
		}
		table.Row(string(n.PhoneNumber), can, n.SmsURL, n.SmsMethod, n.SmsFallbackURL, n.FriendlyName)
	}
	return table.Flush()
}

// twilioError adds a hint to an error of Twilio.
func (p program) twilioError(flags *pflag.FlagSet, err error) error {
	if unreachable := p.Unreachable(flags, err); unreachable != nil {
		return unreachable
	}
	return cli.Hinted(err, "relay doctor --only twilio-credentials --only account-status says more; a restricted API key may not read or "+
		"change numbers")
}

// configuration is what a number should be given.
type configuration struct {
	url, fallback, callback string
	consent                 cli.Consent
	asJSON                  bool
	numbers                 cli.NumberFlags
	// threads also configures the threads of the number's route.
	threads bool
}

func (p program) numberConfigureCommand() *cobra.Command {
	var c configuration
	cmd := &cobra.Command{
		Use:   "configure NUMBER",
		Short: "Point a number's texts at the relay",
		Long: `configure shows what it would change to point a number's webhook at the relay, and changes it with --apply. The webhook
becomes PUBLIC_BASE_URL with /sms/inbound (POST), and gets connection overrides, so that Twilio tries again after a failure. The
fallback URL is the second PUBLIC_BASE_URL if there is one, or else the webhook itself again.

A route's threads need the same webhook: --threads configures the number and the threads of its route, which it reads from the relay's
table. NUMBER may also be one thread.

Status callbacks need no setting on the number: the relay names its own with each text. The number's own status callback is for
calls; it stays as it is unless you add --status-callback.`,
		Example: `  relay number configure +18585550100 --url https://relay.example.com
  relay number configure +18585550100 --url https://relay.example.com --fallback https://second.example.com --apply
  relay number configure +18585550100 --threads --apply`,
		Args:              cli.OneNumber,
		ValidArgsFunction: p.NumberOrThread,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := c.numbers.Read(args[0])
			if err != nil {
				return err
			}
			return p.configure(cmd, number, c)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.url, "url", "", "the relay's URL, without /sms/… (default: the first of PUBLIC_BASE_URL)")
	flags.StringVar(&c.fallback, "fallback", "", "the relay's URL to use when the first fails (default: the second of PUBLIC_BASE_URL, or "+
		"else the first)")
	flags.StringVar(&c.callback, "status-callback", "", "also set the number's own status callback, which is for calls")
	flags.BoolVar(&c.threads, "threads", false, "also configure the threads of the number's route")
	c.consent.Add(flags, "change the number; without it, only show what would change")
	cli.AddJSON(flags, &c.asJSON, "the settings that change, and whether they were changed; one line for each number")
	c.numbers.Add(flags)
	cli.AddTarget(flags)
	cli.AddTwilio(flags)
	return cmd
}

// configure shows what a number needs, and its threads if they are asked for, and changes it if that is wanted.
func (p program) configure(cmd *cobra.Command, number sms.PhoneNumber, c configuration) error {
	ctx, flags := cmd.Context(), cmd.Flags()
	mode, err := p.Mode(cmd, c.consent, c.asJSON)
	if err != nil {
		return err
	}
	wanted, err := p.wantedSettings(flags, c)
	if err != nil {
		return err
	}
	client, err := p.OpenTwilio(flags)
	if err != nil {
		return err
	}
	numbers := []sms.PhoneNumber{number}
	if c.threads {
		if numbers, err = p.withThreads(ctx, flags, number); err != nil {
			return err
		}
	}
	all, err := client.Numbers(ctx, "")
	if err != nil {
		return p.twilioError(flags, err)
	}
	plan := make([]webhooks.Plan, len(numbers))
	for i, number := range numbers {
		if plan[i], err = webhooks.PlanOf(all, number, wanted); err != nil {
			return err
		}
	}
	return p.carryOut(cmd, client, plan, wanted, mode, c.asJSON)
}

// withThreads returns the numbers of a route: the route's own, then its threads. number is any of them.
func (p program) withThreads(ctx context.Context, flags *pflag.FlagSet, number sms.PhoneNumber) (numbers []sms.PhoneNumber, err error) {
	err = p.WithTarget(ctx, flags, func(d *target.Target) error {
		routes, err := p.ListRoutes(ctx, d.Routes)
		if err != nil {
			return fmt.Errorf("list the routes: %w", err)
		}
		at := slices.IndexFunc(routes, func(r route.Route) bool { return !r.IsRemoved() && r.Owns(number) })
		if at < 0 {
			return cli.Hinted(fmt.Errorf("%s has no route, so it has no threads", number), "leave --threads out to configure only that number")
		}
		numbers = routes[at].Numbers()
		return nil
	})
	return numbers, err
}
