package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func (p program) numberCommand(check *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "number",
		Short: "See and set where the account's numbers post their texts",
		Long: `number reads the account's numbers at Twilio and gives them the relay's webhook. It asks with the Auth Token or a Main
API key: the restricted key that sends may not look.`,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
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
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := p.openTwilio(cmd.Flags())
			if err != nil {
				return err
			}
			numbers, err := client.Numbers(cmd.Context(), "")
			if err != nil {
				return withTwilioHint(err)
			}
			if asJSON {
				return json.NewEncoder(p.stdout).Encode(append([]twilio.Number{}, numbers...))
			}
			return p.writeNumbers(numbers)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of numbers")
	addTwilio(cmd.Flags())
	return cmd
}

// writeNumbers shows a line for each number.
func (p program) writeNumbers(numbers []twilio.Number) error {
	if len(numbers) == 0 {
		fmt.Fprintln(p.stderr, "The account has no numbers.")
		return nil
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tSMS\tWEBHOOK\tMETHOD\tFALLBACK\tNAME")
	for _, n := range numbers {
		can := "no"
		if n.SMS {
			can = "yes"
		}
		printf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", n.PhoneNumber, can, orDash(n.SmsURL), orDash(n.SmsMethod), orDash(n.SmsFallbackURL), n.FriendlyName)
	}
	return table.Flush()
}

// withTwilioHint adds advice to what Twilio refuses.
func withTwilioHint(err error) error {
	return hintedError{err, "relay doctor --only twilio-credentials --only account-status says more; a restricted API key may not read or change numbers"}
}

func (p program) numberCheckCommand() *cobra.Command {
	var f doctorFlags
	var numbers numberFlags
	cmd := &cobra.Command{
		Use:   "check NUMBER",
		Short: "Examine one number",
		Long: `check makes those of doctor's checks that are of one number: that the account owns it, what it can do, its webhook, its
route and its phones, and what became of its texts. The exit code is 3 if one fails.`,
		Example: `  relay number check +18585550100`,
		Args:    oneNumber,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := numbers.read(args[0])
			if err != nil {
				return err
			}
			relay, closeRelay, err := p.examined(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			relay.Number = number
			results := doctor.Examine(cmd.Context(), relay, doctor.Options{Only: doctor.OfOneNumber(), Deadline: f.deadline, Parallel: 8})
			return errors.Join(p.report(results, f.asJSON), closeRelay())
		},
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: an array of results")
	cmd.Flags().DurationVar(&f.deadline, "deadline", 15*time.Second, "longest time for one check")
	numbers.add(cmd.Flags())
	addExam(cmd.Flags())
	return cmd
}

// oneNumber wants one argument.
func oneNumber(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return hintedError{usageError{fmt.Errorf("want one number, got %d arguments", len(args))}, "a number with blanks in it goes between quotes"}
	}
	return nil
}

// configuration is what a number is to be given.
type configuration struct {
	url, fallback, callback string
	apply                   bool
	numbers                 numberFlags
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
		Args: oneNumber,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := c.numbers.read(args[0])
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
	c.numbers.add(flags)
	addTwilio(flags)
	return cmd
}

func (p program) configureNumber(ctx context.Context, flags *pflag.FlagSet, number sms.PhoneNumber, c configuration) error {
	wanted, err := p.wantedSettings(flags, c)
	if err != nil {
		return err
	}
	client, err := p.openTwilio(flags)
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
		return hintedError{fmt.Errorf("%s is not a number of the account", number), "relay number ls lists those that are"}
	}
	return p.changeNumber(ctx, client, all[at], wanted, c.apply)
}
