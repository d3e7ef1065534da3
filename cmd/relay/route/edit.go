package route

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// editFlags are the flags of every command that changes one route.
type editFlags struct {
	numbers cli.NumberFlags
	version int64
	asJSON  bool
	consent cli.Consent
	// ends is true if the command switches a route off or removes it; dropWaiting also drops the texts accepted before.
	ends, dropWaiting bool
}

func (f *editFlags) add(flags *pflag.FlagSet) {
	flags.Int64Var(&f.version, "version", 0,
		"change the route only if it has this version, as relay route get shows it; 0 means that there is no route yet")
	cli.AddJSON(flags, &f.asJSON, "what was done, the route now, and the fields that changed")
	f.consent.Add(flags, "")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
}

// change is what a command does to a route, see [routing.Edit].
type change = func(r route.Route, exists bool) (route.Route, error)

// author is the person who changes routes here.
func (p program) author() routing.Author { return routing.Author{Name: p.Operator(""), Now: time.Now} }

// edit changes the route of the number that is the command's argument.
func (p program) edit(cmd *cobra.Command, text string, f editFlags, change change) error {
	number, err := f.numbers.Read(text)
	if err != nil {
		return err
	}
	edit := routing.Edit{
		Number: number, Change: change, Numbers: route.Strictness(f.numbers.Insist), Author: p.author(),
		DropWaiting: f.dropWaiting,
	}
	if cmd.Flags().Changed("version") {
		edit.Version = &f.version
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	if mode != cli.Do {
		edit.DryRun = true
		if goOn, err := p.preview(cmd, edit, mode, f.asJSON); err != nil || !goOn {
			return cli.RouteError(err, number)
		}
		edit.DryRun = false
	}
	var done routing.Edited
	var waiting *target.Waiting
	if err := p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		done, err = edit.Apply(cmd.Context(), d.Routes)
		if err == nil && !done.After.Active && (f.ends || done.Before.Active) {
			waiting = p.waiting(cmd.Context(), d, done.After)
		}
		return err
	}); err != nil {
		return cli.RouteError(err, number)
	}
	if mode == cli.Do {
		p.WarnOfUnreadable(done.Unreadable)
	}
	if err := p.printEdited(done, waiting, f.asJSON); err != nil || f.asJSON || waiting == nil {
		return err
	}
	p.printWaiting(*waiting, done.After)
	return nil
}

// preview shows what an edit would change, and asks whether to make it if somebody is to be asked.
func (p program) preview(cmd *cobra.Command, edit routing.Edit, mode cli.Mode, asJSON bool) (goOn bool, err error) {
	var planned routing.Edited
	if err := p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		planned, err = edit.Apply(cmd.Context(), d.Routes)
		return err
	}); err != nil {
		return false, err
	}
	p.WarnOfUnreadable(planned.Unreadable)
	if asJSON {
		answer := shownEdit{
			Action: planned.Action(), Route: shown(planned.After), Differences: append([]routing.Difference{}, planned.Differences...), DryRun: true,
		}
		return false, json.NewEncoder(p.Stdout).Encode(answer)
	}
	if planned.Action() == routing.Unchanged {
		cli.Printf(p.Stdout, "%s: it is like this already.\n", string(edit.Number))
		return false, nil
	}
	cli.Printf(p.Stdout, "%s would be %s:\n", string(edit.Number), planned.Action())
	if err := cli.WriteDifferences(p.Stdout, planned.Differences); err != nil || mode == cli.Show {
		return false, err
	}
	if !p.Confirmed(cmd, "Change it?") {
		return false, cli.ErrNotConfirmed
	}
	return true, nil
}

// shownEdit is an edit as JSON.
type shownEdit struct {
	// Action is "added", "changed", "removed" or "unchanged".
	Action      routing.Action       `json:"action"`
	Route       shownRoute           `json:"route"`
	Differences []routing.Difference `json:"differences"`
	// Waiting is how many texts were accepted before and wait, if the route was switched off or removed.
	Waiting *shownWaiting `json:"waiting,omitempty"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// shownWaiting is the count as JSON. Unseen is only for AWS: about how many messages the queue holds, for all numbers.
type shownWaiting struct {
	Texts  int  `json:"texts"`
	Unseen int  `json:"unseen"`
	Sent   bool `json:"sent_on"`
}

func (p program) printEdited(done routing.Edited, waiting *target.Waiting, asJSON bool) error {
	action := done.Action()
	if asJSON {
		answer := shownEdit{Action: action, Route: shown(done.After), Differences: append([]routing.Difference{}, done.Differences...)}
		if waiting != nil {
			answer.Waiting = &shownWaiting{Texts: waiting.Texts, Unseen: waiting.Unseen, Sent: !done.After.OffSince.IsZero()}
		}
		return json.NewEncoder(p.Stdout).Encode(answer)
	}
	cli.Printf(p.Stdout, "%s: %s, version %d by %s\n", string(done.After.TwilioNumber), action, done.After.Version,
		cli.OrDash(done.After.UpdatedBy))
	if err := cli.WriteDifferences(p.Stdout, done.Differences); err != nil || action == routing.Unchanged {
		return err
	}
	cli.SayUnverified(p.Stdout, done, false)
	cli.Say(p.Stdout, "A running relay uses it within %v; if none runs, it holds from the next start.", route.MaxCacheAge)
	if slices.ContainsFunc(done.After.Threads, func(thread sms.PhoneNumber) bool { return !done.Before.HasThread(thread) }) {
		cli.Say(p.Stdout, "Each thread needs the relay's webhook: relay number configure %s --threads", string(done.After.TwilioNumber))
	}
	return nil
}
