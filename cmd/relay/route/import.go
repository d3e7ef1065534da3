package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
)

// importFlags are the flags of route import.
type importFlags struct {
	consent              cli.Consent
	prune, force, asJSON bool
	// applied: the changes were made, or tried. asking: a person is asked about them.
	applied, asking bool
}

func (p program) routeImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Write the routes of a maintenance.json into the table",
		Long: `import compares a maintenance.json with the table and shows what it would change in each route, field by field. --apply makes
the changes. FILE may be - for standard input.

If someone changed a route after the file's LastUpdated, import keeps it, unless you add --force. If a route is only in the table,
import keeps it, unless you add --prune. Phones that opted out are not in the file, and stay opted out.`,
		Example: `  relay route import maintenance.json
  relay route import maintenance.json --prune --apply`,
		Args:              oneFile,
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"json"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.importRoutes(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	f.consent.Add(flags, "make the changes; without it, only show them")
	flags.BoolVar(&f.prune, "prune", false, "remove routes that are not in the file, as relay route rm does")
	flags.BoolVar(&f.force, "force", false, "also change routes that someone changed later, and accept numbers that cannot exist")
	cli.AddJSON(flags, &f.asJSON, "the change of each route, and whether it was made")
	cli.AddTarget(flags)
	return cmd
}

// oneFile wants one argument.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return cli.Usage(errors.New("name one maintenance.json"))
	}
	return nil
}

