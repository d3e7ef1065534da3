package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/route/routing"
	"quickdumpnow.com/smsrelay/shared/route"
)

// importFlags are the flags of route import.
type importFlags struct{ apply, prune, force, asJSON bool }

func (p program) routeImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring the routes of a maintenance.json over to the table",
		Long: `import compares a maintenance.json with the table and says what it would do with each route, field by field. With --apply it
does so. FILE may be - for the standard input.

A route that someone changed after the file's LastUpdated is kept as it is, unless --force says otherwise; a route that is in
the table only is left alone, unless --prune takes it out of use. Who has opted out is not in the file, and stays.`,
		Example: `  relay route import maintenance.json
  relay route import maintenance.json --prune --apply`,
		Args:              oneFile,
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"json"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.importRoutes(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.apply, "apply", false, "do it; without it, only say what would be done")
	flags.BoolVar(&f.prune, "prune", false, "take routes out of use, as relay route rm does, that are not in the file")
	flags.BoolVar(&f.force, "force", false, "take the file's word for routes, too, that someone changed later, and for numbers that no phone can have")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON: what is done with each route, and whether it was done")
	cli.AddTarget(flags)
	return cmd
}

// oneFile wants one argument.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return cli.Usage(errors.New("want the name of one maintenance.json"))
	}
	return nil
}

// readRoutes reads a maintenance.json. The error says which file it is; what [route.ParseMaintenance] finds is in problem.
func (p program) readRoutes(path string, numbers route.Strictness) (routes []route.Route, problem, err error) {
	file := os.Stdin
	if path != "-" {
		if file, err = os.Open(path); err != nil { //nolint:gosec // the operator names the file.
			return nil, nil, err
		}
		defer file.Close() //nolint:errcheck // it was only read.
	}
	routes, problem = route.ParseMaintenance(file, route.Reading{Now: time.Now(), Numbers: numbers})
	return routes, problem, nil
}

func (p program) importRoutes(cmd *cobra.Command, path string, f importFlags) error {
	file, problem, err := p.readRoutes(path, route.Strictness(f.force))
	if err != nil {
		return err
	}
	if problem != nil {
		return cli.Hinted(fmt.Errorf("%s:\n  %w", path, indented(problem)), "nothing was changed: put the file right, or print one of the right form with relay route export")
	}
	var steps []routing.Step
	err = p.withRoutes(cmd.Context(), cmd.Flags(), func(table route.Table) error {
		stored, err := table.List(cmd.Context())
		if err != nil {
			return err
		}
		steps, err = routing.Import{Prune: f.prune, Force: f.force, Author: p.author().By(table)}.Plan(stored, file)
		if err != nil || !f.apply {
			return err
		}
		steps, err = routing.Apply(cmd.Context(), table, steps)
		return err
	})
	// What was done before an error is said, too.
	return errors.Join(p.printSteps(steps, f, err != nil), routeError(err, ""))
}

// shownStep is a step of an import as JSON.
type shownStep struct {
	// Action is "added", "changed", "removed", "unchanged", "kept" or "conflict".
	Action routing.Action `json:"action"`
	// Route has the names of a maintenance.json: how the route is to be, or is if it was applied; of kept ones, how it is.
	Route       route.Route          `json:"route"`
	Differences []routing.Difference `json:"differences"`
}

func (p program) printSteps(steps []routing.Step, f importFlags, failed bool) error {
	if failed && len(steps) == 0 {
		return nil
	}
	if f.asJSON {
		shown := make([]shownStep, len(steps))
		for i, s := range steps {
			shown[i] = shownStep{s.Action, s.Stands(), append([]routing.Difference{}, s.Differences...)}
		}
		if err := json.NewEncoder(p.Stdout).Encode(struct {
			Routes  []shownStep `json:"routes"`
			Applied bool        `json:"applied"`
		}{shown, f.apply}); err != nil {
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
		why = fmt.Sprintf(": changed %s, after the file's LastUpdated", updated(s.Before))
	case routing.Conflict:
		why = ": someone changed it just now"
	case routing.Added, routing.Changed, routing.Removed:
	}
	cli.Printf(p.Stdout, "%s %s%s\n", s.Action, string(s.Before.TwilioNumber), why)
	return writeDifferences(p.Stdout, s.Differences)
}

func (p program) printTally(counts map[string]int, f importFlags, failed bool) {
	tally := cli.CountsOf(counts)
	if tally == "" {
		tally = "no routes"
	}
	writes := counts[string(routing.Added)] + counts[string(routing.Changed)] + counts[string(routing.Removed)]
	switch {
	case f.apply && !failed && writes > 0:
		cli.Printf(p.Stdout, "%s. A running relay takes it over within %v.\n", tally, route.MaxCacheAge)
	case f.apply || writes == 0:
		cli.Printf(p.Stdout, "%s.\n", tally)
	default:
		cli.Printf(p.Stdout, "%s. Nothing was written: the same command with --apply does it.\n", tally)
	}
	if counts[string(routing.Kept)] > 0 {
		fmt.Fprintln(p.Stdout, "Kept routes stay as they are in the table. --force takes the file's word, and so does a later LastUpdated in the file.")
	}
}

// conflicts is the error of an import in which someone else was quicker.
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
	return cli.Hinted(fmt.Errorf("%s changed by someone else meanwhile", cli.Plural(n, "route")), "the same command again shows what is left to do")
}

func (p program) routeExportCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print the routes as a maintenance.json",
		Long: `export prints the routes that are in use as a maintenance.json, which import and relay serve --routes read. Who has opted out
and who changed a route are not in it; routes that were removed are not, either.`,
		Example: `  relay route export > maintenance.json
  relay route export --aws | relay route import - --data ./relay-data`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			return route.WriteMaintenance(p.Stdout, routes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same: a maintenance.json is JSON")
	cli.AddTarget(cmd.Flags())
	return cmd
}

// indented sets each line of an error in.
func indented(err error) error { return errors.New(strings.ReplaceAll(err.Error(), "\n", "\n  ")) }
