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
	"quickdumpnow.com/smsrelay/shared/conversation"
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

// shownDetails is one conversation with all about it, as JSON.
type shownDetails struct {
	shownConversation

	Phones []shownPhone `json:"phones"`
	Texts  []shownText  `json:"texts"`
}

// shownPhone is a phone that was sent texts of the customer.
type shownPhone struct {
	Phone      sms.PhoneNumber `json:"phone"`
	SentAt     time.Time       `json:"sent_at"`
	AnsweredAt time.Time       `json:"answered_at,omitzero"`
	// PausedUntil is set if so many texts went back and forth that the next one waits until then.
	PausedUntil time.Time `json:"paused_until,omitzero"`
}

func phonesOf(phones []conversation.Phone, customer sms.PhoneNumber, now time.Time) []shownPhone {
	found := []shownPhone{}
	for _, p := range phones {
		e, ok := exchangeWith(p, customer)
		if !ok || e.SentAt.IsZero() {
			continue
		}
		one := shownPhone{Phone: p.Phone, SentAt: e.SentAt.UTC(), AnsweredAt: e.AnsweredAt.UTC()}
		if e.AnsweredAt.IsZero() {
			one.AnsweredAt = time.Time{}
		}
		if wait := p.Pause(customer, now); wait > 0 {
			one.PausedUntil = now.Add(wait).UTC().Truncate(time.Second)
		}
		found = append(found, one)
	}
	return found
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
	var all shownDetails
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
) (all shownDetails, err error) {
	c, err := f.numbers.FindCustomer(ctx, d.Conversations, number, customer)
	if err != nil {
		return all, err
	}
	a, err := look(ctx, d, number)
	if err != nil {
		return all, err
	}
	records, err := textsWith(ctx, d.Ledger, c, f.limit)
	if err != nil {
		return all, err
	}
	all = shownDetails{shownConversation: a.shown(c), Phones: phonesOf(a.phones, c.Customer, time.Now()), Texts: []shownText{}}
	if c.Version == 0 && len(all.Phones)+len(records) == 0 {
		return all, cli.Hinted(fmt.Errorf("nothing is kept of %s at %s", string(c.Customer), string(number)),
			"relay conversation ls "+string(number)+" lists its customers")
	}
	for _, r := range records {
		if f.text {
			if r, err = readBy(ctx, d.Ledger, r, p.Operator("")); err != nil {
				return all, fmt.Errorf("no text is shown whose reading is not on record: %w", err)
			}
		}
		all.Texts = append(all.Texts, textOf(r, f.text))
	}
	return all, nil
}

func (p program) printDetails(all shownDetails) error {
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
	field("opted out", p.optOutOf(all.shownConversation))
	field("blocked", p.blockedBy(all.shownConversation))
	field("status", string(all.Status))
	if w := all.Waiting; w != nil {
		field("waits since", p.when(w.Since)+", "+cli.Plural(w.Texts, "text")+", "+p.next(all.shownConversation))
	}
	field("has them", all.claimer())
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

func (p program) printTexts(texts []shownText) error {
	table := cli.NewTable(p.Stdout, cli.Column{Title: "RECEIVED"}, cli.Column{Title: "FROM"}, cli.Column{Title: "STATE", Drop: 2},
		cli.Column{Title: "SID", ID: true, Drop: 1})
	for _, t := range texts {
		if t.Text == nil {
			table.Row(cli.When(p.Stdout, t.ReceivedAt), t.from(), t.state(), t.MessageSid)
			continue
		}
		cli.Printf(p.Stdout, "%s  %s  %s  %s\n", cli.When(p.Stdout, t.ReceivedAt), t.from(), t.state(), t.MessageSid)
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
func (t shownText) state() string {
	return cli.StateLine(ledger.Record{Version: 1, State: t.State, Reason: t.Reason})
}
