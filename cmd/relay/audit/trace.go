package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// traceFlags are what relay audit trace was asked for besides its argument.
type traceFlags struct {
	asJSON bool
	// number and customer name a conversation: a Twilio number, and who texted it.
	number, customer string
	numbers          cli.NumberFlags
}

func (p program) auditTraceCommand() *cobra.Command {
	var f traceFlags
	cmd := &cobra.Command{
		Use:   "trace MESSAGE_SID|CONVERSATION_ID",
		Short: "Show all that happened to one text, or to one customer's conversation",
		Long: `trace shows each change of one text, oldest first: its new state, the reason, and the attempt that caused the change.

It also shows each change of a conversation, which is a customer at a Twilio number: when the customer opted out or in and with
which word, and the tag and whether there is a name. Name the conversation by its conversation_id, as relay audit export and
verify show it, or by its two numbers.`,
		Example: `  relay audit trace SM00000000000000000000000000000001
  relay audit trace AB3DEFGH2JKLMNOPQRSTUVWXYZ
  relay audit trace --customer +13125550147 --number +18585550100`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case f.customer == "" && f.number == "" && len(args) != 1:
				return cli.Usage(errors.New("name one text by its SID, or a conversation by --customer and --number"))
			case f.customer+f.number != "" && (f.customer == "" || f.number == "" || len(args) > 0):
				return cli.Usage(errors.New("name a conversation by --customer and --number, and nothing else"))
			}
			return nil
		},
		ValidArgsFunction: p.CompleteSIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			traced, err := p.traced(cmd.Context(), cmd.Flags(), args, f)
			switch {
			case err != nil:
				return err
			case f.asJSON:
				return cli.WriteLoggedAll(p.Stdout, traced)
			default:
				return writeTrace(p.Stdout, traced)
			}
		},
	}
	flags := cmd.Flags()
	cli.AddJSON(flags, &f.asJSON, "the entries as they are in the log, one per line")
	flags.StringVar(&f.customer, "customer", "", "the conversation of this customer, with --number")
	flags.StringVar(&f.number, "number", "", "the Twilio number that the customer texted")
	f.numbers.Add(flags)
	cli.AddAuditSource(flags)
	cli.AddAuditTables(flags)
	return cmd
}

// traced finds the entries of one text or conversation, oldest first.
func (p program) traced(ctx context.Context, flags *pflag.FlagSet, args []string, f traceFlags) (found []cli.Logged, err error) {
	chain := ""
	if len(args) == 1 {
		if chain, err = readChain(args[0]); err != nil {
			return nil, err
		}
	}
	source, err := p.OpenAuditSource(ctx, flags, chain != "", 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if chain == "" {
		if chain, err = f.chainIn(ctx, source); err != nil {
			return nil, cli.WithTargetHint(err, flags.Changed("aws"))
		}
	}
	found, err = p.LoggedOf(ctx, source, auditsource.Query{From: source.Begins, Chain: chain}, func(auditlog.Entry) bool { return true })
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no entry about %s", source.Where, chain)
	}
	return auditlog.InOrder(found, func(e cli.Logged) auditlog.Entry { return e.Entry }), nil
}

// readChain reads the SID of a text, or a conversation's ID as entries and findings have it.
func readChain(text string) (string, error) {
	id, isPrefixed := auditlog.ConversationOf(text)
	id, _, _ = strings.Cut(id, ".")
	if conversationID.MatchString(id) {
		return auditlog.ChainOf(id), nil
	}
	if isPrefixed {
		return "", cli.Usage(fmt.Errorf("%q is not a conversation_id: want 26 capital letters and digits", id))
	}
	sids, err := cli.ReadSIDs([]string{text})
	if err != nil {
		return "", err
	}
	return sids[0], nil
}

