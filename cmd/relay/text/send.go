package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/inert"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// sendFlags are the flags of send.
type sendFlags struct {
	body, to, from, key string
	dryRun, asJSON      bool
	numbers             cli.NumberFlags
}

// SendCommand returns `relay send`.
func SendCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "send NUMBER --body TEXT",
		Short: "Send a text from a Twilio number to the phone on duty",
		Long: `send queues a text of your own, from one of the Twilio numbers to wherever its route leads, as POST /sms/relay does. It is
paced, sent once and recorded like a customer's.

What would be dropped is refused: from a number without a route, by a route that is off, to one of the relay's own numbers.
--dry-run says what would become of a text, and queues nothing. The same --key is the same text for ever: a command that is run
twice with it sends once.`,
		Example: `  relay send +18585550100 --body "We are on our way"
  relay send +18585550100 --body "The gate code is 4711" --from "Front desk" --to +16195550123 --key visit-4711
  fortune | relay send +18585550100 --body - --dry-run`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usage(errors.New("from which Twilio number? Name one"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.send(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.body, "body", "", "the text; - reads it from the standard input")
	flags.StringVar(&f.to, "to", "", "send to this phone instead of the route's")
	flags.StringVar(&f.from, "from", "", "whom the text is shown as from (default nobody)")
	flags.StringVar(&f.key, "key", "", "idempotency key: a repeat with it sends nothing")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would become of it, and queue nothing")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON: the answer of POST /sms/relay")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) send(cmd *cobra.Command, text string, f sendFlags) (err error) {
	number, err := f.numbers.Read(text)
	if err != nil {
		return err
	}
	to, err := f.numbers.ReadFlag("to", f.to)
	if err != nil {
		return err
	}
	if f.body == "-" {
		read, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<16))
		if err != nil {
			return fmt.Errorf("read the text: %w", err)
		}
		f.body = strings.TrimRight(string(read), "\r\n")
	}
	if f.body == "" {
		return cli.Usage(errors.New("what does it say? --body TEXT, or --body - to read it"))
	}
	d, err := p.OpenTarget(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var answer json.RawMessage
	err = p.openOperatorAPI(d).relay(cmd.Context(), operations.RelayRequest{
		TwilioNumber: number, Body: f.body, From: sms.PhoneNumber(f.from), To: to, IdempotencyKey: f.key, DryRun: f.dryRun,
	}, &answer)
	if err != nil {
		return err
	}
	if f.asJSON {
		_, err := fmt.Fprintf(p.Stdout, "%s\n", answer)
		return err
	}
	return p.printSent(answer, f.dryRun)
}

func (p program) printSent(answer json.RawMessage, dryRun bool) error {
	if dryRun {
		var told operations.DryRun
		if err := json.Unmarshal(answer, &told); err != nil {
			return err
		}
		p.printDryRun(told)
		return nil
	}
	var sent operations.RelayAnswer
	if err := json.Unmarshal(answer, &sent); err != nil {
		return err
	}
	said := "is on the queue"
	if sent.Repeated {
		said = "is in the ledger already; nothing was queued"
	}
	fmt.Fprintf(p.Stdout, "%s %s. relay status %s shows what becomes of it.\n", sent.ID, said, sent.ID)
	return nil
}

// printDryRun says what would become of a text.
func (p program) printDryRun(told operations.DryRun) {
	switch told.Outcome {
	case operations.Send:
		fmt.Fprintf(p.Stdout, "It would be sent to %s, in %s:\n\n  %s\n\n", told.Destination, cli.Plural(told.Segments, "segment"), strings.ReplaceAll(inert.Block(told.Text), "\n", "\n  "))
		for _, hop := range told.Hops {
			if hop.OptedOut {
				fmt.Fprintf(p.Stdout, "%s has opted out, and is passed over while another is left.\n", hop.Number)
			}
		}
		if told.ExpiresAt != nil {
			fmt.Fprintf(p.Stdout, "It would not be sent any more after %s.\n", told.ExpiresAt.UTC().Format(time.RFC3339))
		}
	case operations.Drop:
		fmt.Fprintf(p.Stdout, "It would be dropped: %s. relay explain reason %s says more.\n", told.Reason, told.Reason)
		cli.Printf(p.Stdout, "relay send refuses it: %s.\n", told.Detail)
	case operations.Repeat:
		fmt.Fprintf(p.Stdout, "Nothing would be sent: the key stands for %s, which the ledger has already.\n", told.ID)
	}
}
