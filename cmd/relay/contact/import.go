package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// importFlags are the flags of contact import.
type importFlags struct {
	consent cli.Consent
	numbers cli.NumberFlags
	asJSON  bool
}

func (p program) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Give customers the names of a CSV file",
		Long: `import reads a CSV file with the columns number, customer and name, and shows which names it would give. --apply gives them. FILE
may be - for standard input.

If anything in the file is wrong, import says so line by line, and changes nothing. Customers who are not in the file keep their
names. If import is interrupted, run it again: it goes on with what is left.`,
		Example: `  relay contact import customers.csv
  relay contact import customers.csv --apply
  printf 'number,customer,name\n+18585550100,+13125550147,Ann\n' | relay contact import -`,
		Args:              cli.Arguments("one CSV file"),
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"csv"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.importNames(cmd, args[0], f) },
	}
	f.consent.Add(cmd.Flags(), "give the names; without it, only show them")
	cli.AddJSON(cmd.Flags(), &f.asJSON, "what is done about each name, and whether it was done")
	f.numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}

func (p program) importNames(cmd *cobra.Command, path string, f importFlags) error {
	ctx := cmd.Context()
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	return p.WithTarget(ctx, cmd.Flags(), func(d *target.Target) error {
		lines, err := p.read(cmd, path, d, f.numbers)
		if err != nil {
			return err
		}
		run := importRun{naming: contact.Naming{Store: d.Conversations, By: p.Operator(""), Now: time.Now}, lines: lines}
		if err := run.plan(ctx); err != nil {
			return err
		}
		if mode != cli.Do {
			if err := p.printImport(run, mode, f.asJSON); err != nil || mode == cli.Show || run.changes() == 0 {
				return err
			}
			if !p.Confirmed(cmd, "Give these names?") {
				return cli.ErrNotConfirmed
			}
		}
		err = run.apply(ctx)
		if mode == cli.Ask && err == nil {
			cli.Say(p.Stdout, "%s given.", cli.Plural(run.changes(), "name"))
			return nil
		}
		return errors.Join(cli.Interrupted(ctx, err), p.printImport(run, cli.Do, f.asJSON))
	})
}

// read reads the file. The error says all that is wrong with it.
func (p program) read(cmd *cobra.Command, path string, d *target.Target, numbers cli.NumberFlags) ([]line, error) {
	file := cmd.InOrStdin()
	if path != "-" {
		opened, err := os.Open(path) //nolint:gosec // the operator names the file.
		if err != nil {
			return nil, err
		}
		defer opened.Close() //nolint:errcheck // it was only read.
		file = opened
	}
	routes, err := p.ListRoutes(cmd.Context(), d.Routes)
	if err != nil {
		return nil, err
	}
	lines, err := parse(file, numbers, func(number sms.PhoneNumber) bool {
		for _, r := range routes {
			if sms.Same(r.TwilioNumber, number) {
				return true
			}
		}
		return false
	})
	if err != nil {
		return nil, cli.Hinted(fmt.Errorf("%s:\n  %s", path, strings.ReplaceAll(err.Error(), "\n", "\n  ")),
			"nothing was changed: correct the file; relay contact import --help says what it has")
	}
	return lines, nil
}

// importRun is one import.
type importRun struct {
	naming contact.Naming
	lines  []line
	// steps are of the lines, as far as they are planned or done.
	steps []contact.Step
	// done is set once names were given.
	done bool
}

func (r *importRun) plan(ctx context.Context) error { return r.each(ctx, r.naming.Plan) }

func (r *importRun) apply(ctx context.Context) error {
	r.done = true
	return r.each(ctx, r.naming.Apply)
}

func (r *importRun) each(ctx context.Context, do func(context.Context, contact.Wanted) (contact.Step, error)) error {
	r.steps = nil
	for _, l := range r.lines {
		s, err := do(ctx, l.Wanted)
		if err != nil {
			return fmt.Errorf("line %d: %w", l.at, err)
		}
		r.steps = append(r.steps, s)
	}
	return nil
}

// changes counts the steps that change a name.
func (r *importRun) changes() (n int) {
	for _, s := range r.steps {
		if s.Change != contact.Unchanged {
			n++
		}
	}
	return n
}

// printImport says what an import would do, or did.
func (p program) printImport(run importRun, mode cli.Mode, asJSON bool) error {
	if asJSON {
		steps := make([]contact.ShownStep, len(run.steps))
		for i, s := range run.steps {
			steps[i] = s.Show(false)
		}
		return json.NewEncoder(p.Stdout).Encode(struct {
			Contacts []contact.ShownStep `json:"contacts"`
			Applied  bool                `json:"applied"`
		}{steps, run.done})
	}
	counts := map[string]int{}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "DONE"}, cli.Column{Title: "NUMBER", Drop: 2}, cli.Column{Title: "CUSTOMER"},
		cli.Column{Title: "NAME"}, cli.Column{Title: "WAS", Drop: 1}, cli.Column{Title: "IN THE FILE", Text: true})
	for i, s := range run.steps {
		counts[string(s.Change)]++
		written := ""
		if run.lines[i].written != s.After.Name {
			written = run.lines[i].written
		}
		if s.Change != contact.Unchanged || written != "" {
			table.Row(string(s.Change), string(s.After.TwilioNumber), string(s.After.Customer), s.After.Name, s.Before.Name, written)
		}
	}
	if run.changes() > 0 {
		if err := table.Flush(); err != nil {
			return err
		}
	}
	tally := cli.CountsOf(counts)
	if mode == cli.Show && run.changes() > 0 {
		tally += ". Nothing was changed: add --apply to change it"
	}
	cli.Say(p.Stdout, "%s.", tally)
	return nil
}