// conversationID is how the relay writes the ID of a conversation.
var conversationID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// chainOf reads the flags that name one text or one conversation; both empty is all.
func chainOf(messageSid, conversation string) (string, error) {
	switch {
	case messageSid != "" && conversation != "":
		return "", cli.Usage(errors.New("--message and --conversation are two things to check: use one of them"))
	case conversation == "":
		return messageSid, nil
	}
	id, found := auditlog.ConversationOf(conversation)
	if !found {
		id = conversation
	}
	if !conversationID.MatchString(id) {
		return "", cli.Usage(fmt.Errorf("--conversation: %q is not a conversation_id: want 26 capital letters and digits", id))
	}
	return auditlog.ChainOf(id), nil
}

// chainIn looks up the conversation of the two numbers.
func (f traceFlags) chainIn(ctx context.Context, source *auditsource.Source) (string, error) {
	if source.Heads == nil {
		return "", cli.Usage(errors.New("a file has no full numbers: name the conversation by its conversation_id"))
	}
	number, err := f.numbers.ReadFlag("number", f.number)
	if err != nil {
		return "", err
	}
	customer, _, err := f.numbers.ReadSender(f.customer)
	if err != nil {
		return "", err
	}
	id, err := source.Heads.Conversation(ctx, number, customer)
	switch {
	case err != nil:
		return "", err
	case id == "":
		return "", fmt.Errorf("nothing is kept of a conversation of %s with %s", customer.Mask(), number.Mask())
	}
	return auditlog.ChainOf(id), nil
}

// writeTrace writes the entries for people.
func writeTrace(out io.Writer, found []cli.Logged) error {
	first := found[0]
	entries := make([]auditlog.Entry, len(found))
	for i, e := range found {
		entries[i] = e.Entry
	}
	if first.Subject == auditlog.SubjectConversation {
		cli.Printf(out, "conversation %s of %s with %s\n\n", first.ConversationID, cli.OrDash(first.Customer), cli.OrDash(first.TwilioNumber))
		return writeConversation(out, entries)
	}
	cli.Printf(out, "%s from %s to %s\n\n", first.MessageSid, cli.OrDash(first.Customer), cli.OrDash(first.TwilioNumber))
	return cli.WriteChanges(out, entries)
}

// writeConversation prints the changes of a conversation, one per line.
func writeConversation(out io.Writer, entries []auditlog.Entry) error {
	table := cli.NewTable(out, cli.Column{Title: "TIME"}, cli.Column{Title: "VERSION", Drop: 1}, cli.Column{Title: "CHANGE", Wrapped: true},
		cli.Column{Title: "OPTED OUT", Wrapped: true}, cli.Column{Title: "TAG"}, cli.Column{Title: "NAME"})
	for _, e := range entries {
		c := auditlog.Conversation{}
		if e.Conversation != nil {
			c = *e.Conversation
		}
		table.Row(cli.Precisely(out, e.Time), strconv.FormatInt(e.Version, 10), conversationChange(e, c), optedOut(c), cli.OrDash(c.Tag),
			named(c))
	}
	return table.Flush()
}

// conversationChange says what was changed, and by whom if it was not the relay.
func conversationChange(e auditlog.Entry, c auditlog.Conversation) string {
	text := e.Change
	var words []string
	for _, changed := range c.Changed {
		words = append(words, strings.ReplaceAll(changed, "_", " "))
	}
	if len(words) > 0 {
		text += ": " + strings.Join(words, ", ")
	}
	if e.Actor != "" {
		text += " by " + e.Actor
	}
	if e.Unsealed {
		text += " (changed by something other than the relay)"
	}
	return text
}

func optedOut(c auditlog.Conversation) string {
	switch {
	case c.Word == "":
		return "-"
	case c.OptedOut:
		return fmt.Sprintf("yes (%s, %s)", c.Word, c.MessageSid)
	default:
		return fmt.Sprintf("no (%s, %s)", c.Word, c.MessageSid)
	}
}

func named(c auditlog.Conversation) string {
	if c.Named {
		return "yes"
	}
	return "-"
}
