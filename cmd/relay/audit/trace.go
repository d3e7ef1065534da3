package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
)

func (p program) auditTraceCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "trace MESSAGE_SID",
		Short:   "Show all that happened to one text",
		Long:    `trace shows each change of one text, oldest first: its new state, the reason, and the attempt that caused the change.`,
		Example: `  relay audit trace SM00000000000000000000000000000001`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usage(errors.New("name one text by its SID"))
			}
			return nil
		},
		ValidArgsFunction: p.CompleteSIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			sids, err := cli.ReadSIDs(args)
			if err != nil {
				return err
			}
			traced, err := p.traced(cmd.Context(), cmd.Flags(), sids[0])
			switch {
			case err != nil:
				return err
			case asJSON:
				return cli.WriteLoggedAll(p.Stdout, traced)
			default:
				return writeTrace(p.Stdout, traced)
			}
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "the entries as they are in the log, one per line")
	cli.AddAuditSource(cmd.Flags())
	return cmd
}

// traced returns the entries of one text, in order of version.
func (p program) traced(ctx context.Context, flags *pflag.FlagSet, sid string) (found []cli.Logged, err error) {
	source, err := p.OpenAuditSource(ctx, flags, true, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	found, err = p.LoggedOf(ctx, source, auditsource.Query{From: source.Begins, MessageSid: sid}, func(auditlog.Entry) bool { return true })
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no entry about %s", source.Where, sid)
	}
	slices.SortStableFunc(found, func(a, b cli.Logged) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), a.Time.Compare(b.Time))
	})
	return found, nil
}

// writeTrace prints a text's entries for people.
func writeTrace(out io.Writer, found []cli.Logged) error {
	first := found[0]
	cli.Printf(out, "%s from %s to %s\n\n", first.MessageSid, cli.OrDash(first.Customer), cli.OrDash(first.TwilioNumber))
	entries := make([]auditlog.Entry, len(found))
	for i, e := range found {
		entries[i] = e.Entry
	}
	return cli.WriteChanges(out, entries)
}
