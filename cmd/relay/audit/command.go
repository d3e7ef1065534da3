// Package audit is `relay audit`: it reads the audit log, verifies that nothing in it is missing or changed, and exports it. Where the
// log is read from is [auditsource]; what its entries say is shared/auditlog.
package audit

import (
	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay audit`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read the audit log, and verify that nothing in it is missing or changed",
		Long: `audit reads the audit log: each change of each text, of each route and of each conversation. The log masks numbers, and has neither
texts nor the names of customers.

Without flags it reads the log of relay serve on this host, which may be running. With --aws it reads the log in CloudWatch
Logs, with the credentials of the AWS command line. With --file it reads a copy of either.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.auditVerifyCommand(), p.auditTraceCommand(), p.auditExportCommand())
	return cmd
}

// window is the period that the flags name.
type window struct{ since, until cli.Moment }
