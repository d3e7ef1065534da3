package conversation

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func (p program) giveCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "give NUMBER CUSTOMER PHONE",
		Short: "Give a customer to a phone on duty",
		Long: `give says which phone has a customer from now on, as if the phone had sent /mine, or as if the phone that has the customer had sent
/give. The phone gets the customer's newest text, unless it was sent that one, and is told; so are the others who were sent texts of the
customer. CUSTOMER is a phone number or a tag, PHONE is the name or the number of a phone of the route that is on duty.

The relay carries it out, within a moment, and only if nobody else has taken the customer meanwhile. The audit log records it with your
name (RELAY_OPERATOR, or else the user name on this host).`,
		Example: `  relay conversation give +18585550100 A05 Ann
  relay conversation give +18585550100 +13125550147 +16195550124`,
		Args:              cli.Arguments("the number", "the customer", "the phone"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.give(cmd, args, f) },
	}
	f.Add(cmd, "the customer as they are then")
	return cmd
}

func (p program) give(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	return p.Changing(cmd, args[0], f, func(d *target.Target, number sms.PhoneNumber, mode cli.Mode) error {
		c, err := f.Numbers.FindCustomer(ctx, d.Conversations, number, args[1])
		if err != nil {
			return err
		}
		way, err := cli.RouteOf(ctx, d.Routes, number)
		if err != nil {
			return err
		}
		now := time.Now()
		order := operations.GiveRequest{
			TwilioNumber: number, Customer: c.Customer, Phone: args[2], From: c.Claimer(plan.ClaimingOf(way, now), now), DryRun: mode != cli.Do,
		}
		var shown conversations.Shown
		api := operatorapi.Open(p.Program, d)
		err = api.Order(ctx, operations.PathGive, order, &shown)
		if err == nil && mode == cli.Ask {
			if !p.Confirmed(cmd, fmt.Sprintf("Give %s to %s?", string(c.Customer), args[2])) {
				return cli.ErrNotConfirmed
			}
			order.DryRun = false
			err = api.Order(ctx, operations.PathGive, order, &shown)
		}
		if err != nil {
			return err
		}
		if f.AsJSON {
			return json.NewEncoder(p.Stdout).Encode(shown)
		}
		p.sayGiven(shown, way, args[2], mode == cli.Show)
		return nil
	})
}

// sayGiven says whether the phone has the customer.
func (p program) sayGiven(c conversations.Shown, way route.Route, typed string, isDryRun bool) {
	phone, found := way.Resolve(typed)
	if !found {
		phone = way.PhoneOf(sms.Typed(typed))
	}
	switch {
	case c.Claimer != nil && sms.Same(c.Claimer.Phone, phone):
		cli.Say(p.Stdout, "%s has %s now.", c.ClaimedBy(), string(c.Customer))
	case isDryRun:
		cli.Say(p.Stdout, "%s would have %s.", typed, string(c.Customer))
	default:
		cli.Say(p.Stdout, "The relay has the order, and has not carried it out yet. relay conversation show %s %s says who has %s.",
			string(c.TwilioNumber), string(c.Customer), string(c.Customer))
	}
}
