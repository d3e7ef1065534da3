package route

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/route/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// writeRoutes prints the routes for people, one per line, and how many more were removed.
func writeRoutes(out io.Writer, routes []route.Route, removed int) error {
	if removed > 0 {
		defer fmt.Fprintf(out, "%s removed, see --all.\n", cli.Plural(removed, "route"))
	}
	if len(routes) == 0 {
		_, err := fmt.Fprintln(out, "There are no routes. Make some with relay route set or relay route import.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tDESTINATION\tFALLBACKS\tACTIVE\tSETTINGS\tVERSION\tUPDATED")
	for _, r := range routes {
		cli.Printf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", string(r.TwilioNumber), hops(r, r.DestinationCarrier),
			hops(r, r.FallbackCarriers...), activity(r), settingsOf(r), r.Version, updated(r))
	}
	return table.Flush()
}

// activity says whether the route relays.
func activity(r route.Route) string {
	switch {
	case r.Active:
		return "yes"
	case r.IsRemoved():
		return "removed"
	default:
		return "no"
	}
}

// hops lists phones, each with whether it has opted out.
func hops(r route.Route, phones ...sms.PhoneNumber) string {
	marked := make([]string, len(phones))
	for i, phone := range phones {
		marked[i] = string(phone)
		if r.IsOptedOut(phone) {
			marked[i] += " (opted out)"
		}
	}
	return cli.OrDash(strings.Join(marked, ", "))
}

// settingsOf lists the settings of the route itself, by their names in a maintenance.json.
func settingsOf(r route.Route) string {
	var said []string
	say := func(name, value string) {
		if value != "" {
			said = append(said, name+"="+value)
		}
	}
	duration := func(d route.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	say("OnUncertain", string(r.OnUncertain))
	say("DeliveryTimeout", duration(r.DeliveryTimeout))
	say("MaxAge", duration(r.MaxAge))
	say("PaceNumber", r.PaceNumber)
	return cli.OrDash(strings.Join(said, " "))
}

// updated says when the route was last written, and by whom.
func updated(r route.Route) string {
	if r.LastUpdated.IsZero() {
		return cli.OrDash(r.UpdatedBy)
	}
	text := r.LastUpdated.UTC().Format(time.RFC3339)
	if r.UpdatedBy != "" {
		text += " by " + r.UpdatedBy
	}
	return text
}

// writeRoute prints one route, one line for each setting.
func writeRoute(out io.Writer, r route.Route) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, text string) { cli.Printf(table, "%s\t%s\n", name, text) }
	line("number", string(r.TwilioNumber))
	line("destination", hops(r, r.DestinationCarrier))
	line("fallbacks", hops(r, r.FallbackCarriers...))
	line("active", activity(r))
	line("settings", settingsOf(r))
	line("version", fmt.Sprint(r.Version))
	line("updated", cli.OrDash(updated(r)))
	return table.Flush()
}

// writeDifferences prints what changed, one line for each field.
func writeDifferences(out io.Writer, differences []routing.Difference) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range differences {
		cli.Printf(table, "  %s\t%s\t-> %s\n", d.Field, cli.OrDash(d.From), cli.OrDash(d.To))
	}
	return table.Flush()
}

// writeRouteFindings prints what a check found, each with a hint.
func writeRouteFindings(out io.Writer, findings []routing.Finding) {
	for _, f := range findings {
		about := ""
		if f.Number != "" {
			about = string(f.Number) + ": "
		}
		cli.Printf(out, "%s: %s%s\n  hint: %s\n", f.Severity, about, f.What, f.Hint)
	}
}
