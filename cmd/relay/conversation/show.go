package conversation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// showFlags are the flags of conversation show.
type showFlags struct {
	numbers cli.NumberFlags
	limit   int
	text    bool
	asJSON  bool
}

func (p program) showCommand() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:     "show NUMBER CUSTOMER",
		Aliases: []string{"get", "view"},
		Short:   "Show a customer, and the last texts in both directions",
		Long: `show shows what is kept of one customer of a number, which phones were sent texts of them, and the last texts in both
directions, oldest first. CUSTOMER is a phone number, or the tag that the phones on duty see, such as A05.

It shows no words. --text also shows what each text says: the ledger and the audit log first record who looked, under the name in
RELAY_OPERATOR, or else the user name on this host. Replies of relay reply are found among the number's 500 newest texts.`,
		Example: `  relay conversation show +18585550100 A05
  relay conversation show +18585550100 +13125550147 --text --limit 4`,
		Args:              cli.Arguments("the number", "the customer"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.show(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.limit, "limit", "n", 10, "show at most this many texts")
	flags.BoolVar(&f.text, "text", false, "show what the texts say; your name is recorded with each")
	cli.AddJSON(flags, &f.asJSON, "the customer, the phones and the texts")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) show(cmd *cobra.Command, args []string, f showFlags) error {
	ctx := cmd.Context()
	if f.limit < 1 {
		return cli.Usage(errors.New("--limit: want 1 or more"))
	}
	number, err := f.numbers.Read(args[0])
	if err != nil {
		return err
	}
	var all conversations.Details
	if err := p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) error {
		all, err = p.details(ctx, d, number, args[1], f)
		return err
	}); err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(all)
	}
	return p.printDetails(all)
}

func (p program) details(
	ctx context.Context, d *target.Target, number sms.PhoneNumber, customer string, f showFlags,
) (all conversations.Details, err error) {
	c, err := f.numbers.FindCustomer(ctx, d.Conversations, number, customer)
	if err != nil {
		return all, err
	}
	wanted := conversations.Wanted{Texts: f.limit}
	if f.text {
		wanted.Reader = p.Operator("")
	}
	all, err = d.Customers(time.Now).Detail(ctx, c, wanted)
	if err == nil && c.Version == 0 && len(all.Phones)+len(all.Texts) == 0 {
		err = cli.Hinted(fmt.Errorf("nothing is kept of %s at %s", string(c.Customer), string(number)),
			"relay conversation ls "+string(number)+" lists its customers")
	}
	return all, err
}

func (p program) printDetails(all conversations.Details) error {
	out := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	field := func(name, value string) {
		if value != "" {
			cli.Printf(out, "%s\t%s\n", name, value)
		}
	}
	field("number", string(all.TwilioNumber))
	field("customer", string(all.Customer))
	field("name", all.Name)
	field("tag", string(all.Tag))
	field("opted out", p.optOutOf(all.Shown))
	field("blocked", p.blockedBy(all.Shown))
	field("status", string(all.Status))
	if w := all.Waiting; w != nil {
		field("waits since", p.when(w.Since)+", "+cli.Plural(w.Texts, "text")+", "+p.next(all.Shown))
	}
	field("has them", all.ClaimedBy())
	if err := out.Flush(); err != nil {
		return err
	}
	if len(all.Phones) > 0 {
		fmt.Fprintln(p.Stdout)
		table := cli.NewTable(p.Stdout, cli.Column{Title: "PHONE"}, cli.Column{Title: "LAST SENT TO IT"}, cli.Column{Title: "LAST ANSWER"},
			cli.Column{Title: "WAITS UNTIL", Drop: 1})
		for _, one := range all.Phones {
			table.Row(string(one.Phone), p.when(one.SentAt), p.when(one.AnsweredAt), p.when(one.PausedUntil))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if len(all.Texts) == 0 {
		return nil
	}
	fmt.Fprintln(p.Stdout)
	return p.printTexts(all.Texts)
}

func (p program) printTexts(texts []conversations.Text) error {
	table := cli.NewTable(p.Stdout, cli.Column{Title: "RECEIVED"}, cli.Column{Title: "FROM"}, cli.Column{Title: "STATE", Drop: 2},
		cli.Column{Title: "SID", ID: true, Drop: 1})
	for _, t := range texts {
		if t.Text == nil {
			table.Row(cli.When(p.Stdout, t.ReceivedAt), t.From(), state(t), t.MessageSid)
			continue
		}
		cli.Printf(p.Stdout, "%s  %s  %s  %s\n", cli.When(p.Stdout, t.ReceivedAt), t.From(), state(t), t.MessageSid)
		words := *t.Text
		if t.Attachments > 0 {
			words = strings.TrimSpace(words + " [" + cli.Plural(t.Attachments, "attachment") + "]")
		}
		for line := range strings.SplitSeq(words, "\n") {
			// Each line is indented, so that no text can look like a line of the program.
			cli.Say(p.Stdout, "  %s", line)
		}
	}
	if texts[0].Text != nil {
		return nil
	}
	return table.Flush()
}

// state is the text's state, with the reason.
func state(t conversations.Text) string {
	return cli.StateLine(ledger.Record{Version: 1, State: t.State, Reason: t.Reason})
}
