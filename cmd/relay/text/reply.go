package text

import (
	"errors"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// replyFlags are the flags of reply.
type replyFlags struct {
	key     string
	asJSON  bool
	consent cli.Consent
	numbers cli.NumberFlags
}

// ReplyCommand returns `relay reply`.
func ReplyCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f replyFlags
	cmd := &cobra.Command{
		Use:   "reply NUMBER CUSTOMER TEXT",
		Short: "Answer a customer from the number that they text",
		Long: `reply sends a text from a Twilio number to a customer of it, as POST /sms/reply does: the words as they are, without a name or a
number before them. It needs no phone on duty, and does not tell those. The text is queued, paced, sent once and recorded like every
other. A customer who waits for an answer has one then: the text that nobody answered does not go out again.

CUSTOMER is a phone number, or the tag that the phones on duty see, such as A05. TEXT may be - to read it from standard input. reply
refuses a customer who opted out (texted STOP). --dry-run says what would happen, and sends nothing. A text with a --key is sent
once, even if you run the command again with the same key.`,
		Example: `  relay reply +18585550100 A05 "We are on our way"
  relay reply +18585550100 +13125550147 "At three, then" --key visit-4711`,
		Args:              cli.Arguments("the number", "the customer", "the text"),
		ValidArgsFunction: p.NumberAndCustomer,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.reply(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "key", "", "your own key for this text: a second text with the same key is not sent")
	f.consent.Add(flags, "")
	cli.AddJSON(flags, &f.asJSON, "the answer of POST /sms/reply")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) reply(cmd *cobra.Command, args []string, f replyFlags) error {
	number, err := f.numbers.Read(args[0])
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	body, err := readBody(cmd, args[2])
	if err != nil {
		return err
	}
	if body == "" {
		return cli.Usage(errors.New("the text is empty"))
	}
	return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		c, err := f.numbers.FindCustomer(cmd.Context(), d.Conversations, number, args[1])
		if err != nil {
			return err
		}
		api := operatorapi.Open(p.Program, d)
		return p.order(cmd, mode, f.asJSON, func(isDryRun bool, answer any) error {
			return api.Order(cmd.Context(), operations.PathReply, operations.ReplyRequest{
				TwilioNumber: number, Customer: c.Customer, Body: body, IdempotencyKey: f.key, DryRun: isDryRun,
			}, answer)
		})
	})
}
