package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// lateness is how long before a record's removal was noticed its entry may be dated that still was on its way.
const lateness = time.Hour

// verification is one call of relay audit verify.
type verification struct {
	source     *auditsource.Source
	messageSid string
	since      time.Time
	now        func() time.Time
	// wait passes the time that a removal may take into the log, and says so.
	wait func(ctx context.Context, until time.Time, removed int) error
}

func (p program) auditVerifyCommand() *cobra.Command {
	var asJSON, logOnly bool
	var since cli.Moment
	var messageSid string
	var grace time.Duration
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify that no entry is missing, changed or out of order",
		Long: `verify recomputes the hash chain of each text's entries, and holds its end against the text's record in the ledger. It
says which entries are missing, were changed or stand in the wrong order, and where someone changed a record past the relay.
Entries that stand more than once are no finding: the log holds each at least once. Changes of routes are in no chain.

It exits with 3 if it found anything, and with 1 if it could not read. docs/audit.md says what it cannot find. It keeps some
700 bytes for each text in memory; --since leaves out older ones.`,
		Example: `  relay audit verify
  relay audit verify --since 24h --json
  relay audit verify --aws --message SM00000000000000000000000000000001`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			source, err := p.OpenAuditSource(cmd.Context(), cmd.Flags(), logOnly, grace)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, source.Close()) }()
			v := verification{source: source, messageSid: messageSid, since: since.At, now: time.Now, wait: p.waitForRemovals}
			report, err := v.run(cmd.Context())
			if err != nil {
				return cli.WithTargetHint(err, source.Lag > 0)
			}
			return p.showReport(source, report, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	flags.BoolVar(&logOnly, "log-only", false, "do not ask the ledger: nothing then tells of entries cut off at a text's end")
	flags.StringVar(&messageSid, "message", "", "the one text to look at")
	flags.Var(&since, "since", "look at entries since then, a duration such as 36h or a time; texts that began before are looked at from there on")
	flags.DurationVar(&grace, "grace", time.Minute, "on AWS, how long a change may take into the log before it counts as missing")
	cli.AddAuditSource(flags)
	cli.AddFlags(flags, slices.DeleteFunc(cli.AuditSettings(), func(s cli.Setting) bool { return s.Env != cli.EnvLedgerTable }))
	return cmd
}

// run reads the ledger, then the log, so that what the ledger has is in the log, or on its way.
func (v verification) run(ctx context.Context) (auditlog.Report, error) {
	from := v.since
	if v.source.Begins.After(from) {
		from = v.source.Begins
	}
	options := auditlog.Options{MessageSid: v.messageSid, From: from, Ordered: v.source.Ordered}
	if v.source.Ledger != nil {
		options.HeadsAt = v.now()
	}
	verifier := auditlog.NewVerifier(options)
	if err := v.expect(ctx, verifier, from); err != nil {
		return auditlog.Report{}, err
	}
	err := v.source.Read(ctx, auditsource.Query{From: from, MessageSid: v.messageSid, Segment: verifier.Segment}, func(line auditlog.Line) error {
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
	if v.messageSid != "" && report.Sound() && report.Texts == 0 {
		return report, cli.Hinted(fmt.Errorf("nothing is known of %s", v.messageSid), "it begins with SM, MM or RL; relay audit export lists what there is")
	}
	return report, nil
}

// expect tells the verifier what the ledger has.
func (v verification) expect(ctx context.Context, verifier *auditlog.Verifier, from time.Time) error {
	switch {
	case v.source.Ledger == nil:
		return nil
	case v.messageSid != "":
		head, err := v.source.Ledger.Head(ctx, v.messageSid)
		if err != nil {
			return err
		}
		verifier.Expect(v.messageSid, head)
	default:
		err := v.source.Ledger.Each(ctx, func(sid string, head auditlog.Head) {
			if !head.UpdatedAt.Before(from) {
				verifier.Expect(sid, head)
			}
		})
		if err != nil {
			return err
		}
	}
	return v.source.Ledger.Unaudited(ctx, verifier.Await)
}

// ask looks up what came in since, and gives the log time to tell of what was removed just now.
func (v verification) ask(ctx context.Context, verifier *auditlog.Verifier, headsAt time.Time) error {
	if v.source.Ledger == nil {
		return nil
	}
	removed, err := verifier.Ask(ctx, v.source.Ledger.Head)
	if err != nil || removed == 0 || v.source.Lag == 0 {
		return err
	}
	if err := v.wait(ctx, v.now().Add(v.source.Lag), removed); err != nil {
		return err
	}
	return v.source.Read(ctx, auditsource.Query{From: headsAt.Add(-lateness), MessageSid: v.messageSid}, func(line auditlog.Line) error {
		verifier.AddLate(line)
		return nil
	})
}

// waitForRemovals says what it waits for.
func (p program) waitForRemovals(ctx context.Context, until time.Time, removed int) error {
	fmt.Fprintf(p.Stderr, "relay: the ledger has no record of %d texts; waiting until %s for the log to tell of their removal\n",
		removed, until.Format(time.TimeOnly))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(until)):
		return nil
	}
}

// showReport prints the report. The error is a foundError if anything was found.
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
	return cli.Found(fmt.Errorf("the audit log of %s does not verify", source.Where))
}
