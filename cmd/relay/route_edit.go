package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// editFlags are the flags of every command that changes one route.
type editFlags struct {
	numbers numberFlags
	version int64
	asJSON  bool
}

func (f *editFlags) add(flags *pflag.FlagSet) {
	flags.Int64Var(&f.version, "version", 0, "change it only if this is its version, as relay route get shows it; 0 is that of a route that is not there yet")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON: what was done, the route as it is, and the fields that are another")
	f.numbers.add(flags)
	addDesk(flags)
}

// change is what a command makes of a route, see [routing.Edit].
type change = func(r route.Route, exists bool) (route.Route, error)

// author is who changes routes here.
func (p program) author() routing.Author { return routing.Author{Name: p.operator(""), Now: time.Now} }

// edit changes the route of the number that is the command's argument.
func (p program) edit(cmd *cobra.Command, text string, f editFlags, change change) error {
	number, err := f.numbers.read(text)
	if err != nil {
		return err
	}
	edit := routing.Edit{Number: number, Change: change, Author: p.author()}
	if cmd.Flags().Changed("version") {
		edit.Version = &f.version
	}
	var done routing.Edited
	if err := p.withRoutes(cmd.Context(), cmd.Flags(), func(table route.Table) error {
		done, err = edit.Apply(cmd.Context(), table)
		return err
	}); err != nil {
		return routeError(err, number)
	}
	p.warnOfImpossible(done)
	return p.printEdited(done, f.asJSON)
}

// warnOfImpossible says of numbers that were just written that nobody can have them.
func (p program) warnOfImpossible(done routing.Edited) {
	for _, number := range append([]sms.PhoneNumber{done.After.TwilioNumber}, done.After.Hops()...) {
		if len(done.Differences) > 0 && !routing.Possible(number) {
			printf(p.stderr, "relay: warning: %s has not as many digits as the numbers of its country\n", string(number))
		}
	}
}

// shownEdit is an edit as JSON.
type shownEdit struct {
	// Action is "added", "changed", "removed" or "unchanged".
	Action routing.Action `json:"action"`
	// Route has the names of a maintenance.json.
	Route       route.Route          `json:"route"`
	Differences []routing.Difference `json:"differences"`
}

func (p program) printEdited(done routing.Edited, asJSON bool) error {
	action := done.Action()
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(shownEdit{action, done.After, append([]routing.Difference{}, done.Differences...)})
	}
	printf(p.stdout, "%s: %s, version %d by %s\n", string(done.After.TwilioNumber), action, done.After.Version, orDash(done.After.UpdatedBy))
	if err := writeDifferences(p.stdout, done.Differences); err != nil || action == routing.Unchanged {
		return err
	}
	printf(p.stdout, "A running relay takes it over within %v.\n", route.MaxCacheAge)
	return nil
}
