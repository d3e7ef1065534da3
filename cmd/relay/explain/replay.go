package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	at, with string
	asJSON   bool
}

// ReplayCommand returns `relay replay`.
func ReplayCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay SID",
		Short: "Where a text would have gone at another time, or with other routes",
		Long: `replay takes a text that came in, and says where it would go if it came in again: at another time with --at, with the routes of
a maintenance.json with --with. The sender's own code decides. Nothing is sent or changed, and the text's words are not shown.

Without --at, it is the moment at which the text came in. Who has opted out, who has the customer, and what the phones were sent,
counts as it is kept now.`,
		Example: `  relay replay SM00000000000000000000000000000001 --at "Sat 22:30"
  relay replay SM00000000000000000000000000000001 --with maintenance.json`,
		Args:              cli.Arguments("the text's SID"),
		ValidArgsFunction: p.CompleteSIDs(),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.replay(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.at, "at", "", "when the text comes in: "+cli.AheadHelp+", counted from when it came in (default that moment)")
	flags.StringVar(&f.with, "with", "", "decide by the routes of this maintenance.json where it has one, - is standard input")
	cli.AddJSON(flags, &f.asJSON, "the text, and where it would go")
	cli.AddTarget(flags)
	return cmd
}

// replayed is a text, and what would become of it, as JSON.
type replayed struct {
	MessageSid string        `json:"message_sid"`
	ReceivedAt time.Time     `json:"received_at"`
	State      ledger.State  `json:"state"`
	Reason     ledger.Reason `json:"reason,omitempty"`
	// Phones are those that it was sent to, in order.
	Phones []sms.PhoneNumber `json:"phones"`
	// Route is set for a text of a customer, Answer for one of a phone.
	Route  *operations.Where `json:"route,omitempty"`
	Answer *explainedAnswer  `json:"answer,omitempty"`
}

func (p program) replay(cmd *cobra.Command, args []string, f replayFlags) error {
	sids, err := cli.ReadSIDs(args)
	if err != nil {
		return err
	}
	var proposed []route.Route
	if f.with != "" {
		routes, problem, err := routing.ReadFile(f.with, route.Reading{Now: time.Now()})
		if err != nil {
			return err
		}
		if problem != nil {
			return cli.Hinted(fmt.Errorf("%s: %w", f.with, problem), "relay route check "+f.with+" says more; relay route export prints a valid one")
		}
		proposed = routes
	}
	return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		r, err := replayable(cmd.Context(), d, sids[0])
		if err != nil {
			return err
		}
		table := d.Routes
		if f.with != "" {
			if table, err = routing.Propose(cmd.Context(), d.Routes, proposed); err != nil {
				return cli.RouteError(err, "")
			}
		}
		again, err := playAgain(cmd.Context(), d, table, r, f.at)
		if err != nil {
			return err
		}
		if f.asJSON {
			return json.NewEncoder(p.Stdout).Encode(again)
		}
		return p.printReplayed(again, r, f.with)
	})
}

// replayable reads a text that came in. What the relay or an operator wrote never did.
func replayable(ctx context.Context, d *target.Target, sid string) (ledger.Record, error) {
	r, err := d.Ledger.Get(ctx, sid)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return r, cli.Hinted(fmt.Errorf("the ledger has no text %s", sid), "relay status lists the newest texts")
	case err != nil:
		return r, fmt.Errorf("read %s: %w", sid, err)
	case r.Manual, r.Notice, r.SecondPart, r.ParentSid != "":
		return r, cli.Hinted(fmt.Errorf("%s did not come in from a customer or a phone", sid),
			"relay explain route says where a text of a customer would go")
	}
	return r, nil
}

// playAgain decides about the text as if it came in then.
func playAgain(ctx context.Context, d *target.Target, table route.Table, r ledger.Record, atText string) (replayed, error) {
	book := route.NewCache(table, time.Now)
	at, err := readAhead(ctx, book, r.TwilioNumber, atText, r.ReceivedAt)
	if err != nil {
		return replayed{}, err
	}
	again := replayed{MessageSid: r.MessageSid, ReceivedAt: r.ReceivedAt.UTC(), State: r.State, Reason: r.Reason, Phones: []sms.PhoneNumber{}}
	for _, a := range r.Attempts {
		if len(again.Phones) == 0 || again.Phones[len(again.Phones)-1] != a.To {
			again.Phones = append(again.Phones, a.To)
		}
	}
	by := delivery.Foreseeing{Records: d.Ledger, Routes: book, Conversations: d.Conversations}
	from := r.Customer
	if r.IsAnswer() {
		from = r.Answer.Phone
	}
	text := ledger.Record{
		MessageSid: r.MessageSid, TwilioNumber: r.TwilioNumber, Customer: from, Body: r.Body, Media: r.Media,
		ReceivedAt: at.UTC(), UpdatedAt: at.UTC(),
	}
	seen, err := rota.Foresee(ctx, by, text, at)
	if again.Route = &seen; err != nil || !seen.Answer {
		return again, err
	}
	answer, err := by.Answer(ctx, text, text.ReceivedAt)
	explained := explainedOf(answer, from, r.TwilioNumber)
	// Both quote the text: relay status --text shows it, and puts that on record.
	explained.Words, explained.Tells = "", ""
	again.Route, again.Answer = nil, &explained
	return again, err
}

func (p program) printReplayed(again replayed, r ledger.Record, with string) error {
	cli.Say(p.Stdout, "%s of %s to %s came in %s, and is %s.", r.MessageSid, string(r.Customer), string(r.TwilioNumber),
		cli.When(p.Stdout, r.ReceivedAt), cli.StateLine(r))
	for _, phone := range again.Phones {
		cli.Say(p.Stdout, "It was sent to %s.", string(phone))
	}
	if with != "" {
		cli.Say(p.Stdout, "With the routes of %s:", with)
	}
	if again.Answer != nil {
		return again.Answer.write(p.Stdout)
	}
	writeWhere(p.Stdout, *again.Route)
	return nil
}
