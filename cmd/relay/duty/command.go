// Package duty is `relay duty`: who is on duty for a number, and who is instead for a time. It asks shared/route who is, as the sender
// does. The weekly schedule itself is in a maintenance.json, see relay route import.
package duty

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/route"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay duty`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "duty",
		Short: "See who is on duty, and put somebody else on duty for a time",
		Long: `duty shows who is on duty for a number, by the schedule of its route, and replaces the schedule for a time. The weekly schedule is
part of the route: write it into a maintenance.json and bring it in with relay route import. Without one, the phones of the route are
always on duty.`,
		Example: `  relay duty ls +18585550100
  relay duty set +18585550100 --phone Bo --until 18:00
  relay duty rm +18585550100 1
  relay duty off +18585550100 --phone Bo --until 18:00`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.setCommand(), p.removeCommand(), p.offCommand(), p.onCommand())
	return cmd
}

// listFlags are the flags of duty ls.
type listFlags struct {
	numbers cli.NumberFlags
	at      string
	asJSON  bool
}

func (p program) listCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:     "ls NUMBER",
		Aliases: []string{"list"},
		Short:   "Show who is on duty in the next seven days",
		Long: `ls shows who is on duty for a number in the seven days from now, or from --at: who gets its texts from when to when, and
whether it is open. What is now is marked with >. Times are those of the route's time zone. Below are the overrides, with the numbers
that relay duty rm takes, and the phones that are off.`,
		Example: `  relay duty ls +18585550100
  relay duty ls +18585550100 --at "Sat 22:30"`,
		Args:              cli.Arguments("the number"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.list(cmd, args[0], f) },
	}
	cmd.Flags().StringVar(&f.at, "at", "", "from when on: "+momentHelp+" (default now)")
	cli.AddJSON(cmd.Flags(), &f.asJSON, "the spans of the week, the overrides, and who is off")
	f.numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}

const momentHelp = cli.AheadHelp

func (p program) list(cmd *cobra.Command, text string, f listFlags) error {
	number, err := f.numbers.Read(text)
	if err != nil {
		return err
	}
	var way route.Route
	if err := p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		way, err = cli.RouteOf(cmd.Context(), d.Routes, number)
		return err
	}); err != nil {
		return err
	}
	place, err := way.Place()
	if err != nil {
		return fmt.Errorf("the time zone of %s: %w", string(number), err)
	}
	at, err := cli.ReadAhead(f.at, time.Now().In(place))
	if err != nil {
		return cli.Usage(fmt.Errorf("--at: %w", err))
	}
	week := rota.WeekOf(way, at.In(place))
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(week)
	}
	return writeWeek(p.Stdout, week, place)
}

// dayForm is how a moment of the week is written.
const dayForm = rota.MomentForm

// writeWeek says for people who is on duty.
func writeWeek(out io.Writer, w operations.Week, place *time.Location) error {
	if !w.Scheduled {
		cli.Say(out, "%s has no schedule: the phones of its route are always on duty.", string(w.TwilioNumber))
	}
	table := cli.NewTable(out, cli.Column{Title: "NOW"}, cli.Column{Title: "FROM"}, cli.Column{Title: "TO"}, cli.Column{Title: "OPEN"},
		cli.Column{Title: "PHONES", Wrapped: true})
	for _, s := range w.Spans {
		mark, to, open := " ", "", "no"
		if s.Now {
			mark = ">"
		}
		if !s.To.IsZero() {
			to = s.To.Format(dayForm)
		}
		if s.Open {
			open = "yes"
		}
		var phones []string
		for _, phone := range s.Phones {
			phones = append(phones, strings.TrimSpace(phone.Name+" "+string(phone.Number)))
		}
		if s.Held {
			phones = []string{"texts are held"}
		}
		table.Row(mark, s.From.Format(dayForm), to, open, strings.Join(phones, ", "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	cli.Say(out, "Times are those of %s.", place)
	for _, o := range w.Overrides {
		who := strings.Join(o.Phones, ", ")
		if who == "" {
			who = "closed"
		}
		cli.Say(out, "Override %d: %s to %s: %s", o.Index, o.From.Format(dayForm), o.To.Format(dayForm), who)
	}
	for _, o := range w.Off {
		cli.Say(out, "Off until %s: %s", o.Until.Format(dayForm), whoIs(o))
	}
	return nil
}
