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
		Long: `audit reads the audit log: each change of each text and of each route. Numbers in it are masked, texts absent.

It reads that of a relay serve on this host, which may be running; with --aws that in CloudWatch Logs, as the person that
the AWS command line would be; or with --file lines that were taken from either.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.auditVerifyCommand(), p.auditTraceCommand(), p.auditExportCommand())
	return cmd
}

// window is a stretch of time that flags say.
type window struct{ since, until cli.Moment }
