package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/trail"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

func (p program) auditTraceCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "trace MESSAGE_SID",
		Short: "Show all that happened to one text",
		Long: `trace shows each change of one text, oldest first: what state it came to and why, and the attempt that the change was
about.`,
		Example: `  relay audit trace SM00000000000000000000000000000001`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("trace takes one MessageSid")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			sids, err := readSIDs(args)
			if err != nil {
				return err
			}
			traced, err := p.traced(cmd.Context(), cmd.Flags(), sids[0])
			switch {
			case err != nil:
				return err
			case asJSON:
				return writeTexts(p.stdout, traced)
			default:
				return writeTrace(p.stdout, traced)
			}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the entries as they are in the log, one a line")
	addAuditSource(cmd.Flags())
	return cmd
}

// logged is an entry with its text in the log.
type logged struct {
	auditlog.Entry

	text []byte
}

// traced returns the entries of one text, in order of version.
func (p program) traced(ctx context.Context, flags *pflag.FlagSet, sid string) (found []logged, err error) {
	source, err := p.openTrail(ctx, flags, true, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	found, err = p.loggedOf(ctx, source, trail.Query{From: source.Begins, MessageSid: sid}, func(auditlog.Entry) bool { return true })
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no entry of %s", source.Where, sid)
	}
	slices.SortStableFunc(found, func(a, b logged) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), a.Time.Compare(b.Time))
	})
	return found, nil
}

// loggedOf returns the entries that are wanted, with their texts in the log.
func (p program) loggedOf(ctx context.Context, source *trail.Source, q trail.Query, wanted func(auditlog.Entry) bool) (found []logged, err error) {
	err = p.entriesOf(ctx, source, q, func(e auditlog.Entry, text []byte) error {
		if wanted(e) {
			found = append(found, logged{e, text})
		}
		return nil
	})
	return found, err
}

func writeTexts(out io.Writer, entries []logged) error {
	for _, e := range entries {
		if err := writeLogged(out, e.text); err != nil {
			return err
		}
	}
	return nil
}

// writeTrace prints a text's entries for people.
func writeTrace(out io.Writer, found []logged) error {
	first := found[0]
	printf(out, "%s from %s to %s\n\n", first.MessageSid, orDash(first.Customer), orDash(first.TwilioNumber))
	entries := make([]auditlog.Entry, len(found))
	for i, e := range found {
		entries[i] = e.Entry
	}
	return writeChanges(out, entries)
}

// writeChanges prints the changes of a text one a line, each with who decided it and why, if an operator did.
func writeChanges(out io.Writer, entries []auditlog.Entry) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TIME\tVERSION\tSTATE\tREASON\tATTEMPT")
	for _, e := range entries {
		printf(table, "%s\t%d\t%s\t%s\t%s\n", e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), e.Version, traceState(e), orDash(tracedReason(e)), tracedAttempt(e.Attempt))
	}
	return table.Flush()
}

// traceState says where the text stood before and after.
func traceState(e auditlog.Entry) string {
	var text string
	switch {
	case e.Change == auditlog.ChangeRemoved, e.Change == auditlog.ChangeExpired:
		text = e.From + " → " + e.Change
	case e.From == "" || e.From == e.To:
		text = e.To
	default:
		text = e.From + " → " + e.To
	}
	if e.Unsealed {
		text += " (past the relay)"
	}
	return text
}

// tracedReason says why, and who decided it, if an operator did.
func tracedReason(e auditlog.Entry) string {
	if e.ReadBy != "" {
		return strings.TrimSpace(e.Reason + " read by " + e.ReadBy)
	}
	if e.Decision == "" {
		return e.Reason
	}
	return strings.TrimSpace(fmt.Sprintf("%s by %s: %s (%s)", e.Reason, e.Actor, e.Decision, e.Note))
}

// tracedAttempt says what an attempt had come to.
func tracedAttempt(a *auditlog.Attempt) string {
	if a == nil {
		return "-"
	}
	said := []string{a.Outcome}
	if a.Outcome == "" {
		said = []string{"open"}
	}
	add := func(ok bool, format string, args ...any) {
		if ok {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	add(a.Status != "", "%s", a.Status)
	add(a.ErrorCode != 0, "code %d", a.ErrorCode)
	add(a.Looks > 0, "looked for %d times", a.Looks)
	add(a.Found, "found")
	add(a.HopDone, "no further attempt at this phone")
	add(a.OutboundSid != "", "%s", a.OutboundSid)
	return fmt.Sprintf("%d, hop %d, to %s: %s", a.Number, a.Hop, a.Destination, strings.Join(said, ", "))
}
