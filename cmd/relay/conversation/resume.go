package conversation

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func (p program) resumeCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:   "resume NUMBER CUSTOMER",
		Short: "Let texts go on that wait because so many went back and forth",
		Long: `resume ends the wait of a conversation in which so many texts went back and forth that they wait (queued, pingpong). Between a
customer and a phone, 40 texts may go at once, and one more every three minutes: two machines that answer each other would never end.
Look at the conversation first.

After resume, 40 more may go at once. What waits now goes on within three minutes. CUSTOMER is a phone number or a tag. The audit log
records it with your name (RELAY_OPERATOR, or else the user name on this host).`,
		Example:           `  relay conversation resume +18585550100 A05`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.resume(cmd, args, f) },
	}
	f.Add(cmd, "the phones whose texts with the customer go on")
	return cmd
}

func (p program) resume(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	return p.Changing(cmd, args[0], f, func(d *target.Target, number sms.PhoneNumber, mode cli.Mode) error {
		c, err := f.Numbers.FindCustomer(ctx, d.Conversations, number, args[1])
		if err != nil {
			return err
		}
		waiting, done, err := d.Customers(time.Now).Paused(ctx, number, c.Customer)
		if err != nil {
			return err
		}
		done.DryRun = mode == cli.Show
		if len(waiting) > 0 && mode == cli.Ask && !p.Confirmed(cmd, fmt.Sprintf("Let the texts between %s and %s go on?",
			string(c.Customer), cli.Plural(len(waiting), "phone"))) {
			return cli.ErrNotConfirmed
		}
		if mode != cli.Show {
			if err := d.Customers(time.Now).Resume(ctx, waiting, c.Customer, p.Operator("")); err != nil {
				return err
			}
		}
		return p.printResumed(done, f.AsJSON)
	})
}

func (p program) printResumed(done conversations.Resumed, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(done)
	}
	if len(done.Phones) == 0 {
		cli.Say(p.Stdout, "No text between %s and a phone has to wait.", string(done.Customer))
		return nil
	}
	verb := "go on within three minutes"
	if done.DryRun {
		verb = "would go on"
	}
	for _, phone := range done.Phones {
		cli.Say(p.Stdout, "Texts between %s and the phone %s %s.", string(done.Customer), string(phone), verb)
	}
	return nil
}
