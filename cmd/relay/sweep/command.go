// Package sweep is `relay sweep`: it finds texts that Twilio received and the relay never got, by shared/sweep, and queues them.
package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/sweep"
)

// sweepFlags are the flags of sweep.
type sweepFlags struct {
	numbers []string
	since   string
	grace   time.Duration
	asJSON  bool
	consent cli.Consent
	reader  cli.NumberFlags
}

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay sweep`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Find texts that Twilio received and the relay never got",
		Long: `sweep compares Twilio's list of received texts with the ledger. If a text is only on Twilio's list, it was lost on its way here:
the webhook and the fallback failed, or the number's webhook pointed elsewhere. With --apply sweep puts such texts on the queue,
and they count as received now. You may run it again: the ledger accepts each text only once. So it does with a text that is held
because nobody was on duty, and that still is half an hour after somebody should be.

sweep checks every number that has a route, and its threads: a text of a phone to a thread is an answer to a customer. Twilio's list
says how many attachments a text has, but not what they are.`,
		Example: `  relay sweep
  relay sweep --since 6h --number +18585550100
  relay sweep --since 6h --apply`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.sweep(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.numbers, "number", nil, "only texts to this Twilio number or thread; may be repeated (default: every "+
		"number with a route, and its threads)")
	flags.StringVar(&f.since, "since", "1h", "how far back: "+cli.MomentHelp)
	cli.DurationVar(flags, &f.grace, "grace", sweepGrace, "leave out texts that are younger than this: their webhooks may still be on "+
		"their way")
	f.consent.Add(flags, "put the texts on the queue; without it, only list them")
	cli.AddJSON(flags, &f.asJSON, "the texts, and what was done")
	f.reader.Add(flags)
	cli.AddTarget(flags)
	cli.AddTwilio(flags)
	return cmd
}

// sweepGrace is how old a text is before it counts as lost: Twilio waits 15 seconds for a webhook, and as long for its fallback.
const sweepGrace = time.Minute

// swept is the result of a sweep, also as JSON.
type swept struct {
	Looked  int           `json:"looked"`
	Missing []missingText `json:"missing"`
	Applied bool          `json:"applied"`
	Queued  int           `json:"queued"`
	found   []sms.Listed
	asking  bool
}

type missingText struct {
	MessageSid string          `json:"message_sid"`
	From       sms.PhoneNumber `json:"from"`
	To         sms.PhoneNumber `json:"to"`
	ReceivedAt time.Time       `json:"received_at"`
	NumMedia   int             `json:"num_media,omitempty"`
	Text       string          `json:"text"`
}

func (p program) sweep(cmd *cobra.Command, f sweepFlags) (err error) {
	ctx := cmd.Context()
	since, err := cli.ReadMoment(f.since, time.Now())
	if err != nil {
		return cli.Usage(fmt.Errorf("--since: %w", err))
	}
	if since.IsZero() {
		return cli.Usage(errors.New("--since is empty: say how far back to look"))
	}
	if _, err := f.named(); err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	client, err := p.OpenTwilio(cmd.Flags())
	if err != nil {
		return err
	}
	account, _ := cli.LookupOf(cli.TwilioSettings(), cmd.Flags(), p.Lookup)(cli.EnvAccountSid)
	d, err := p.OpenTarget(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	numbers, err := f.numbersOf(ctx, p.Program, d)
	if err != nil {
		return err
	}
	copied, _, err := d.Moved(ctx)
	if err != nil {
		return err
	}
	s := sweep.Sweep{
		Messages: client, Records: d.Ledger, Queue: d.Queue, AccountSid: account, Since: since, Grace: f.grace, AskBefore: copied, Now: time.Now,
	}
	result, err := sweepAll(ctx, s, numbers)
	if err != nil {
		return withSweepHint(err)
	}
	if result.asking = mode == cli.Ask; result.asking && len(result.found) > 0 {
		if err := p.printSwept(result, false); err != nil {
			return err
		}
		if !p.Confirmed(cmd, "Queue them?") {
			return cli.ErrNotConfirmed
		}
		mode = cli.Do
	}
	if result.Applied = mode == cli.Do; result.Applied {
		for _, m := range result.found {
			if err = s.Inject(ctx, m); err != nil {
				break
			}
			result.Queued++
		}
	}
	return errors.Join(p.printSwept(result, f.asJSON), cli.Interrupted(ctx, err))
}

// named are the numbers that were named.
func (f sweepFlags) named() (numbers []sms.PhoneNumber, err error) {
	for _, text := range f.numbers {
		number, err := f.reader.ReadFlag("number", text)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// numbersOf returns the named numbers, or else the numbers of all routes and their threads: what a phone writes to a thread is an answer.
func (f sweepFlags) numbersOf(ctx context.Context, p cli.Program, d *target.Target) (numbers []sms.PhoneNumber, err error) {
	if numbers, err = f.named(); err != nil || len(numbers) > 0 {
		return numbers, err
	}
	routes, err := p.ListRoutes(ctx, d.Routes)
	if err != nil {
		return nil, fmt.Errorf("list the routes: %w", err)
	}
	for _, r := range routes {
		for _, number := range r.Numbers() {
			// The number of a removed route may be a thread by now.
			if !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	if len(numbers) == 0 {
		return nil, cli.Hinted(errors.New("there are no routes, so there are no numbers to check"), "name one with --number")
	}
	return numbers, nil
}

func sweepAll(ctx context.Context, s sweep.Sweep, numbers []sms.PhoneNumber) (swept, error) {
	result := swept{Missing: []missingText{}}
	for _, number := range numbers {
		missing, looked, err := s.Missing(ctx, number)
		if err != nil {
			return result, err
		}
		result.Looked += looked
		result.found = append(result.found, missing...)
	}
	for _, m := range result.found {
		result.Missing = append(result.Missing, missingText{
			MessageSid: m.Sid, From: m.From, To: m.To, ReceivedAt: m.DateCreated, NumMedia: m.NumMedia, Text: m.Body,
		})
	}
	return result, nil
}

func withSweepHint(err error) error {
	if errors.Is(err, sweep.ErrTooMany) {
		return cli.Hinted(err, "choose a later time with --since")
	}
	return err
}

func (p program) printSwept(result swept, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(result)
	}
	if err := writeMissing(p.Stdout, result.Missing); err != nil {
		return err
	}
	cli.Say(p.Stdout, "%s received by Twilio, %d of them not in the ledger.", cli.Plural(result.Looked, "text"), len(result.Missing))
	switch {
	case result.Applied && len(result.Missing) > 0:
		cli.Say(p.Stdout, "%s queued. relay status shows what happens to them.", cli.Plural(result.Queued, "text"))
	case len(result.Missing) > 0 && !result.asking:
		fmt.Fprintln(p.Stdout, "Nothing was queued. To queue them, add --apply.")
	}
	return nil
}

func writeMissing(out io.Writer, missing []missingText) error {
	if len(missing) == 0 {
		return nil
	}
	table := cli.NewTable(out, cli.Column{Title: "SID", ID: true}, cli.Column{Title: "FROM"}, cli.Column{Title: "TO", Drop: 1},
		cli.Column{Title: "RECEIVED"}, cli.Column{Title: "SAYS", Text: true})
	for _, m := range missing {
		says := m.Text
		if m.NumMedia > 0 {
			says += fmt.Sprintf(" [%s]", cli.Plural(m.NumMedia, "attachment"))
		}
		table.Row(m.MessageSid, string(m.From), string(m.To), cli.When(out, m.ReceivedAt), says)
	}
	return table.Flush()
}
