package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/desk"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func (p program) uncertainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "uncertain",
		Short: "See the texts that may or may not have been sent, and decide",
		Long: `uncertain is about texts whose sending Twilio did not answer, and which its list did not show either. The relay does not
send them again by itself, because somebody might get them twice. Look into Twilio's own log, and decide.`,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.uncertainListCommand(), p.uncertainResolveCommand())
	return cmd
}

// uncertainFlags say which texts to list.
type uncertainFlags struct {
	number, since string
	all, asJSON   bool
	numbers       numberFlags
}

func (p program) uncertainListCommand() *cobra.Command {
	var f uncertainFlags
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the uncertain texts",
		Long: `ls lists the texts that wait for somebody's decision, the newest first, each with the attempt of which nobody knows: to
which phone, and when. Those that were given up are left out unless --all is said.`,
		Example: `  relay uncertain ls
  relay uncertain ls --aws --since 24h --json | jq -r '.texts[].message_sid'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.listUncertain(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.number, "number", "", "only those from or to this number")
	flags.StringVar(&f.since, "since", "", "only texts that came in since: a time such as 2026-11-24T08:00:00Z, or how long ago, such as 2h")
	flags.BoolVar(&f.all, "all", false, "those that were given up, too")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON: an object with the texts")
	f.numbers.add(flags)
	addDesk(flags)
	return cmd
}

func (p program) listUncertain(cmd *cobra.Command, f uncertainFlags) (err error) {
	number, isName, err := f.numbers.readSender(f.number)
	if err != nil {
		return err
	}
	since, err := readMoment(f.since, time.Now())
	if err != nil {
		return usageError{fmt.Errorf("--since: %w", err)}
	}
	d, err := p.openDesk(cmd.Context(), cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	texts, err := allOf(cmd.Context(), d.Ledger, ledger.Query{Number: number, State: ledger.Uncertain, Since: since})
	if err != nil {
		return err
	}
	if len(texts) == 0 && isName {
		if err := checkName(cmd.Context(), d.Ledger, number); err != nil {
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
		return json.NewEncoder(p.stdout).Encode(map[string]any{"texts": shown})
	}
	return writeDoubts(p.stdout, shown)
}

// allOf reads a list to its end.
func allOf(ctx context.Context, records ledger.Lister, q ledger.Query) ([]ledger.Record, error) {
	var all []ledger.Record
	q.Limit = ledger.MaxLimit
	for {
		page, err := records.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list texts: %w", err)
		}
		all = append(all, page.Records...)
		if page.Next.IsZero() {
			return all, nil
		}
		q.Cursor = page.Next
	}
}

// shownDoubt is an uncertain text as JSON.
type shownDoubt struct {
	MessageSid   string          `json:"message_sid"`
	State        ledger.State    `json:"state"`
	Reason       ledger.Reason   `json:"reason,omitempty"`
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	ReceivedAt   time.Time       `json:"received_at"`
	// Doubts are the attempts of which nobody knows what became.
	Doubts []shownAttempt `json:"doubts"`
	// Decision is the last that an operator took.
	Decision *shownDecision `json:"decision,omitempty"`
	// Text is what the customer wrote.
	Text string `json:"text,omitempty"`
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
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SID\tFROM\tTO\tREASON\tATTEMPT\tPOSTED TO\tPOSTED AT\tSAYS")
	for _, text := range texts {
		for _, a := range text.Doubts {
			printf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", text.MessageSid, orDash(string(text.Customer)), text.TwilioNumber, text.Reason,
				a.Number, a.Destination, a.StartedAt.UTC().Format(time.RFC3339), orDash(shortened(text.Text)))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "Look for each in Twilio's log of messages, and then: relay uncertain resolve SID --sent MESSAGE_SID | --resend | --give-up")
	return err
}

// uncertainText reads one text, which has to be uncertain.
func uncertainText(ctx context.Context, d *desk.Desk, sid string) (ledger.Record, error) {
	r, err := d.Ledger.Get(ctx, sid)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return r, hintedError{fmt.Errorf("the ledger has no text %s", sid), "relay uncertain ls lists those that wait for a decision"}
	case err != nil:
		return r, fmt.Errorf("read %s: %w", sid, err)
	case r.State != ledger.Uncertain:
		return r, notUncertain(r)
	}
	return r, nil
}

// notUncertain refuses a text that needs no decision.
func notUncertain(r ledger.Record) error {
	return hintedError{fmt.Errorf("%s is %s", r.MessageSid, stateLine(r)), "only uncertain texts are resolved; relay explain state " + string(r.State) + " says what it means"}
}
