package phone

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func (p program) removeCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:     "rm NUMBER PHONE|NAME",
		Aliases: []string{"remove", "delete"},
		Short:   "Take a phone's name away, and end at once what it may answer",
		Long: `rm takes the name of a phone away, and ends what a phone that left the route of a number may still answer: its texts are dropped
(not_staff), also with a tag.

The audit log records it with your name (RELAY_OPERATOR, or else the user name on this host).

It changes nothing else of the route. While the phone is a hop, its answers count; take it out with relay route set first. If the
phone is sent a text of the number again, it may answer again.`,
		Example: `  relay route set +18585550100 --to +16195550124
  relay phone rm +18585550100 +16195550123
  relay phone rm +18585550100 Ann`,
		Args:              cli.Arguments("the number", "the phone"),
		ValidArgsFunction: p.numberAndPhone,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.remove(cmd, args, f) },
	}
	f.Add(cmd, "whether it was removed, and whether the route still has it")
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
	// Name was the phone's, and is not any more.
	Name string `json:"name,omitempty"`
	// OnDuty: the route still has the phone, so that its answers count.
	OnDuty bool `json:"on_duty"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

func (p program) remove(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	ctx := cmd.Context()
	return p.Changing(cmd, args[0], f, func(d *target.Target, number sms.PhoneNumber, mode cli.Mode) error {
		way, err := cli.RouteOf(ctx, d.Routes, number)
		if err != nil {
			return err
		}
		phone, err := phoneOf(f.Numbers, way, args[1])
		if err != nil {
			return err
		}
		items, err := itemsOf(ctx, d, number, phone)
		if err != nil {
			return err
		}
		if len(items) == 0 && !way.IsPhone(phone) {
			return cli.Hinted(fmt.Errorf("%s was never sent a text of %s: there is nothing that it could answer", string(phone), string(number)),
				"relay phone ls "+string(number)+" lists the phones that may answer")
		}
		if mode == cli.Ask && !p.Confirmed(cmd, fmt.Sprintf("End what %s may answer for %s?", string(phone), string(number))) {
			return cli.ErrNotConfirmed
		}
		done := shownRemoval{TwilioNumber: number, Phone: phone, Name: way.NameOf(phone), DryRun: mode == cli.Show}
		if way, err = p.unname(ctx, d, way, done); err != nil {
			return err
		}
		done.OnDuty = way.IsPhone(phone)
		if done.Removed, err = p.endRight(ctx, d, items, done); err != nil {
			return err
		}
		return p.printRemoved(done, f.AsJSON)
	})
}

// phoneOf returns the phone that a person typed, by its name or its number.
func phoneOf(numbers cli.NumberFlags, way route.Route, text string) (sms.PhoneNumber, error) {
	if named, ok := way.PhoneNamed(text); ok {
		return named.Number, nil
	}
	phone, err := numbers.Read(text)
	if err != nil && strings.ContainsFunc(text, unicode.IsLetter) {
		return "", cli.NoPhoneCalled(way, text)
	}
	if main := way.PhoneOf(phone); err == nil && main != phone {
		return "", cli.Hinted(fmt.Errorf("%s is a further number of %s", string(phone), way.NameOf(main)),
			fmt.Sprintf("relay phone set %s %q %s --no-also", string(way.TwilioNumber), way.NameOf(main), string(main)))
	}
	return phone, err
}

// unname takes the phone's name away, and returns the route then.
func (p program) unname(ctx context.Context, d *target.Target, way route.Route, done shownRemoval) (route.Route, error) {
	if done.Name == "" {
		return way, nil
	}
	edited, err := routing.Edit{
		Number: way.TwilioNumber, Author: routing.Author{Name: p.Operator(""), Now: time.Now}, DryRun: done.DryRun,
		Change: func(r route.Route, _ bool) (route.Route, error) { return r.Without(done.Name) },
	}.Apply(ctx, d.Routes)
	if err != nil {
		return way, cli.RouteError(err, way.TwilioNumber)
	}
	return edited.After, nil
}

// endRight ends what the phone may answer. changed is false if that was so before.
func (p program) endRight(ctx context.Context, d *target.Target, items []conversation.Phone, done shownRemoval) (changed bool, err error) {
	key := conversation.PhoneKey{TwilioNumber: done.TwilioNumber, Phone: done.Phone}
	action := conversation.NewAction(conversation.DeedRemove, key, "", p.Operator(""), time.Now())
	for _, item := range items {
		one := item.Removed.IsZero()
		if !done.DryRun {
			if _, one, err = conversations.ChangePhone(ctx, d.Conversations, item, action,
				func(now conversation.Phone) (conversation.Phone, bool) { return now.Remove(p.Operator(""), time.Now()) }); err != nil {
				return changed, fmt.Errorf("remove the phone: %w", err)
			}
		}
		changed = changed || one
	}
	return changed, nil
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
	if done.Name != "" {
		would := "is"
		if done.DryRun {
			would = "would be"
		}
		cli.Say(p.Stdout, "%s %s no name of %s any more.", done.Name, would, number)
	}
	switch {
	case done.Removed && done.DryRun:
		cli.Say(p.Stdout, "%s could not answer customers of %s any more, once it is not in the route.", phone, number)
	case done.Removed:
		cli.Say(p.Stdout, "%s is removed from %s: what it writes is dropped (not_staff) while it is not in the route.", phone, number)
	case done.Name == "":
		cli.Say(p.Stdout, "%s: nothing to remove.", phone)
	}
	if done.OnDuty {
		cli.Say(p.Stdout, "It is still in the route of %s, so it gets texts, and its answers count. Take it out with relay route set, "+
			"and then run this again.", number)
	}
	return nil
}
