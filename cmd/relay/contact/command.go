// Package contact is `relay contact`: the names by which phones on duty know the customers of a number. It writes names, and nothing
// else of a customer.
package contact

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

// Command returns `relay contact`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "contact",
		Short: "Keep the names of customers",
		Long: `contact keeps the names of a number's customers. The phones on duty then read "A47 Ann Miller +13125550147: ..." instead of the
number alone. Customers never see their names.

A name is kept in the letters of a short text message: at most 20 characters, without colons, and without words that look like tags.
set and import say what a name became. The audit log records who changed a name (RELAY_OPERATOR, or else the user name on this host),
but not the name itself.`,
		Example: `  relay contact set +18585550100 +13125550147 "Ann Miller"
  relay contact ls +18585550100
  relay contact import customers.csv`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.setCommand(), p.removeCommand(), p.importCommand())
	return cmd
}

func (p program) listCommand() *cobra.Command {
	var asJSON bool
	var numbers cli.NumberFlags
	cmd := &cobra.Command{
		Use:     "ls [NUMBER]",
		Aliases: []string{"list"},
		Short:   "List the customers who have a name",
		Long: `ls lists the customers of a number who have a name, or those of all numbers that have a route. relay conversation ls also lists
customers without a name.`,
		Example: `  relay contact ls +18585550100
  relay contact ls --json | jq -r '.[] | [.twilio_number, .customer, .name] | @csv'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.OneNumber(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.list(cmd, args, numbers, asJSON) },
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of customers with their names")
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
	found := []contact.Shown{}
	if err := p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) (err error) {
		found, err = p.named(ctx, d, numbers)
		return err
	}); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(found)
	}
	if len(found) == 0 {
		cli.Say(p.Stdout, "No customer has a name. relay contact set and relay contact import give names.")
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "NUMBER", Drop: 2}, cli.Column{Title: "CUSTOMER"}, cli.Column{Title: "NAME"},
		cli.Column{Title: "TAG", Drop: 1})
	for _, c := range found {
		table.Row(string(c.TwilioNumber), string(c.Customer), c.Name, string(c.Tag))
	}
	return table.Flush()
}

// named returns the customers with a name: of these numbers, or of all that have a route.
func (p program) named(ctx context.Context, d *target.Target, numbers []sms.PhoneNumber) ([]contact.Shown, error) {
	numbers, err := p.OrRouted(ctx, numbers, d.Routes)
	if err != nil {
		return nil, err
	}
	found := []contact.Shown{}
	for _, number := range numbers {
		all, _, err := contact.List(ctx, d.Conversations, number, "", math.MaxInt)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			found = append(found, contact.Show(c))
		}
	}
	return found, nil
}

// whatIsPrinted is what the commands that change something print as JSON.
const whatIsPrinted = "what was done, and the customer's name before and now"

func (p program) setCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "set NUMBER CUSTOMER NAME",
		Short: "Give a customer a name, or another one",
		Long: `set gives a customer of a number a name. The phones on duty see it from the next text on. The customer need not have texted yet.

CUSTOMER is a phone number, or the tag that the phones on duty see, such as A47.`,
		Example: `  relay contact set +18585550100 +13125550147 "Ann Miller"
  relay contact set +18585550100 A47 Ann`,
		Args:              cli.Arguments("the number", "the customer", "the name"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := contact.Fold(args[2])
			if err != nil {
				return cli.Usage(err)
			}
			return p.edit(cmd, args[0], args[1], name, f)
		},
	}
	f.Add(cmd, whatIsPrinted)
	return cmd
}

func (p program) removeCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:     "rm NUMBER CUSTOMER",
		Aliases: []string{"remove", "delete"},
		Short:   "Take a customer's name away",
		Long: `rm takes the name of a customer away: the phones on duty see the number alone from the next text on. The tag stays.

CUSTOMER is a phone number, or the tag that the phones on duty see, such as A47.`,
		Example:           `  relay contact rm +18585550100 +13125550147`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.edit(cmd, args[0], args[1], "", f) },
	}
	f.Add(cmd, whatIsPrinted)
	return cmd
}

// edit changes one name.
func (p program) edit(cmd *cobra.Command, typedNumber, typedCustomer, name string, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	return p.Changing(cmd, typedNumber, f, func(d *target.Target, number sms.PhoneNumber, mode cli.Mode) error {
		if _, err := cli.RouteOf(ctx, d.Routes, number); err != nil && name != "" {
			return err
		}
		c, err := f.Numbers.FindCustomer(ctx, d.Conversations, number, typedCustomer)
		if err != nil {
			return err
		}
		n := contact.Naming{Store: d.Conversations, By: p.Operator(""), Now: time.Now}
		s := contact.StepTo(c, name)
		switch err := s.Check(); {
		case errors.Is(err, contact.ErrNoNumber):
			return cli.Usage(err)
		case err != nil:
			return err
		}
		if mode != cli.Do {
			if err := p.printStep(s, f.AsJSON, true); err != nil || mode == cli.Show || s.Change == contact.Unchanged {
				return err
			}
			if !p.Confirmed(cmd, "Change it?") {
				return cli.ErrNotConfirmed
			}
		}
		if s, err = n.Apply(ctx, contact.Wanted{Number: c.TwilioNumber, Customer: c.Customer, Name: name}); err != nil {
			return fmt.Errorf("write the name: %w", err)
		}
		return p.printStep(s, f.AsJSON, false)
	})
}

// printStep says what was done, or would be.
func (p program) printStep(s contact.Step, asJSON, isPlan bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(s.Show(isPlan))
	}
	customer, verb := string(s.After.Customer), "is"
	if isPlan {
		verb = "would be"
	}
	switch s.Change {
	case contact.Unchanged:
		cli.Say(p.Stdout, "%s is %q already.", customer, s.After.Name)
	case contact.Removed:
		cli.Say(p.Stdout, "%s %s without a name; it was %q.", customer, verb, s.Before.Name)
	case contact.Changed:
		cli.Say(p.Stdout, "%s %s %q; it was %q.", customer, verb, s.After.Name, s.Before.Name)
	case contact.Added:
		cli.Say(p.Stdout, "%s %s %q.", customer, verb, s.After.Name)
	case contact.WasBlocked, contact.WasUnblocked: // relay block says those.
	}
	return nil
}
