package phone

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// removeFlags are the flags of phone rm.
type removeFlags struct {
	numbers cli.NumberFlags
	asJSON  bool
	consent cli.Consent
}

func (p program) removeCommand() *cobra.Command {
	var f removeFlags
	cmd := &cobra.Command{
		Use:     "rm NUMBER PHONE",
		Aliases: []string{"remove", "delete"},
		Short:   "End at once what a phone that left may answer",
		Long: `rm ends what a phone that left the route of a number may still answer: its texts are dropped (not_staff), also with a tag.

The audit log records it with your name (RELAY_OPERATOR, or else the user name on this host).

It does not change the route. While the phone is in the route, its answers count; take it out with relay route set first. If the
phone is sent a text of the number again, it may answer again.`,
		Example: `  relay route set +18585550100 --to +16195550124
  relay phone rm +18585550100 +16195550123`,
		Args:              cli.Arguments("the number", "the phone"),
		ValidArgsFunction: p.numberAndPhone,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.remove(cmd, args, f) },
	}
	cli.AddJSON(cmd.Flags(), &f.asJSON, "whether it was removed, and whether the route still has it")
	f.consent.Add(cmd.Flags(), "")
	f.numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}

// numberAndPhone completes the number, and then its phones.
func (p program) numberAndPhone(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return p.Number(cmd, args, typed)
	}
	var offered []cobra.Completion
	_ = p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		phones, err := phonesOf(cmd.Context(), d, sms.PhoneNumber(args[0]))
		for _, one := range phones {
			offered = append(offered, cobra.CompletionWithDesc(string(one.Phone), "may answer: "+p.rightOf(one)))
		}
		return err
	})
	return offered, cobra.ShellCompDirectiveNoFileComp
}

// shownRemoval is what rm did, as JSON.
type shownRemoval struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Phone        sms.PhoneNumber `json:"phone"`
	// Removed: the phone may answer nobody any more. It is false if that was so before.
	Removed bool `json:"removed"`
	// OnDuty: the route still has the phone, so that its answers count.
	OnDuty bool `json:"on_duty"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

func (p program) remove(cmd *cobra.Command, args []string, f removeFlags) error {
	ctx := cmd.Context()
	number, err := f.numbers.Read(args[0])
	if err != nil {
		return err
	}
	phone, err := f.numbers.Read(args[1])
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	return p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) error {
		way, err := cli.RouteOf(ctx, d.Routes, number)
		if err != nil {
			return err
		}
		items, err := itemsOf(ctx, d, number, phone)
		if err != nil {
			return err
		}
		done := shownRemoval{TwilioNumber: number, Phone: phone, OnDuty: way.Has(phone), DryRun: mode == cli.Show}
		if len(items) == 0 && !done.OnDuty {
			return cli.Hinted(fmt.Errorf("%s was never sent a text of %s: there is nothing that it could answer", string(phone), string(number)),
				"relay phone ls "+string(number)+" lists the phones that may answer")
		}
		if mode == cli.Ask && !p.Confirmed(cmd, fmt.Sprintf("End what %s may answer for %s?", string(phone), string(number))) {
			return cli.ErrNotConfirmed
		}
		action := conversation.NewAction(conversation.DeedRemove, conversation.PhoneKey{TwilioNumber: number, Phone: phone}, "",
			p.Operator(""), time.Now())
		for _, item := range items {
			changed := item.Removed.IsZero()
			if mode != cli.Show {
				if _, changed, err = cli.ChangePhone(ctx, d.Conversations, item, action,
					func(now conversation.Phone) (conversation.Phone, bool) { return now.Remove(time.Now()) }); err != nil {
					return fmt.Errorf("remove the phone: %w", err)
				}
			}
			done.Removed = done.Removed || changed
		}
		return p.printRemoved(done, f.asJSON)
	})
}

// itemsOf returns what is kept of a phone, under each of the numbers that its texts come from.
func itemsOf(ctx context.Context, d *target.Target, number, phone sms.PhoneNumber) ([]conversation.Phone, error) {
	own, err := d.Conversations.GetPhone(ctx, conversation.PhoneKey{TwilioNumber: number, Phone: phone})
	if err != nil {
		return nil, err
	}
	var items []conversation.Phone
	if own.Version > 0 {
		items = append(items, own)
	}
	all, err := d.Conversations.ListPhones(ctx, number)
	for _, item := range all {
		if sms.Same(item.Phone, phone) && item.Item() != own.Item() {
			items = append(items, item)
		}
	}
	return items, err
}

func (p program) printRemoved(done shownRemoval, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(done)
	}
	number, phone := string(done.TwilioNumber), string(done.Phone)
	switch {
	case done.Removed && done.DryRun:
		cli.Say(p.Stdout, "%s could not answer customers of %s any more, once it is not in the route.", phone, number)
	case done.Removed:
		cli.Say(p.Stdout, "%s is removed from %s: what it writes is dropped (not_staff) while it is not in the route.", phone, number)
	default:
		cli.Say(p.Stdout, "%s: nothing to remove.", phone)
	}
	if done.OnDuty {
		cli.Say(p.Stdout, "It is still in the route of %s, so it gets texts, and its answers count. Take it out with relay route set, "+
			"and then run this again.", number)
	}
	return nil
}
