package audit

import (
	"fmt"
	"io"
	"text/tabwriter"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// meaning says in words what a kind of finding stands for.
func meaning(kind string) string {
	switch kind {
	case auditlog.KindGap:
		return "an entry is missing: it was removed, or never came into the log"
	case auditlog.KindEdit:
		return "a line is not as the relay wrote it, or was written beside the relay's own"
	case auditlog.KindOrder:
		return "an entry stands in another place than the one in which it was written"
	case auditlog.KindUnsealed:
		return "a record in the ledger was changed past the relay; the entry itself is sound"
	case auditlog.KindBehind:
		return "the ledger is older than the log: it was restored, or set back by hand"
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
	cli.Printf(table, "%s: %d entries, %d texts\n", source.Where, r.Entries, r.Texts)
	row("duplicates", r.Duplicates, "lines that stand more than once, as they may")
	row("pending", r.Pending, "texts of which the log may not have heard the latest yet")
	row("partial", r.Partial, "texts that began before the first line that was read")
	row("without hash", r.WithoutHash, "entries of an older version of the relay, compared by version only")
	row("set aside", r.SetAside, "changes that no entry could be made of: each leaves a gap")
	row("torn", r.Torn, "a last line whose end is missing: it is being written just now, or a crash or a hand cut it")
	if err := table.Flush(); err != nil {
		return err
	}
	if !r.Heads {
		fmt.Fprintln(out, "  The ledger was not asked: nothing tells of entries that were cut off at a text's end.")
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

// findingLine says of one finding where it is.
func findingLine(source *auditsource.Source, f auditlog.Finding) string {
	place := f.ID
	if place == "" {
		place = f.MessageSid
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
