package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// RouteOf returns the route of a number of the business. The error says that there is none: a name or an answer at any other number
// would never be seen.
func RouteOf(ctx context.Context, table route.Table, number sms.PhoneNumber) (route.Route, error) {
	routes, err := table.Lookup(ctx, number.Spellings()...)
	if err != nil {
		return route.Route{}, err
	}
	r, exists := route.Find(routes, number)
	if !exists {
		return route.Route{}, Hinted(fmt.Errorf("%s has no route: it is none of your numbers", string(number)),
			"relay route ls --all lists them")
	}
	return r, nil
}

// FindCustomer finds a customer at a number by what a person types: the customer's number, or the tag that phones on duty see. A
// customer of whom nothing is stored has version 0.
func (f NumberFlags) FindCustomer(
	ctx context.Context, store target.Conversations, number sms.PhoneNumber, text string,
) (conversation.Conversation, error) {
	if tag, words, isTagged := conversation.Leading(text); isTagged && words == "" {
		return ofTag(ctx, store, number, tag)
	}
	customer, _, err := f.ReadSender(text)
	if err != nil {
		return conversation.Conversation{}, err
	}
	return store.Get(ctx, number, customer)
}

// ofTag finds the customer who has a tag.
func ofTag(
	ctx context.Context, store target.Conversations, number sms.PhoneNumber, tag conversation.Tag,
) (conversation.Conversation, error) {
	if !tag.IsValid() {
		return conversation.Conversation{}, Usage(fmt.Errorf("%s is not a tag: its last digit does not fit", tag))
	}
	uses, err := store.TagUses(ctx)
	if err != nil {
		return conversation.Conversation{}, err
	}
	for _, use := range uses {
		switch {
		case use.Tag != tag:
		case !sms.Same(use.Number, number):
			return conversation.Conversation{}, fmt.Errorf("%s is the tag of a customer of %s", tag, string(use.Number))
		default:
			c, err := store.Get(ctx, use.Number, use.Customer)
			if err != nil || c.Tag == tag {
				return c, err
			}
		}
	}
	return conversation.Conversation{}, Hinted(fmt.Errorf("no customer has the tag %s", tag),
		"relay conversation ls "+string(number)+" lists the tags of its customers")
}

// Number completes the first argument with the numbers that have routes, each with where its texts go. If the table cannot be read,
// it offers nothing: nobody reads the errors of a completion.
func (p Program) Number(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return p.completeNumber(cmd, args, func(route.Route) []cobra.Completion { return nil })
}

// NumberOrThread completes the first argument as [Program.Number] does, and with the threads of the routes.
func (p Program) NumberOrThread(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return p.completeNumber(cmd, args, func(r route.Route) (threads []cobra.Completion) {
		for _, thread := range r.Threads {
			threads = append(threads, cobra.CompletionWithDesc(string(thread), "a thread of "+string(r.TwilioNumber)))
		}
		return threads
	})
}

func (p Program) completeNumber(
	cmd *cobra.Command, args []string, further func(route.Route) []cobra.Completion,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.complete(cmd, func(d *target.Target) (offered []cobra.Completion, err error) {
		routes, _, err := route.Readable(d.Routes.List(cmd.Context()))
		for _, r := range routes {
			way := "to " + string(r.DestinationCarrier)
			if !r.Active {
				way += ", inactive"
			}
			offered = append(append(offered, cobra.CompletionWithDesc(string(r.TwilioNumber), way)), further(r)...)
		}
		return offered, err
	})
}

// completedCustomers is how many customers a shell is offered.
const completedCustomers = 50

// NumberAndCustomer completes the first argument as [Program.Number] does, and the second with customers of that number.
func (p Program) NumberAndCustomer(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return p.Number(cmd, args, typed)
	}
	return p.complete(cmd, func(d *target.Target) (offered []cobra.Completion, err error) {
		err = conversation.Each(cmd.Context(), d.Conversations, sms.PhoneNumber(args[0]), "", func(c conversation.Conversation) bool {
			about := strings.TrimSpace(string(c.Tag) + " " + c.Name)
			offered = append(offered, cobra.CompletionWithDesc(string(c.Customer), about))
			return len(offered) < completedCustomers
		})
		return offered, err
	})
}

func (p Program) complete(
	cmd *cobra.Command, list func(d *target.Target) ([]cobra.Completion, error),
) (offered []cobra.Completion, directive cobra.ShellCompDirective) {
	_ = p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) (err error) {
		offered, err = list(d)
		return err
	})
	return offered, cobra.ShellCompDirectiveNoFileComp
}

// Arguments wants as many arguments as names, which are what the command's use line calls them, in small letters.
func Arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return Usage(fmt.Errorf("name %s: there are %s", strings.Join(names, ", then "), Plural(len(args), "argument")))
		case len(args) > len(names):
			return Hinted(Usage(fmt.Errorf("unexpected argument %q", args[len(names)])),
				"put quotes around a number, a name or a text that contains spaces")
		}
		return nil
	}
}
