// Package uncertain is `relay uncertain`: it lists the texts that may or may not have been sent, and records an operator's decision
// about one. The relay itself decides nothing about them.
package uncertain

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay uncertain`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "uncertain",
		Short: "See the texts that may or may not have been sent, and decide",
		Long: `uncertain shows texts that may or may not have been sent: Twilio did not answer, and its list did not show them either. The
relay does not send them again by itself, because somebody might get them twice. Look in Twilio's own log, and decide.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.uncertainListCommand(), p.uncertainResolveCommand())
	return cmd
}

// uncertainFlags say which texts to list.
type uncertainFlags struct {
	number, since string
	all, asJSON   bool
	quiet         bool
	numbers       cli.NumberFlags
}

func (p program) uncertainListCommand() *cobra.Command {
	var f uncertainFlags
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the uncertain texts",
		Long: `ls lists the texts that wait for a decision, newest first, each with the attempt in doubt: to which phone, and when. It
leaves out texts that were given up, unless you add --all.`,
		Example: `  relay uncertain ls
  relay uncertain ls --aws --since 24h --json | jq -r '.texts[].message_sid'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.listUncertain(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.number, "number", "", "only texts from or to this number")
	flags.StringVar(&f.since, "since", "", "only texts that came in after this time: "+cli.MomentHelp)
	flags.BoolVar(&f.all, "all", false, "also list texts that were given up")
	cli.AddQuiet(flags, &f.quiet)
	cli.AddJSON(flags, &f.asJSON, "an object with the texts")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) listUncertain(cmd *cobra.Command, f uncertainFlags) (err error) {
	number, isName, err := f.numbers.ReadSender(f.number)
	if err != nil {
		return err
	}
	since, err := cli.ReadMoment(f.since, time.Now())
	if err != nil {
		return cli.Usage(fmt.Errorf("--since: %w", err))
	}
	d, err := p.OpenTarget(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	texts, err := cli.AllOf(cmd.Context(), d.Ledger, ledger.Query{Number: number, State: ledger.Uncertain, Since: since})
	if err != nil {
		return err
	}
	if len(texts) == 0 && isName {
		if err := cli.CheckName(cmd.Context(), d.Ledger, number); err != nil {
			return err
		}
	}
	shown := make([]shownDoubt, 0, len(texts))
	for _, r := range texts {
		if f.all || r.Reason != ledger.ReasonGivenUp {
			shown = append(shown, shownDoubtOf(r))
		}
	}
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(map[string]any{"texts": shown})
	}
	if f.quiet {
		for _, text := range shown {
			cli.Printf(p.Stdout, "%s\n", text.MessageSid)
		}
		return nil
	}
	return writeDoubts(p.Stdout, shown)
}

// shownDoubt is an uncertain text as JSON.
type shownDoubt struct {
	MessageSid   string          `json:"message_sid"`
	State        ledger.State    `json:"state"`
	Reason       ledger.Reason   `json:"reason,omitempty"`
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	ReceivedAt   time.Time       `json:"received_at"`
	// Doubts are the attempts whose outcome nobody knows.
	Doubts []shownAttempt `json:"doubts"`
	// Decision is the last decision of an operator.
	Decision *shownDecision `json:"decision,omitempty"`
	// Text is what the customer wrote.
	Text string `json:"text,omitempty"`
	// DryRun: the decision was not recorded.
	DryRun bool `json:"dry_run,omitempty"`
}

type shownAttempt struct {
	Number      int             `json:"number"`
	Destination sms.PhoneNumber `json:"destination"`
	StartedAt   time.Time       `json:"started_at"`
	Error       string          `json:"error,omitempty"`
}

type shownDecision struct {
	What ledger.Verdict `json:"what"`
	By   string         `json:"by"`
	Note string         `json:"note,omitempty"`
	At   time.Time      `json:"at"`
}

func shownDoubtOf(r ledger.Record) shownDoubt {
	shown := shownDoubt{
		MessageSid: r.MessageSid, State: r.State, Reason: r.Reason, TwilioNumber: r.TwilioNumber, Customer: r.Customer,
		ReceivedAt: r.ReceivedAt, Doubts: []shownAttempt{}, Text: r.Body,
	}
	for _, a := range r.Attempts {
		if a.Unknown() {
			shown.Doubts = append(shown.Doubts, shownAttempt{Number: a.Number, Destination: a.To, StartedAt: a.StartedAt, Error: a.Error})
		}
	}
	if d := r.Decision; d.What != "" {
		shown.Decision = &shownDecision{What: d.What, By: d.By, Note: d.Note, At: d.At}
	}
	return shown
}

func writeDoubts(out io.Writer, texts []shownDoubt) error {
	if len(texts) == 0 {
		_, err := fmt.Fprintln(out, "no uncertain texts")
		return err
	}
	table := cli.NewTable(out, cli.Column{Title: "SID", ID: true}, cli.Column{Title: "FROM"}, cli.Column{Title: "TO", Drop: 2},
		cli.Column{Title: "REASON", Drop: 3}, cli.Column{Title: "ATTEMPT", Drop: 1}, cli.Column{Title: "POSTED TO"},
		cli.Column{Title: "POSTED AT"}, cli.Column{Title: "SAYS", Text: true, Drop: 4})
	for _, text := range texts {
		for _, a := range text.Doubts {
			table.Row(text.MessageSid, string(text.Customer), string(text.TwilioNumber), string(text.Reason), strconv.Itoa(a.Number),
				string(a.Destination), cli.When(out, a.StartedAt), text.Text)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	cli.Say(out, "Look for each in Twilio's log of messages, then decide: relay uncertain resolve SID --sent MESSAGE_SID | "+
		"--resend | --give-up")
	return nil
}
