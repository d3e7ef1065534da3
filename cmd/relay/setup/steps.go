package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// The steps' names.
const (
	stepSettings = "settings"
	stepRoutes   = "routes"
	stepUnit     = "unit"
	stepNumber   = "number"
	stepCanary   = "canary"
)

// step is one thing that init does. look says what is there and what would change; do makes the change, and says what it did.
type step struct {
	name string
	look func(cmd *cobra.Command, j *job) (result, error)
	do   func(cmd *cobra.Command, j *job) (string, error)
}

// setupSteps are in the order in which they are done.
func setupSteps() []step {
	return []step{
		{stepSettings, lookSettings, writeSettings},
		{stepRoutes, lookRoutes, writeRoutes},
		{stepUnit, lookUnit, startUnit},
		{stepNumber, lookNumber, pointNumber},
		{stepCanary, lookCanary, sendCanary},
	}
}

// undoSteps undo them. The number comes first: a text that comes in then goes where it went before.
func undoSteps() []step {
	return []step{
		{stepNumber, lookNumberBack, giveNumberBack},
		{stepUnit, lookUnitBack, removeUnit},
		{stepRoutes, lookAside(routesFile), moveAside(routesFile)},
		{stepSettings, lookAside(settingsFile), moveAside(settingsFile)},
	}
}

// state is how far a step is.
type state string

// The states. Done was as it should be before; Changed is what this run did.
const (
	done    state = "done"
	todo    state = "todo"
	changed state = "changed"
	skipped state = "skipped"
	failed  state = "failed"
)

// result is what is known of a step, also as JSON.
type result struct {
	Name  string `json:"name"`
	State state  `json:"state"`
	// What is one sentence: what is there, would be done, was done, or failed.
	What string `json:"what"`
	// Changes are lines that begin with a plus or a minus. No secret is in them.
	Changes []string `json:"changes,omitempty"`
}

// report is what init prints as JSON.
type report struct {
	Steps  []result `json:"steps"`
	Undo   bool     `json:"undo"`
	DryRun bool     `json:"dry_run"`
}

// run shows what the steps would change, asks, and does it.
func (j *job) run(cmd *cobra.Command, steps []step, mode cli.Mode) error {
	results, err := j.lookAt(cmd, steps)
	if err == nil {
		j.show(results)
		err = j.carryOut(cmd, steps, results, mode)
	}
	if j.flags.asJSON {
		printed := json.NewEncoder(j.Stdout).Encode(report{Steps: results, Undo: j.flags.undo, DryRun: mode == cli.Show})
		return errors.Join(err, printed)
	}
	return err
}

// lookAt says what is there and what each step would change. It stops where it cannot tell.
func (j *job) lookAt(cmd *cobra.Command, steps []step) ([]result, error) {
	results := []result{}
	for _, s := range steps {
		one := result{State: skipped, What: "left out with --skip"}
		var err error
		if !slices.Contains(j.flags.skip, s.name) {
			one, err = s.look(cmd, j)
		}
		one.Name = s.name
		if err != nil {
			one.State, one.What = failed, err.Error()
			return append(results, one), stopped(s.name, err)
		}
		results = append(results, one)
	}
	return results, nil
}

// carryOut does what is to do, if a person or the flags allow it.
func (j *job) carryOut(cmd *cobra.Command, steps []step, results []result, mode cli.Mode) error {
	switch {
	case !slices.ContainsFunc(results, func(r result) bool { return r.State == todo }):
		j.say("Nothing is left to do.")
		return nil
	case mode == cli.Show:
		j.say("Nothing was changed.")
		return nil
	case mode == cli.Ask && !j.Confirmed(cmd, "Do it?"):
		return cli.ErrNotConfirmed
	case mode == cli.Do && !j.flags.consent.Yes:
		return cli.Hinted(cli.Usage(errors.New("nothing was changed, because nobody can be asked here")),
			"--yes allows what --dry-run shows")
	}
	for i, s := range steps {
		if results[i].State != todo {
			continue
		}
		what, err := s.do(cmd, j)
		if err != nil {
			results[i].State, results[i].What = failed, err.Error()
			return stopped(s.name, err)
		}
		results[i].State, results[i].What = changed, what
		j.say("%-8s  %s", s.name, what)
	}
	if j.flags.undo {
		j.record.Canary = nil
		return j.keepRecord()
	}
	return nil
}

// stopped says which step failed, and how to go on.
func stopped(name string, err error) error {
	hint := "the same command goes on from there"
	if hinted, ok := errors.AsType[cli.HintedError](err); ok {
		hint = hinted.Hint + "; then " + hint
		err = hinted.Err
	}
	return cli.Hinted(fmt.Errorf("%s: %w", name, err), hint)
}

// show prints what is there and what would change.
func (j *job) show(results []result) {
	if j.flags.asJSON {
		return
	}
	for _, r := range results {
		cli.Say(j.Stdout, "%-8s  %-7s  %s", r.Name, string(r.State), r.What)
		for _, line := range r.Changes {
			cli.Printf(j.Stdout, "    %s\n", line)
		}
	}
}

// say prints a line for people.
func (j *job) say(format string, arguments ...any) {
	if !j.flags.asJSON {
		cli.Say(j.Stdout, format, arguments...)
	}
}
