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

// lateness is how old the entry of a removal may be when it reaches the log after the removal was noticed.
const lateness = time.Hour

// verification is one run of relay audit verify.
type verification struct {
	source *auditsource.Source
	// chain is the only text or conversation to verify, empty for all; see [auditlog.ChainOf].
	chain string
	since time.Time
	now   func() time.Time
	// wait waits, and says so, until the entry of a removal must have reached the log.
	wait func(ctx context.Context, until time.Time, removed int) error
}

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
			v := verification{source: source, chain: chain, since: since.At, now: time.Now, wait: p.waitForRemovals}
			report, err := v.run(cmd.Context())
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

// run reads the ledger first and then the log, so that every change in the ledger is in the log or on its way there.
func (v verification) run(ctx context.Context) (auditlog.Report, error) {
	from := v.since
	if v.source.Begins.After(from) {
		from = v.source.Begins
	}
	options := auditlog.Options{Chain: v.chain, From: from, Ordered: v.source.Ordered}
	if v.source.Heads != nil {
		options.HeadsAt = v.now()
	}
	verifier := auditlog.NewVerifier(options)
	if err := v.expect(ctx, verifier, from); err != nil {
		return auditlog.Report{}, err
	}
	err := v.source.Read(ctx, auditsource.Query{From: from, Chain: v.chain, Segment: verifier.Segment},
		func(line auditlog.Line) error {
			verifier.Add(line)
			return nil
		})
	if err != nil {
		return auditlog.Report{}, err
	}
	if err := v.ask(ctx, verifier, options.HeadsAt); err != nil {
		return auditlog.Report{}, err
	}
	report := verifier.Report()
	if v.chain != "" && report.Sound() && report.Texts+report.Conversations == 0 {
		if id, ok := auditlog.ConversationOf(v.chain); ok {
			return report, cli.Hinted(fmt.Errorf("neither the log nor the conversations' table has the conversation %s", id),
				"relay audit export lists all entries, with their conversation_id")
		}
		return report, cli.Hinted(fmt.Errorf("neither the log nor the ledger has %s", v.chain),
			"the SID of a text begins with SM, MM or RL; relay audit export lists all entries")
	}
	return report, nil
}

// expect tells the verifier what the ledger has.
func (v verification) expect(ctx context.Context, verifier *auditlog.Verifier, from time.Time) error {
	switch {
	case v.source.Heads == nil:
		return nil
	case v.chain != "":
		head, err := v.source.Heads.Head(ctx, v.chain)
		if err != nil {
			return err
		}
		verifier.Expect(v.chain, head)
	default:
		err := v.source.Heads.Each(ctx, func(sid string, head auditlog.Head) {
			if !head.UpdatedAt.Before(from) {
				verifier.Expect(sid, head)
			}
		})
		if err != nil {
			return err
		}
	}
	return v.source.Heads.Unaudited(ctx, verifier.Await)
}

// ask looks up texts that came in since, and waits until the log must have the records that were just removed.
func (v verification) ask(ctx context.Context, verifier *auditlog.Verifier, headsAt time.Time) error {
	if v.source.Heads == nil {
		return nil
	}
	removed, err := verifier.Ask(ctx, v.source.Heads.Head)
	if err != nil || removed == 0 || v.source.Lag == 0 {
		return err
	}
	if err := v.wait(ctx, v.now().Add(v.source.Lag), removed); err != nil {
		return err
	}
	return v.source.Read(ctx, auditsource.Query{From: headsAt.Add(-lateness), Chain: v.chain}, func(line auditlog.Line) error {
		verifier.AddLate(line)
		return nil
	})
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
