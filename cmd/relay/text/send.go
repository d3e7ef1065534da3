package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/inert"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// sendFlags are the flags of send.
type sendFlags struct {
	body, to, from, key string
	asJSON              bool
	consent             cli.Consent
	numbers             cli.NumberFlags
}

// SendCommand returns `relay send`.
func SendCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "send NUMBER --body TEXT",
		Short: "Send a text from a Twilio number to the phone on duty",
		Long: `send sends a text of your own from one of your Twilio numbers to the phone on duty, as POST /sms/relay does. The text is
queued, paced, sent once and recorded like a customer's text.

send refuses a text that the relay would drop: the number has no route, its route is off, or the phone is one of the relay's own
numbers. --dry-run says what would happen to the text, and sends nothing. A text with a --key is sent once, even if you run the
command again with the same key.

--url sends it by a relay elsewhere, over its HTTP API, with the operator token in RELAY_OPERATOR_TOKEN.`,
		Example: `  relay send +18585550100 --body "We are on our way"
  relay send +18585550100 --body "The gate code is 4711" --from "Front desk" --to +16195550123 --key visit-4711
  fortune | relay send +18585550100 --body - --dry-run`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return cli.Usage(errors.New("from which Twilio number? Name one"))
			case len(args) > 1:
				return cli.Hinted(cli.Usage(fmt.Errorf("unexpected argument %q", args[1])), "the text goes into --body, between quotes")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.send(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.body, "body", "", "the text; - reads it from standard input")
	flags.StringVar(&f.to, "to", "", "send to this phone instead of the phones of the route")
	flags.StringVar(&f.from, "from", "", "the sender's name to show in the text (default: none)")
	flags.StringVar(&f.key, "key", "", "your own key for this text: a second text with the same key is not sent")
	f.consent.Add(flags, "")
	cli.AddJSON(flags, &f.asJSON, "the answer of POST /sms/relay")
	f.numbers.Add(flags)
	cli.AddRemote(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) send(cmd *cobra.Command, text string, f sendFlags) (err error) {
	number, err := f.numbers.Read(text)
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	to, err := f.numbers.ReadFlag("to", f.to)
	if err != nil {
		return err
	}
	if f.body, err = readBody(cmd, f.body); err != nil {
		return err
	}
	if f.body == "" {
		return cli.Usage(errors.New("the text is missing: write it with --body TEXT, or use --body - to read it from standard input"))
	}
	api, closeAPI, err := p.findOperatorAPI(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAPI()) }()
	return p.order(cmd, mode, f.asJSON, func(isDryRun bool, answer any) error {
		return api.Order(cmd.Context(), operations.PathRelay, operations.RelayRequest{
			TwilioNumber: number, Body: f.body, From: sms.PhoneNumber(f.from), To: to, IdempotencyKey: f.key, DryRun: isDryRun,
		}, answer)
	})
}

// readBody returns the text that a flag or an argument says; - is the standard input.
func readBody(cmd *cobra.Command, body string) (string, error) {
	if body != "-" {
		return body, nil
	}
	read, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<16))
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	return strings.TrimRight(string(read), "\r\n"), nil
}

// order shows what would happen to a text, asks, and orders it, as the mode says. place orders it, or makes a dry run of it.
func (p program) order(cmd *cobra.Command, mode cli.Mode, asJSON bool, place func(isDryRun bool, answer any) error) error {
	if mode == cli.Ask {
		var told operations.DryRun
		if err := place(true, &told); err != nil {
			return err
		}
		p.printDryRun(told)
		if told.Outcome != operations.Send {
			return nil
		}
		if !p.Confirmed(cmd, "Send it?") {
			return cli.ErrNotConfirmed
		}
	}
	var answer json.RawMessage
	if err := place(mode == cli.Show, &answer); err != nil {
		return err
	}
	if asJSON {
		_, err := fmt.Fprintf(p.Stdout, "%s\n", answer)
		return err
	}
	return p.printSent(answer, mode == cli.Show)
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
		said = "is already in the ledger; nothing was sent"
	}
	cli.Say(p.Stdout, "%s %s. relay status %s shows what happens to it.", sent.ID, said, sent.ID)
	return nil
}

// printDryRun says what would happen to a text.
func (p program) printDryRun(told operations.DryRun) {
	switch told.Outcome {
	case operations.Send:
		if told.Destination == "" {
			cli.Say(p.Stdout, "It would wait: no phone of the number is verified. relay phone ls shows them.")
			return
		}
		fmt.Fprintf(p.Stdout, "It would be sent to %s, in %s:\n\n  %s\n\n", told.Destination, cli.Plural(told.Segments, "segment"),
			strings.ReplaceAll(inert.Block(told.Text), "\n", "\n  "))
		for _, hop := range told.Hops {
			if hop.OptedOut {
				cli.Say(p.Stdout, "%s has opted out; the relay tries it only if no other phone is left.", hop.Number)
			}
		}
		if told.ExpiresAt != nil {
			cli.Say(p.Stdout, "It would not be sent after %s: it would be too old.", cli.At(p.Stdout, *told.ExpiresAt))
		}
	case operations.Drop:
		cli.Say(p.Stdout, "It would be dropped: %s. relay explain reason %s says why.", told.Reason, told.Reason)
		cli.Say(p.Stdout, "The relay would refuse it: %s.", told.Detail)
	case operations.Repeat:
		cli.Say(p.Stdout, "Nothing would be sent: this key belongs to %s, which is already in the ledger.", told.ID)
	}
}
