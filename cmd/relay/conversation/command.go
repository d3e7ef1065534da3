// Package conversation is `relay conversation`: what is kept of the customers of a number, and what went back and forth with one of
// them. It changes nothing but that a customer waits, who has one, and the limit that holds back a conversation that goes round and round.
package conversation

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay conversation`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "conversation",
		Short: "See the customers of a number, and what went back and forth",
		Long: `conversation shows the customers of a Twilio number: their tags and names, when they last wrote and were answered, and who opted
out. The phones on duty start an answer with the customer's tag, such as A05.`,
		Example: `  relay conversation ls +18585550100
  relay conversation show +18585550100 A05
  relay conversation ls +18585550100 --open
  relay conversation give +18585550100 A05 Ann
  relay conversation done +18585550100 A05
  relay conversation resume +18585550100 +13125550147`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.showCommand(), p.giveCommand(), p.doneCommand(), p.resumeCommand())
	return cmd
}

// listFlags are the flags of conversation ls.
type listFlags struct {
	numbers cli.NumberFlags
	limit   int
	cursor  string
	open    bool
	asJSON  bool
}

func (p program) listCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:     "ls NUMBER",
		Aliases: []string{"list"},
		Short:   "List the customers of a number",
		Long: `ls lists the customers of a Twilio number, in the order of their numbers: the tag and the name by which the phones on duty know
them, when a text of theirs last went to a phone, when a phone last answered, and whether they opted out (texted STOP).

--open lists only those who wait for an answer, the unanswered first, then the longest waiting first. Who waits, and who has a customer,
is kept if the route has AnswerTimeout, ClaimTime or named phones.

A tag that has gone to another customer since is not shown. Each phone keeps its last 50 customers, so older times are not shown.`,
		Example: `  relay conversation ls +18585550100
  relay conversation ls +18585550100 --open
  relay conversation ls +18585550100 --limit 1000 --json`,
		Args:              cli.Arguments("the number"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.list(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.limit, "limit", "n", 50, "list at most this many customers")
	flags.BoolVar(&f.open, "open", false, "list those who wait for an answer")
	flags.StringVar(&f.cursor, "cursor", "", "continue an earlier list: the cursor that it ended with")
	cli.AddJSON(flags, &f.asJSON, "the customers, and the cursor of the next page")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) list(cmd *cobra.Command, text string, f listFlags) error {
	ctx := cmd.Context()
	if f.limit < 1 {
		return cli.Usage(errors.New("--limit: want 1 or more"))
	}
	number, err := f.numbers.Read(text)
	if err != nil {
		return err
	}
	list := conversations.List{Conversations: []conversations.Shown{}}
	if err := p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) error {
		if f.open {
			all, err := d.Customers(time.Now).Waiting(ctx, number)
			list.Conversations = all[:min(f.limit, len(all))]
			return err
		}
		a, err := d.Customers(time.Now).Look(ctx, number)
		if err != nil {
			return err
		}
		return conversation.Each(ctx, d.Conversations, number, sms.PhoneNumber(f.cursor), func(c conversation.Conversation) bool {
			if len(list.Conversations) == f.limit {
				list.NextCursor = string(list.Conversations[f.limit-1].Customer)
				return false
			}
			list.Conversations = append(list.Conversations, a.Show(c))
			return true
		})
	}); err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(list)
	}
	if f.open {
		return p.printWaiting(list, number)
	}
	return p.printList(list, number)
}

func (p program) printList(list conversations.List, number sms.PhoneNumber) error {
	if len(list.Conversations) == 0 {
		cli.Say(p.Stdout, "Nothing is kept of customers of %s yet.", string(number))
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "TAG"}, cli.Column{Title: "NAME", Drop: 3}, cli.Column{Title: "CUSTOMER"},
		cli.Column{Title: "TEXTED", Drop: 2}, cli.Column{Title: "ANSWERED", Drop: 1}, cli.Column{Title: "OPTED OUT", Drop: 4})
	for _, c := range list.Conversations {
		table.Row(string(c.Tag), c.Name, string(c.Customer), p.when(c.TextedAt), p.when(c.AnsweredAt), p.optOutOf(c))
	}
	if err := table.Flush(); err != nil || list.NextCursor == "" {
		return err
	}
	cli.Say(p.Stdout, "There are more: raise --limit, or continue with --cursor %s", list.NextCursor)
	return nil
}

// when is empty for no time.
func (p program) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return cli.When(p.Stdout, at)
}

// blockedBy says who blocked a customer and when; it is empty for one who is not blocked.
func (p program) blockedBy(c conversations.Shown) string {
	if c.Blocked == nil {
		return ""
	}
	return "by " + c.Blocked.By + ", " + cli.When(p.Stdout, c.Blocked.Since)
}

// optOutOf says by which word and when a customer opted out; it is empty for one who gets texts.
func (p program) optOutOf(c conversations.Shown) string {
	if c.OptOut == nil || !c.OptOut.OptedOut {
		return ""
	}
	return c.OptOut.Word + ", " + cli.When(p.Stdout, c.OptOut.Since)
}
