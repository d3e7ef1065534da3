package doctor

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// NumberCheckCommand returns `relay number check`.
func NumberCheckCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f doctorFlags
	var numbers cli.NumberFlags
	cmd := &cobra.Command{
		Use:   "check NUMBER",
		Short: "Check one number",
		Long: `check runs doctor's checks for one number: whether the account owns it, what it can do, its webhook, its route and its
phones, and what happened to its texts. The threads of its route are checked with it; NUMBER may also be one of them. The exit
code is 3 if a check fails.`,
		Example:           `  relay number check +18585550100`,
		Args:              cli.OneNumber,
		ValidArgsFunction: p.NumberOrThread,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := numbers.Read(args[0])
			if err != nil {
				return err
			}
			relay, closeRelay, err := p.inputs(cmd.Context(), cmd.Flags())
			if err != nil {
				return err
			}
			relay.Number = number
			results := examine(cmd.Context(), relay, options{Only: ofOneNumber(), Deadline: f.deadline, Parallel: 8})
			return errors.Join(p.report(results, f.asJSON), closeRelay())
		},
	}
	cli.AddJSON(cmd.Flags(), &f.asJSON, "an array of results")
	cli.DurationVar(cmd.Flags(), &f.deadline, "deadline", 15*time.Second, "how long one check may take")
	numbers.Add(cmd.Flags())
	addExam(cmd.Flags())
	return cmd
}
