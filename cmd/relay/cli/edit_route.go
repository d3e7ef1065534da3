package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// EditRoute changes one route as the flags of the command allow: on a terminal it shows what would change, and asks. The result of an
// edit that was only to be shown says what it would be. The error is ErrNotConfirmed if the person said no.
func (p Program) EditRoute(cmd *cobra.Command, edit routing.Edit, consent Consent, asJSON bool) (routing.Edited, Mode, error) {
	mode, err := p.Mode(cmd, consent, asJSON)
	if err != nil {
		return routing.Edited{}, mode, err
	}
	apply := func(isDryRun bool) (done routing.Edited, err error) {
		edit.DryRun = isDryRun
		err = p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
			done, err = edit.Apply(cmd.Context(), d.Routes)
			return err
		})
		return done, RouteError(err, edit.Number)
	}
	if mode != Ask {
		done, err := apply(mode == Show)
		return done, mode, err
	}
	planned, err := apply(true)
	if err != nil || planned.Action() == routing.Unchanged {
		return planned, mode, err
	}
	Printf(p.Stdout, "%s would be %s:\n", string(edit.Number), planned.Action())
	if err := WriteDifferences(p.Stdout, planned.Differences); err != nil {
		return planned, mode, err
	}
	if !p.Confirmed(cmd, "Change it?") {
		return planned, mode, ErrNotConfirmed
	}
	done, err := apply(false)
	return done, mode, err
}

// SayUnverified names the phones that a change brought in and that have yet to be verified, and says what to do.
func SayUnverified(out io.Writer, done routing.Edited, isDryRun bool) {
	number, now := string(done.After.TwilioNumber), time.Now()
	for _, phone := range done.Unverified() {
		verb := "is"
		if isDryRun {
			verb = "would be"
		}
		Say(out, "%s %s unverified: it gets no customers' texts before its person has answered a code. Text one to it with "+
			"relay phone verify %s %s", string(phone), verb, number, string(phone))
	}
	if done.After.Waits(now) && !done.Before.Waits(now) {
		Say(out, "Customers' texts wait until a phone is verified.")
	}
}

// WriteDifferences prints what changed, one line for each field.
func WriteDifferences(out io.Writer, differences []routing.Difference) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range differences {
		Printf(table, "  %s\t%s\t-> %s\n", d.Field, OrDash(d.From), OrDash(d.To))
	}
	return table.Flush()
}

// RouteError adds a hint to an error from changing a route.
func RouteError(err error, number sms.PhoneNumber) error {
	if conflict, ok := errors.AsType[*routing.ConflictError](err); ok {
		hint := "look at it with relay route get " + string(number) + ", and decide again"
		if conflict.Stored.DestinationCarrier == "" {
			hint = "there is no such route: --version 0 means a new one"
		}
		return Hinted(err, hint)
	}
	if loops, ok := errors.AsType[route.LoopsError](err); ok {
		return loopsError(loops)
	}
	switch {
	case errors.Is(err, routing.ErrNoRoute):
		return Hinted(
			fmt.Errorf("there is no route of %s", string(number)),
			"relay route ls --all lists all routes; relay route set makes a new one",
		)
	case errors.Is(err, routing.ErrNoDestination):
		return Hinted(Usage(err), "name the phone that gets its texts with --to")
	default:
		return err
	}
}

// loopsError shows in full the numbers that [route.LoopsError] masks: operators see the table anyway.
func loopsError(loops route.LoopsError) error {
	hint := "relay route ls --all shows that route; a number that has a route, even a removed one, cannot be a phone of another"
	if loops[0].Thread != "" {
		hint = fmt.Sprintf("relay route get %s shows that route; a number belongs to one route, as its own or as a thread",
			string(loops[0].Owner))
	}
	problems := loops.Problems(func(number sms.PhoneNumber) string { return string(number) })
	return Hinted(errors.New(strings.ReplaceAll(problems, "\n", "\n  ")), hint)
}
