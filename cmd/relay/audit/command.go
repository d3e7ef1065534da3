package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/trail"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/env"
)

func (p program) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read the audit log, and verify that nothing in it is missing or changed",
		Long: `audit reads the audit log: each change of each text and of each route. Numbers in it are masked, texts absent.

It reads that of a relay serve on this host, which may be running; with --aws that in CloudWatch Logs, as the person that
the AWS command line would be; or with --file lines that were taken from either.`,
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.auditVerifyCommand(), p.auditTraceCommand(), p.auditExportCommand())
	return cmd
}

// auditSettings are those of a desk that say where the audit log and its ledger are.
func auditSettings() []setting {
	var chosen []setting
	for _, s := range deskSettings() {
		switch s.env {
		case envData, envAWS, envProfile, envRegion, envLedgerTable, envAuditLogGroup:
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// auditFile is the flag that names a file of lines.
const auditFile = "file"

// addAuditSource makes the flags that say which log to read.
func addAuditSource(flags *pflag.FlagSet) {
	flags.String(auditFile, "", "read the lines of this file instead: an audit.jsonl, entries one a line, or what CloudWatch Logs exports, also gzipped")
	// Of the commands below audit, verify alone asks the ledger.
	addFlags(flags, slices.DeleteFunc(auditSettings(), func(s setting) bool { return s.env == envLedgerTable }))
}

// openTrail opens the log that the flags and the environment say. With logOnly the ledger is not opened.
func (p program) openTrail(ctx context.Context, flags *pflag.FlagSet, logOnly bool, lag time.Duration) (*trail.Source, error) {
	r := env.New(lookupOf(auditSettings(), flags, p.lookup))
	onAWS := env.Parsed(r, envAWS, "false", parseBool)
	config := trail.AWSConfig{
		Profile:  awsprofile.Config{Profile: r.String(envProfile, ""), Region: r.String(envRegion, "")},
		LogGroup: r.String(envAuditLogGroup, ""), LedgerTable: r.String(envLedgerTable, ""), Lag: lag, Now: time.Now,
	}
	data := r.String(envData, "")
	if err := r.Err(); err != nil {
		return nil, settingError(err)
	}
	if logOnly {
		config.LedgerTable = ""
	}
	path, _ := flags.GetString(auditFile)
	switch {
	case path != "" && flags.Changed("aws") && onAWS:
		return nil, usageError{errors.New("--file and --aws name two logs")}
	case path != "":
		source, err := trail.File(path)
		return source, err
	case onAWS:
		source, err := trail.AWS(ctx, config)
		return source, withDeskHint(err, true)
	default:
		source, err := trail.Folder(ctx, data, logOnly)
		return source, withReadHint(err)
	}
}

// window is a stretch of time that flags say.
type window struct{ since, until moment }

// placeOf names a line of the log.
func placeOf(source *trail.Source, line auditlog.Line) string {
	if source.PlaceOf == nil {
		return "a line"
	}
	return source.PlaceOf(line.Number)
}

// entriesOf reads the log's entries of the window, each once, and says on the standard error if the last line is torn. The error is
// what visit returns, or names the line that is none.
func (p program) entriesOf(ctx context.Context, source *trail.Source, q trail.Query, visit func(auditlog.Entry, []byte) error) error {
	seen := map[[sha256.Size]byte]bool{}
	return source.Read(ctx, q, func(line auditlog.Line) error {
		if line.Torn {
			printf(p.stderr, "relay: %s of %s has no end and is left out: it is being written just now, or it was cut\n", placeOf(source, line), source.Where)
			return nil
		}
		entry, err := auditlog.Parse(line.Text)
		if err != nil {
			return hintedError{fmt.Errorf("%s is no audit entry", placeOf(source, line)), "relay audit verify looks at the whole log and says what is wrong with it"}
		}
		switch sum := sha256.Sum256(line.Text); {
		case entry.Time.Before(q.From), !q.Until.IsZero() && entry.Time.After(q.Until), q.MessageSid != "" && entry.MessageSid != q.MessageSid, seen[sum]:
			return nil
		default:
			seen[sum] = true
			return visit(entry, line.Text)
		}
	})
}
