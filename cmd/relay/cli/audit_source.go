package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/env"
)

// AuditSettings are the settings of a target that say where the audit log and its tables are.
func AuditSettings() []Setting {
	return Named(TargetSettings(), EnvData, EnvAWS, EnvProfile, EnvRegion, EnvLedgerTable, EnvConversationsTable, EnvAuditLogGroup)
}

// auditFile is the flag that names a file of lines.
const auditFile = "file"

// AddAuditSource makes the flags that say which log to read.
func AddAuditSource(flags *pflag.FlagSet) {
	flags.String(auditFile, "", "read this file instead: an audit.jsonl (one entry per line) or an export of CloudWatch Logs; it may be "+
		"gzipped")
	AddTargetFlags(flags, slices.DeleteFunc(AuditSettings(), isTable))
}

// AddAuditTables makes the flags that name the tables, for those commands that read them.
func AddAuditTables(flags *pflag.FlagSet) {
	AddTargetFlags(flags, slices.DeleteFunc(AuditSettings(), func(s Setting) bool { return !isTable(s) }))
}

func isTable(s Setting) bool { return s.Env == EnvLedgerTable || s.Env == EnvConversationsTable }

// OpenAuditSource opens the log that the flags and the environment say. With logOnly the tables are not opened.
func (p Program) OpenAuditSource(ctx context.Context, flags *pflag.FlagSet, logOnly bool, lag time.Duration) (*auditsource.Source, error) {
	r := env.New(LookupOf(AuditSettings(), flags, p.Lookup))
	onAWS := env.Parsed(r, EnvAWS, "false", ParseBool)
	config := auditsource.AWSConfig{
		Profile:  awsprofile.Config{Profile: r.String(EnvProfile, ""), Region: r.String(EnvRegion, "")},
		LogGroup: r.String(EnvAuditLogGroup, ""), LedgerTable: r.String(EnvLedgerTable, ""),
		ConversationsTable: r.String(EnvConversationsTable, ""), LogOnly: logOnly, Lag: lag, Now: time.Now,
	}
	data := r.String(EnvData, "")
	if err := r.Err(); err != nil {
		return nil, SettingsError(err)
	}
	path, _ := flags.GetString(auditFile)
	switch {
	case path != "" && flags.Changed("aws") && onAWS:
		return nil, Usage(errors.New("--file and --aws name two different logs: use one of them"))
	case path != "":
		source, err := auditsource.File(path)
		return source, err
	case onAWS:
		source, err := auditsource.AWS(ctx, config)
		return source, WithTargetHint(err, true)
	default:
		source, err := auditsource.Folder(ctx, data, logOnly)
		return source, withReadHint(err)
	}
}

// placeOf names a line of the log.
func placeOf(source *auditsource.Source, line auditlog.Line) string {
	if source.PlaceOf == nil {
		return "a line"
	}
	return source.PlaceOf(line.Number)
}

// EntriesOf reads the log's entries of the query, each once, and says on standard error if the last line is torn. The error is
// visit's, or names a line that is not an entry.
func (p Program) EntriesOf(ctx context.Context, source *auditsource.Source, q auditsource.Query,
	visit func(auditlog.Entry, []byte) error,
) error {
	seen := map[[sha256.Size]byte]bool{}
	return source.Read(ctx, q, func(line auditlog.Line) error {
		if line.Torn {
			Printf(p.Stderr, "relay: %s of %s has no end and is left out: it is being written now, or it was cut off\n", placeOf(source, line),
				source.Where)
			return nil
		}
		entry, err := auditlog.Parse(line.Text)
		if err != nil {
			return Hinted(fmt.Errorf("%s is not an audit entry", placeOf(source, line)),
				"relay audit verify reads the whole log and says what is wrong with it")
		}
		switch sum := sha256.Sum256(line.Text); {
		case entry.Time.Before(q.From), !q.Until.IsZero() && entry.Time.After(q.Until), q.Chain != "" && !entry.IsAbout(q.Chain),
			seen[sum]:
			return nil
		default:
			seen[sum] = true
			return visit(entry, line.Text)
		}
	})
}

// Logged is an entry with its text in the log.
type Logged struct {
	auditlog.Entry

	Text []byte
}

// LoggedOf returns the entries that are wanted, with their texts in the log.
func (p Program) LoggedOf(ctx context.Context, source *auditsource.Source, q auditsource.Query,
	wanted func(auditlog.Entry) bool,
) (found []Logged, err error) {
	err = p.EntriesOf(ctx, source, q, func(e auditlog.Entry, text []byte) error {
		if wanted(e) {
			found = append(found, Logged{e, text})
		}
		return nil
	})
	return found, err
}

// WriteLoggedAll writes entries as they are in the log, one per line.
func WriteLoggedAll(out io.Writer, entries []Logged) error {
	for _, e := range entries {
		if err := WriteLogged(out, e.Text); err != nil {
			return err
		}
	}
	return nil
}
