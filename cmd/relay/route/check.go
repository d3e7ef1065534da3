package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
)

func (p program) routeCheckCommand() *cobra.Command {
	var asJSON, strict bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Find out what is wrong with the routes",
		Long: `check reads the routing table, or a maintenance.json (- reads standard input), and says what is wrong with it and how to fix
it. Problems stop texts: a loop, a route whose phones have all opted out, a route that cannot be read. Warnings may be on purpose:
an inactive route, no fallback, a phone that opted out, a number that is too long or too short.

The exit code is 3 if there are problems; with --strict, also if there are warnings.`,
		Example: `  relay route check
  relay route check maintenance.json --strict`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.Usage(fmt.Errorf("name only one file: unexpected argument %q", args[1]))
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"json"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(cmd *cobra.Command, args []string) error {
			findings, err := p.checkRoutes(cmd, args)
			if err != nil {
				return err
			}
			return p.printFindings(findings, asJSON, strict)
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "the findings, and how many of them are problems and warnings")
	cmd.Flags().BoolVar(&strict, "strict", false, "treat warnings as problems")
	cli.AddTarget(cmd.Flags())
	return cmd
}

// checkRoutes checks the file that is named, or else the table.
func (p program) checkRoutes(cmd *cobra.Command, args []string) ([]routing.Finding, error) {
	if len(args) == 0 {
		routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
		return routing.Check(routes), err
	}
	routes, problem, err := routing.ReadFile(args[0], route.Reading{Now: time.Now()})
	if err != nil {
		return nil, err
	}
	if problem != nil {
		return routing.Unreadable(problem), nil
	}
	return routing.Check(routes), nil
}

func (p program) printFindings(findings []routing.Finding, asJSON, strict bool) error {
	problems := 0
	for _, f := range findings {
		if f.Severity == routing.Problem {
			problems++
		}
	}
	warnings := len(findings) - problems
	tally := fmt.Sprintf("%s, %s", cli.Plural(problems, "problem"), cli.Plural(warnings, "warning"))
	if asJSON {
		if err := json.NewEncoder(p.Stdout).Encode(struct {
			Findings []routing.Finding `json:"findings"`
			Problems int               `json:"problems"`
			Warnings int               `json:"warnings"`
		}{append([]routing.Finding{}, findings...), problems, warnings}); err != nil {
			return err
		}
	} else {
		writeRouteFindings(p.Stdout, findings)
	}
	if problems > 0 || strict && warnings > 0 {
		return cli.Found(errors.New(tally))
	}
	if !asJSON {
		fmt.Fprintln(p.Stdout, tally)
	}
	return nil
}
