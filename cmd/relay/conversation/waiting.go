package conversation

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func (p program) printWaiting(list conversations.List, number sms.PhoneNumber) error {
	if len(list.Conversations) == 0 {
		cli.Say(p.Stdout, "No customer of %s waits for an answer.", string(number))
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "TAG"}, cli.Column{Title: "NAME", Drop: 3}, cli.Column{Title: "CUSTOMER"},
		cli.Column{Title: "WAITS SINCE"}, cli.Column{Title: "TEXTS", Drop: 2}, cli.Column{Title: "WHO HAS THEM"},
		cli.Column{Title: "NEXT", Drop: 1})
	for _, c := range list.Conversations {
		table.Row(string(c.Tag), c.Name, string(c.Customer), p.when(c.Since()), cli.Plural(c.Texts(), "text"), c.ClaimedBy(),
			p.next(c))
	}
	return table.Flush()
}

// next says what happens if nobody answers.
func (p program) next(c conversations.Shown) string {
	what, at := c.Next()
	if at.IsZero() {
		return what
	}
	return what + " " + cli.When(p.Stdout, at)
}

func (p program) doneCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "done NUMBER CUSTOMER",
		Short: "Say that nothing more is to be done for a customer who waits",
		Long: `done ends the waiting of a customer whom somebody has seen to in another way, by a call for example: the text does not go
out again, and no phone has the customer any more. The customer's next text begins a new wait. CUSTOMER is a phone number or a tag.
The audit log records it with your name (RELAY_OPERATOR, or else the user name on this host).`,
		Example:           `  relay conversation done +18585550100 A05`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.done(cmd, args, f) },
	}
	f.Add(cmd, "the customer as they are then")
	return cmd
}

func (p program) done(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	return p.Changing(cmd, args[0], f, func(d *target.Target, number sms.PhoneNumber, mode cli.Mode) error {
		c, err := f.Numbers.FindCustomer(ctx, d.Conversations, number, args[1])
		if err != nil {
			return err
		}
		a, err := d.Customers(time.Now).Look(ctx, number)
		if err != nil {
			return err
		}
		if !c.IsOpen() {
			return p.printDone(a.Show(c), "does not wait for an answer", f.AsJSON)
		}
		if mode == cli.Ask && !p.Confirmed(cmd, fmt.Sprintf("Is nothing more to be done for %s?", string(c.Customer))) {
			return cli.ErrNotConfirmed
		}
		if mode == cli.Show {
			return p.printDone(a.Show(c), "would not wait any more", f.AsJSON)
		}
		if c, err = d.Customers(time.Now).Finish(ctx, c.TwilioNumber, c.Customer, c.Spell.NewestSid, p.Operator("")); err != nil {
			if errors.Is(err, conversations.ErrNewerText) {
				err = cli.Hinted(err, "look at it first: relay conversation show --text")
			}
			return fmt.Errorf("end the waiting: %w", err)
		}
		return p.printDone(a.Show(c), "does not wait any more", f.AsJSON)
	})
}

func (p program) printDone(c conversations.Shown, verb string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(c)
	}
	cli.Say(p.Stdout, "%s %s.", string(c.Customer), verb)
	return nil
}
