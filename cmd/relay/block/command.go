// Package block is `relay block`: the customers whose texts go to no phone. It blocks them and lets them through again, and nothing else.
package block

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay block`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "block",
		Short: "Keep a customer's texts from all phones",
		Long: `block keeps the texts of a customer from all phones of a number. Each later text is recorded as dropped (blocked) and counted. The
customer is told nothing. STOP and START of the customer still count, and phones may still write to the customer. What was on its way to a
phone before is not taken back.

The audit log records who blocked a customer, and who let the texts through again (RELAY_OPERATOR, or else the user name on this host).`,
		Example: `  relay block add +18585550100 +13125550147
  relay block ls
  relay block rm +18585550100 +13125550147`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.addCommand(), p.removeCommand())
	return cmd
}

func (p program) listCommand() *cobra.Command {
	var asJSON bool
	var numbers cli.NumberFlags
	cmd := &cobra.Command{
		Use:     "ls [NUMBER]",
		Aliases: []string{"list"},
		Short:   "List the customers who are blocked",
		Long:    `ls lists the customers who are blocked at a number, or at all numbers that have a route.`,
		Example: `  relay block ls +18585550100
  relay block ls --json | jq -r '.[].customer'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.OneNumber(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.list(cmd, args, numbers, asJSON) },
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of the customers who are blocked")
	numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}

func (p program) list(cmd *cobra.Command, args []string, flags cli.NumberFlags, asJSON bool) error {
	ctx := cmd.Context()
	var numbers []sms.PhoneNumber
	for _, text := range args {
		number, err := flags.Read(text)
		if err != nil {
			return err
		}
		numbers = append(numbers, number)
	}
	var found []contact.ShownBlock
	if err := p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) (err error) {
		found, err = p.blocked(ctx, d, numbers)
		return err
	}); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(found)
	}
	if len(found) == 0 {
		cli.Say(p.Stdout, "No customer is blocked.")
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "NUMBER", Drop: 3}, cli.Column{Title: "CUSTOMER"}, cli.Column{Title: "NAME", Drop: 1},
		cli.Column{Title: "BY"}, cli.Column{Title: "SINCE", Drop: 2})
	for _, b := range found {
		table.Row(string(b.TwilioNumber), string(b.Customer), b.Name, b.By, cli.When(p.Stdout, b.Since))
	}
	return table.Flush()
}

// blocked returns the customers who are blocked: of these numbers, or of all that have a route.
func (p program) blocked(ctx context.Context, d *target.Target, numbers []sms.PhoneNumber) ([]contact.ShownBlock, error) {
	numbers, err := p.OrRouted(ctx, numbers, d.Routes)
	if err != nil {
		return nil, err
	}
	found := []contact.ShownBlock{}
	for _, number := range numbers {
		all, _, err := contact.ListBlocked(ctx, d.Conversations, number, "", math.MaxInt)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			found = append(found, contact.ShowBlock(c))
		}
	}
	return found, nil
}

// whatIsPrinted is what the commands that change something print as JSON.
const whatIsPrinted = "what was done, and whether the customer is blocked now"

func (p program) addCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "add NUMBER CUSTOMER",
		Short: "Block a customer",
		Long: `add keeps the texts of a customer from all phones of the number, from the next text on. The customer need not have texted yet.

CUSTOMER is a phone number, a short code, or the tag that the phones on duty see, such as A47.`,
		Example: `  relay block add +18585550100 +13125550147
  relay block add +18585550100 A47`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.edit(cmd, args[0], args[1], true, f) },
	}
	f.Add(cmd, whatIsPrinted)
	return cmd
}

func (p program) removeCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:     "rm NUMBER CUSTOMER",
		Aliases: []string{"remove", "delete"},
		Short:   "Let a customer's texts through again",
		Long: `rm lets the texts of a blocked customer through again, from the next text on. Texts that were dropped stay dropped;
relay resend sends them if you name them.

CUSTOMER is a phone number, a short code, or the tag that the phones on duty see, such as A47.`,
		Example:           `  relay block rm +18585550100 +13125550147`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.edit(cmd, args[0], args[1], false, f) },
	}
	f.Add(cmd, whatIsPrinted)
	return cmd
}

// edit blocks a customer, or lets the texts through again.
func (p program) edit(cmd *cobra.Command, typedNumber, typedCustomer string, blocked bool, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	return p.Changing(cmd, typedNumber, f, func(d *target.Target, number sms.PhoneNumber, mode cli.Mode) error {
		r, err := cli.RouteOf(ctx, d.Routes, number)
		if err != nil && blocked {
			return err
		}
		c, err := f.Numbers.FindCustomer(ctx, d.Conversations, number, typedCustomer)
		if err != nil {
			return err
		}
		if blocked && r.IsPhone(c.Customer) {
			return cli.Hinted(cli.Usage(errors.New(string(c.Customer)+" is a phone of "+string(number)+", not a customer")),
				"relay phone rm "+string(number)+" PHONE ends what a phone that left the route may answer")
		}
		b := contact.Blocking{Store: d.Conversations, By: p.Operator(""), Now: time.Now}
		s := b.StepTo(c, blocked)
		if mode != cli.Do {
			if err := p.printStep(s, f.AsJSON, true); err != nil || mode == cli.Show || s.Change == contact.Unchanged {
				return err
			}
			if !p.Confirmed(cmd, "Change it?") {
				return cli.ErrNotConfirmed
			}
		}
		if s, err = b.Apply(ctx, c.TwilioNumber, c.Customer, blocked); err != nil {
			return fmt.Errorf("write the block: %w", err)
		}
		return p.printStep(s, f.AsJSON, false)
	})
}

// printStep says what was done, or would be.
func (p program) printStep(s contact.Step, asJSON, isPlan bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(s.ShowBlock(isPlan))
	}
	customer, number, verb := string(s.After.Customer), string(s.After.TwilioNumber), "is"
	if isPlan {
		verb = "would be"
	}
	switch {
	case s.Change == contact.WasBlocked:
		cli.Say(p.Stdout, "%s %s blocked at %s: no phone gets its texts. relay block rm %s %s undoes that.", customer, verb, number, number,
			customer)
	case s.Change == contact.WasUnblocked:
		cli.Say(p.Stdout, "%s %s blocked at %s no longer.", customer, verb, number)
	case s.After.Blocked.On:
		cli.Say(p.Stdout, "%s is blocked at %s already.", customer, number)
	default:
		cli.Say(p.Stdout, "%s is not blocked at %s.", customer, number)
	}
	return nil
}
