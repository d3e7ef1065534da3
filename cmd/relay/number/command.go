// Package number is `relay number`: it shows where the numbers of the Twilio account post their texts, and points them at the relay.
// What the check of a number looks at is the doctor's.
package number

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
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
		Long: `number reads the account's numbers at Twilio and gives them the relay's webhook. It asks with the Auth Token or a Main
API key: the restricted key that sends may not look.`,
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
		Long:    `ls lists the account's numbers, one a line, with what they can do and where they post the texts that come in.`,
		Example: `  relay number ls
  relay number ls --json | jq -r '.[] | select(.SmsURL == "") | .PhoneNumber'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := p.OpenTwilio(cmd.Flags())
			if err != nil {
				return err
			}
			numbers, err := client.Numbers(cmd.Context(), "")
			if err != nil {
				return withTwilioHint(err)
			}
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(append([]twilio.Number{}, numbers...))
			}
			return p.writeNumbers(numbers)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of numbers")
	cli.AddTwilio(cmd.Flags())
	return cmd
}

// writeNumbers shows a line for each number.
func (p program) writeNumbers(numbers []twilio.Number) error {
	if len(numbers) == 0 {
		fmt.Fprintln(p.Stderr, "The account has no numbers.")
		return nil
	}
	table := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tSMS\tWEBHOOK\tMETHOD\tFALLBACK\tNAME")
	for _, n := range numbers {
		can := "no"
		if n.SMS {
			can = "yes"
		}
		cli.Printf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", n.PhoneNumber, can, cli.OrDash(n.SmsURL), cli.OrDash(n.SmsMethod), cli.OrDash(n.SmsFallbackURL), n.FriendlyName)
	}
	return table.Flush()
}

// withTwilioHint adds advice to what Twilio refuses.
func withTwilioHint(err error) error {
	return cli.Hinted(err, "relay doctor --only twilio-credentials --only account-status says more; a restricted API key may not read or change numbers")
}

// configuration is what a number is to be given.
type configuration struct {
	url, fallback, callback string
	apply                   bool
	numbers                 cli.NumberFlags
}

func (p program) numberConfigureCommand() *cobra.Command {
	var c configuration
	cmd := &cobra.Command{
		Use:   "configure NUMBER",
		Short: "Point a number's texts at the relay",
		Long: `configure shows how a number's webhook would have to change to be the relay's, and changes it with --apply. The webhook
becomes PUBLIC_BASE_URL with /sms/inbound (POST), and with the connection overrides that make Twilio ask again after a
failure. The fallback URL is that of a second PUBLIC_BASE_URL if there is one, else the webhook itself once more.

Receipts need nothing on the number: the relay names its own status callback with each text. The number's own is told of
calls, and is left as it is unless --status-callback says otherwise.`,
		Example: `  relay number configure +18585550100 --url https://relay.example.com
  relay number configure +18585550100 --url https://relay.example.com --fallback https://second.example.com --apply`,
		Args: cli.OneNumber,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := c.numbers.Read(args[0])
			if err != nil {
				return err
			}
			return p.configureNumber(cmd.Context(), cmd.Flags(), number, c)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.url, "url", "", "the relay's URL, without /sms/… (default the first of PUBLIC_BASE_URL)")
	flags.StringVar(&c.fallback, "fallback", "", "the URL of the relay to ask when that fails (default the second of PUBLIC_BASE_URL, or the same)")
	flags.StringVar(&c.callback, "status-callback", "", "also set the number's own status callback, which is told of calls")
	flags.BoolVar(&c.apply, "apply", false, "change the number; without it, only show what would change")
	c.numbers.Add(flags)
	cli.AddTwilio(flags)
	return cmd
}

func (p program) configureNumber(ctx context.Context, flags *pflag.FlagSet, number sms.PhoneNumber, c configuration) error {
	wanted, err := p.wantedSettings(flags, c)
	if err != nil {
		return err
	}
	client, err := p.OpenTwilio(flags)
	if err != nil {
		return err
	}
	all, err := client.Numbers(ctx, "")
	if err != nil {
		return withTwilioHint(err)
	}
	// Twilio may write the number in another of its spellings, by which it finds nothing in the one that was named.
	at := slices.IndexFunc(all, func(n twilio.Number) bool { return sms.Same(n.PhoneNumber, number) })
	if at < 0 {
		return cli.Hinted(fmt.Errorf("%s is not a number of the account", number), "relay number ls lists those that are")
	}
	return p.changeNumber(ctx, client, all[at], wanted, c.apply)
}