func (p program) importRoutes(cmd *cobra.Command, path string, f importFlags) error {
	file, problem, err := routing.ReadFile(path, route.Reading{Now: time.Now(), Numbers: route.Strictness(f.force)})
	if err != nil {
		return err
	}
	if problem != nil {
		return cli.Hinted(fmt.Errorf("%s:\n  %w", path, indented(problem)),
			"nothing was changed: correct the file; relay route export prints a valid one")
	}
	if f.prune && len(file) == 0 {
		return cli.Hinted(cli.Usage(fmt.Errorf("%s has no routes: --prune would remove all routes of the table", path)),
			"relay route rm NUMBER removes one route")
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	if f.asking = mode == cli.Ask; f.asking {
		steps, err := p.runImport(cmd, file, f)
		if err := errors.Join(p.printSteps(steps, f, err != nil), cli.RouteError(err, "")); err != nil || writes(steps) == 0 {
			return err
		}
		if !p.Confirmed(cmd, "Make these changes?") {
			return cli.ErrNotConfirmed
		}
	}
	f.applied = mode != cli.Show
	steps, err := p.runImport(cmd, file, f)
	// The output also says what was done before an error.
	return errors.Join(p.printSteps(steps, f, err != nil), cli.RouteError(err, ""))
}

// runImport compares the file with the table, and makes the changes if they are to be made.
func (p program) runImport(cmd *cobra.Command, file []route.Route, f importFlags) (steps []routing.Step, err error) {
	err = p.withRoutes(cmd.Context(), cmd.Flags(), func(table route.Table) error {
		stored, unreadable, err := route.Readable(table.List(cmd.Context()))
		if err == nil {
			err = f.refuse(unreadable, file)
		}
		if err != nil {
			return err
		}
		if !f.applied {
			p.WarnOfUnreadable(unreadable)
		}
		steps, err = routing.Import{Prune: f.prune, Force: f.force, Author: p.author().By(table)}.Plan(stored, file)
		if err != nil || !f.applied {
			return err
		}
		steps, err = routing.Apply(cmd.Context(), table, steps)
		return err
	})
	return steps, err
}

// refuse returns what is wrong with a stored route that the import is about and that cannot be read.
func (f importFlags) refuse(unreadable []route.Unreadable, file []route.Route) error {
	if f.prune {
		// It may be one that the file does not have.
		return route.ErrorOf(unreadable)
	}
	for _, r := range file {
		if err := route.ErrUnreadable(unreadable, r.TwilioNumber); err != nil {
			return err
		}
	}
	return nil
}

// writes counts the steps that change the table.
func writes(steps []routing.Step) (n int) {
	for _, s := range steps {
		if s.Action == routing.Added || s.Action == routing.Changed || s.Action == routing.Removed {
			n++
		}
	}
	return n
}

// shownStep is a step of an import as JSON.
type shownStep struct {
	// Action is "added", "changed", "removed", "unchanged", "kept" or "conflict".
	Action routing.Action `json:"action"`
	// Route is the route as the import writes it, or, if it is kept, as it is.
	Route       shownRoute           `json:"route"`
	Differences []routing.Difference `json:"differences"`
}

func (p program) printSteps(steps []routing.Step, f importFlags, failed bool) error {
	if failed && len(steps) == 0 {
		return nil
	}
	if f.asJSON {
		all := make([]shownStep, len(steps))
		for i, s := range steps {
			all[i] = shownStep{s.Action, shown(s.Result()), append([]routing.Difference{}, s.Differences...)}
		}
		if err := json.NewEncoder(p.Stdout).Encode(struct {
			Routes  []shownStep `json:"routes"`
			Applied bool        `json:"applied"`
		}{all, f.applied}); err != nil {
			return err
		}
		return conflicts(steps)
	}
	counts := map[string]int{}
	for _, s := range steps {
		counts[string(s.Action)]++
		if err := p.printStep(s); err != nil {
			return err
		}
	}
	p.printTally(counts, f, failed)
	return conflicts(steps)
}

func (p program) printStep(s routing.Step) error {
	why := ""
	switch s.Action {
	case routing.Unchanged:
		return nil
	case routing.Kept:
		why = fmt.Sprintf(": changed %s, after the file's LastUpdated", updated(p.Stdout, s.Before))
	case routing.Conflict:
		why = ": someone changed it just now"
	case routing.Added, routing.Changed, routing.Removed:
	}
	cli.Printf(p.Stdout, "%s %s%s\n", s.Action, string(s.Before.TwilioNumber), why)
	return cli.WriteDifferences(p.Stdout, s.Differences)
}

func (p program) printTally(counts map[string]int, f importFlags, failed bool) {
	tally := cli.CountsOf(counts)
	if tally == "" {
		tally = "no routes"
	}
	changes := counts[string(routing.Added)] + counts[string(routing.Changed)] + counts[string(routing.Removed)]
	switch {
	case f.applied && !failed && changes > 0:
		cli.Say(p.Stdout, "%s. A running relay uses it within %v; if none runs, it holds from the next start.", tally, route.MaxCacheAge)
	case f.applied || changes == 0:
		cli.Printf(p.Stdout, "%s.\n", tally)
	case f.asking:
		cli.Printf(p.Stdout, "%s.\n", tally)
	default:
		cli.Printf(p.Stdout, "%s. Nothing was changed: add --apply to change it.\n", tally)
	}
	if counts[string(routing.Kept)] > 0 {
		fmt.Fprintln(p.Stdout, "Kept routes stay as they are in the table. To change them, add --force, or give the file a later LastUpdated.")
	}
}

// conflicts is the error of an import if someone else changed a route first.
func conflicts(steps []routing.Step) error {
	n := 0
	for _, s := range steps {
		if s.Action == routing.Conflict {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return cli.Hinted(fmt.Errorf("%s changed by someone else meanwhile", cli.Plural(n, "route")),
		"run the same command again to see what is left to do")
}

func (p program) routeExportCommand() *cobra.Command {
	var asJSON bool
	var output string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the routes as a maintenance.json",
		Long: `export prints the routes as a maintenance.json, which import and relay serve --routes read. It leaves out removed routes,
phones that opted out, and who changed a route.`,
		Example: `  relay route export > maintenance.json
  relay route export --aws | relay route import - --data ./relay-data`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			out, closeOut, err := p.Output(output)
			if err != nil {
				return err
			}
			return errors.Join(route.WriteMaintenance(out, routes), closeOut())
		},
	}
	cli.AddOutput(cmd.Flags(), &output)
	cli.AddJSON(cmd.Flags(), &asJSON, "the same: a maintenance.json is JSON already")
	cli.AddTarget(cmd.Flags())
	return cmd
}

// indented indents each line of an error.
func indented(err error) error { return errors.New(strings.ReplaceAll(err.Error(), "\n", "\n  ")) }
