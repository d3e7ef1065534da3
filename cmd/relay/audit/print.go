package audit

import (
	"fmt"
	"io"
	"text/tabwriter"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// meaning says in words what a kind of finding means.
func meaning(kind string) string {
	switch kind {
	case auditlog.KindGap:
		return "an entry is missing: it was removed, or never reached the log"
	case auditlog.KindEdit:
		return "a line was changed, or something other than the relay wrote it"
	case auditlog.KindOrder:
		return "an entry is not where it was written"
	case auditlog.KindUnsealed:
		return "something other than the relay changed a record in a table; the entry itself is correct"
	case auditlog.KindBehind:
		return "a table is older than the log: it was restored from a backup, or changed by hand"
	default:
		return "unknown"
	}
}

// writeReport prints a report for people.
func writeReport(out io.Writer, source *auditsource.Source, r auditlog.Report) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, n int, note string) {
		if n > 0 {
			cli.Printf(table, "  %s\t%d\t%s\n", name, n, note)
		}
	}
	cli.Printf(table, "%s: %d entries, %d texts", source.Where, r.Entries, r.Texts)
	if r.Conversations > 0 {
		cli.Printf(table, ", %d conversations", r.Conversations)
	}
	cli.Printf(table, "\n")
	row("duplicates", r.Duplicates, "lines that are in the log more than once; this is normal")
	row("pending", r.Pending, "texts or conversations whose latest change may not be in the log yet")
	row("partial", r.Partial, "texts or conversations that began before the first line that was read")
	row("without hash", r.WithoutHash, "entries of an older version of the relay, compared by version only")
	row("set aside", r.SetAside, "changes that could not be written as an entry: each leaves a gap")
	row("torn", r.Torn, "the last line has no end: it is being written now, or it was cut off by a crash or by hand")
	if err := table.Flush(); err != nil {
		return err
	}
	if !r.Heads {
		fmt.Fprintln(out, "  The ledger and the conversations were not read: entries that are missing at the end of a text were not found.")
	}
	if r.Sound() {
		_, err := fmt.Fprintln(out, "No entry is missing, changed or out of order.")
		return err
	}
	return writeFindings(out, source, r)
}

// writeFindings prints what is wrong, by kind.
func writeFindings(out io.Writer, source *auditsource.Source, r auditlog.Report) error {
	for _, kind := range auditlog.Kinds() {
		if r.Problems[kind] == 0 {
			continue
		}
		cli.Printf(out, "\n%s: %d\n  %s\n", kind, r.Problems[kind], meaning(kind))
		shown := 0
		for _, f := range r.Findings {
			if f.Kind == kind {
				shown++
				cli.Printf(out, "    %s\n", findingLine(source, f))
			}
		}
		if more := r.Problems[kind] - shown; more > 0 {
			cli.Printf(out, "    and %d more\n", more)
		}
	}
	_, err := fmt.Fprintln(out, "\ndocs/audit.md says what to do.")
	return err
}

// findingLine says where one finding is and what it is.
func findingLine(source *auditsource.Source, f auditlog.Finding) string {
	place := f.ID
	if place == "" {
		place = f.MessageSid
	}
	if place == "" && f.ConversationID != "" {
		place = auditlog.ChainOf(f.ConversationID)
	}
	if source.PlaceOf != nil && f.Line > 0 {
		if place != "" {
			place += ", "
		}
		place += source.PlaceOf(f.Line)
	}
	if place == "" {
		return f.Detail
	}
	return place + ": " + f.Detail
}
