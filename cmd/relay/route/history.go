package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// historyFlags choose a part of a route's history.
type historyFlags struct {
	at, since cli.Moment
	asJSON    bool
	numbers   cli.NumberFlags
}

func (p program) routeHistoryCommand() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "history NUMBER",
		Short: "Show who was on duty when, and who changed it",
		Long: `history shows each change of a number's route, oldest first, from the audit log. With --at it shows the route at one time.

The log has only the last digits of numbers, so routes of numbers that end in the same digits are shown together. It goes back as
far as the log is kept.`,
		Example: `  relay route history +18585550100
  relay route history +18585550100 --at 2026-11-28T10:00:00-08:00
  relay route history +18585550100 --since 168h --aws`,
		Args:              oneRoute,
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.routeHistory(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.Var(&f.at, "at", "show only the route at this time: "+cli.MomentHelp)
	flags.Var(&f.since, "since", "only changes after this time, written the same way")
	cli.AddJSON(flags, &f.asJSON, "the entries as they are in the log, one per line")
	f.numbers.Add(flags)
	cli.AddAuditSource(flags)
	return cmd
}

func (p program) routeHistory(cmd *cobra.Command, typed string, f historyFlags) error {
	if !f.at.At.IsZero() && !f.since.At.IsZero() {
		return cli.Usage(errors.New("--at means one time, and --since a period: use only one of them"))
	}
	number, err := f.numbers.Read(typed)
	if err != nil {
		return err
	}
	found, err := p.routeChanges(cmd, number)
	if err != nil {
		return err
	}
	if !f.at.At.IsZero() {
		return p.showRouteAt(found, number, f)
	}
	found = slices.DeleteFunc(found, func(e cli.Logged) bool { return e.Time.Before(f.since.At) })
	switch {
	case f.asJSON:
		return cli.WriteLoggedAll(p.Stdout, found)
	case len(found) == 0:
		_, err := fmt.Fprintln(p.Stdout, "no changes since then")
		return err
	default:
		return writeRouteChanges(p.Stdout, found)
	}
}

// routeChanges returns the changes of a number's route, oldest first.
func (p program) routeChanges(cmd *cobra.Command, number sms.PhoneNumber) (found []cli.Logged, err error) {
	ctx := cmd.Context()
	source, err := p.OpenAuditSource(ctx, cmd.Flags(), true, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	found, err = p.loggedRoutes(ctx, source, number)
	if err != nil {
		return nil, cli.WithTargetHint(err, cmd.Flags().Changed("aws"))
	}
	if len(found) == 0 {
		return nil, cli.Hinted(fmt.Errorf("%s has no change of the route of %s", source.Where, number.Mask()),
			"relay route get shows how it is now")
	}
	slices.SortStableFunc(found, func(a, b cli.Logged) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Version, b.Version))
	})
	return found, nil
}

func (p program) loggedRoutes(ctx context.Context, source *auditsource.Source, number sms.PhoneNumber) ([]cli.Logged, error) {
	masked := number.Mask()
	// The ids of their entries begin with this; no other line contains it.
	q := auditsource.Query{From: source.Begins, Containing: auditlog.SubjectRoute + ":"}
	return p.LoggedOf(ctx, source, q, func(e auditlog.Entry) bool { return e.Subject == auditlog.SubjectRoute && e.TwilioNumber == masked })
}

// showRouteAt prints the route as it was at one time: after the last change before that time, or before the first change after it.
func (p program) showRouteAt(found []cli.Logged, number sms.PhoneNumber, f historyFlags) error {
	at := f.at.At
	// Times are shown to the second, so that a shown time counts as a time when the change was made.
	after := slices.IndexFunc(found, func(e cli.Logged) bool { return e.Time.Truncate(time.Second).After(at) })
	if after < 0 {
		after = len(found)
	}
	if after == 0 {
		first := found[0]
		if first.Before == nil {
			err := fmt.Errorf("the log knows no route of %[2]s at %[1]s", at.UTC().Format(time.RFC3339), number.Mask())
			return cli.Hinted(err, "its first change in the log is from "+first.Time.UTC().Format(time.RFC3339))
		}
		return p.printRouteAt(at, number, first, first.Before, "before "+cli.At(p.Stdout, first.Time), f.asJSON)
	}
	last := found[after-1]
	since := "since " + cli.At(p.Stdout, last.Time)
	if last.Actor != "" {
		since += ", by " + last.Actor
	}
	return p.printRouteAt(at, number, last, last.After, since, f.asJSON)
}

func (p program) printRouteAt(at time.Time, number sms.PhoneNumber, from cli.Logged, was *auditlog.Route, since string, asJSON bool) error {
	if asJSON {
		return cli.WriteLoggedAll(p.Stdout, []cli.Logged{from})
	}
	cli.Say(p.Stdout, "At %s, texts to %s %s (%s).", cli.At(p.Stdout, at), number.Mask(), dutyOf(was), since)
	return nil
}

// dutyOf says where a route sent texts.
func dutyOf(r *auditlog.Route) string {
	switch {
	case r == nil, r.Removed != "":
		return "went nowhere: the route was removed"
	case !r.Active:
		return "went nowhere: the route was off"
	default:
		return "went to " + strings.Join(append([]string{r.DestinationCarrier}, r.FallbackCarriers...), ", then ")
	}
}

// writeRouteChanges prints changes of a route, one per line: the route from then on, and who changed it.
func writeRouteChanges(out io.Writer, found []cli.Logged) error {
	table := cli.NewTable(out, cli.Column{Title: "SINCE"}, cli.Column{Title: "VERSION", Drop: 2}, cli.Column{Title: "DESTINATION"},
		cli.Column{Title: "FALLBACKS", Wrapped: true, Drop: 3}, cli.Column{Title: "THREADS", Wrapped: true, Drop: 1},
		cli.Column{Title: "ACTIVE"}, cli.Column{Title: "BY", Text: true})
	for _, e := range found {
		r, active := auditlog.Route{}, "removed"
		if e.After != nil {
			if r = *e.After; r.Active {
				active = "yes"
			} else if r.Removed == "" {
				active = "no"
			}
		}
		table.Row(cli.When(out, e.Time), strconv.FormatInt(e.Version, 10), r.DestinationCarrier, strings.Join(r.FallbackCarriers, ", "),
			strings.Join(r.Threads, ", "), active, e.Actor)
	}
	return table.Flush()
}
