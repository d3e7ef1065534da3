package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

func (p program) auditVerifyCommand() *cobra.Command {
	var asJSON, logOnly bool
	var since cli.Moment
	var messageSid, conversation string
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify that no entry is missing, changed or out of order",
		Long: `verify recomputes the hash chain of the entries of each text and of each conversation (a customer at a Twilio number), and compares
its end with the text's record in the ledger, or with the stored conversation. It says which entries are missing, changed or out
of order, and which records something other than the relay changed. An entry may be in the log more than once; that is not an
error. Changes of routes are not part of a chain.

The exit code is 3 if something is wrong, and 1 if the log could not be read. docs/audit.md says what verify cannot find. verify
needs about 700 bytes of memory for each text; --since leaves out older texts.`,
		Example: `  relay audit verify
  relay audit verify --since 24h --json
  relay audit verify --aws --message SM00000000000000000000000000000001
  relay audit verify --conversation AB3DEFGH2JKLMNOPQRSTUVWXYZ`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			chain, err := chainOf(messageSid, conversation)
			if err != nil {
				return err
			}
			source, err := p.OpenAuditSource(cmd.Context(), cmd.Flags(), logOnly, grace)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, source.Close()) }()
			v := auditsource.Verification{Source: source, Chain: chain, Since: since.At, Now: time.Now, Wait: p.waitForRemovals}
			report, err := v.Run(cmd.Context())
			if err == nil {
				err = whetherThere(chain, report)
			}
			if err != nil {
				return cli.WithTargetHint(err, source.Lag > 0)
			}
			return p.showReport(source, report, asJSON)
		},
	}
	flags := cmd.Flags()
	cli.AddJSON(flags, &asJSON, "the report")
	flags.BoolVar(&logOnly, "log-only", false, "do not read the tables: then entries that are missing at the end of a text are not found")
	flags.StringVar(&messageSid, "message", "", "check only this text")
	flags.StringVar(&conversation, "conversation", "", "check only this conversation: the conversation_id of its entries")
	flags.Var(&since, "since", "check only entries after this time: "+cli.MomentHelp)
	cli.DurationVar(flags, &grace, "grace", time.Minute, "on AWS, how long a change may take to reach the log before it counts as missing")
	cli.AddAuditSource(flags)
	cli.AddAuditTables(flags)
	return cmd
}

// whetherThere returns an error if there is nothing of the text or the conversation that was named.
func whetherThere(chain string, report auditlog.Report) error {
	if chain == "" || !report.Sound() || report.Texts+report.Conversations > 0 {
		return nil
	}
	if id, ok := auditlog.ConversationOf(chain); ok {
		return cli.Hinted(fmt.Errorf("neither the log nor the conversations' table has the conversation %s", id),
			"relay audit export lists all entries, with their conversation_id")
	}
	return cli.Hinted(fmt.Errorf("neither the log nor the ledger has %s", chain),
		"the SID of a text begins with SM, MM or RL; relay audit export lists all entries")
}

// waitForRemovals waits until then, and says why.
func (p program) waitForRemovals(ctx context.Context, until time.Time, removed int) error {
	fmt.Fprintf(p.Stderr, "relay: %d texts or conversations are no longer stored; waiting until %s for their removal to appear in the log\n",
		removed, until.Format(time.TimeOnly))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(until)):
		return nil
	}
}

// showReport prints the report. The error is a foundError if something is wrong.
func (p program) showReport(source *auditsource.Source, report auditlog.Report, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(p.Stdout).Encode(report)
	} else {
		err = writeReport(p.Stdout, source, report)
	}
	if err != nil || report.Sound() {
		return err
	}
	return cli.Found(fmt.Errorf("something is wrong with the audit log of %s", source.Where))
}
