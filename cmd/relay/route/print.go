package route

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
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
	table := cli.NewTable(out, cli.Column{Title: "NUMBER"}, cli.Column{Title: "DESTINATION"},
		cli.Column{Title: "FALLBACKS", Wrapped: true, Drop: 4}, cli.Column{Title: "ACTIVE"},
		cli.Column{Title: "SETTINGS", Wrapped: true, Drop: 2}, cli.Column{Title: "VERSION", Drop: 1},
		cli.Column{Title: "UPDATED", Wrapped: true, Drop: 3})
	for _, r := range routes {
		table.Row(string(r.TwilioNumber), hops(r, r.DestinationCarrier), hops(r, r.FallbackCarriers...), activity(r),
			cli.OrDash(strings.Join(append(settingsOf(r), threadsOf(r)...), " ")),
			strconv.FormatInt(r.Version, 10), updated(out, r))
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

// hops lists phones, each with whether it has opted out or is off.
func hops(r route.Route, phones ...sms.PhoneNumber) string {
	marked := make([]string, len(phones))
	for i, phone := range phones {
		marked[i] = string(phone)
		if r.IsOptedOut(phone) {
			marked[i] += " (opted out)"
		}
		if r.IsUnverified(phone) {
			marked[i] += " (not verified)"
		}
		if until := r.OffUntil(phone, time.Now()); !until.IsZero() {
			marked[i] += " (off until " + until.UTC().Format(time.RFC3339) + ")"
		}
	}
	return cli.OrDash(strings.Join(marked, ", "))
}

// settingsOf lists the settings of the route itself, by their names in a maintenance.json.
func settingsOf(r route.Route) []string {
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
	say("Ring", string(r.Ring))
	say("TimeZone", r.TimeZone)
	say("Closed", string(r.Closed))
	say("NightPhones", strings.Join(r.NightPhones, ","))
	say("OnUncertain", string(r.OnUncertain))
	say("DeliveryTimeout", duration(r.DeliveryTimeout))
	say("MaxAge", duration(r.MaxAge))
	say("PaceNumber", r.PaceNumber)
	say("AnswerWindow", duration(r.AnswerWindow))
	say("HoldTime", duration(r.HoldTime))
	say("AnswerTimeout", duration(r.AnswerTimeout))
	say("ClaimTime", duration(r.ClaimTime))
	if r.VerifyPhones != nil {
		say("VerifyPhones", strconv.FormatBool(*r.VerifyPhones))
	}
	return said
}

// threadsOf lists the route's threads as one more setting, if it has any.
func threadsOf(r route.Route) []string {
	if len(r.Threads) == 0 {
		return nil
	}
	return []string{"Threads=" + strings.ReplaceAll(hops(r, r.Threads...), ", ", ",")}
}

// phonesOf lists the route's named phones: each with its numbers.
func phonesOf(r route.Route) []string {
	all := make([]string, len(r.Phones))
	for i, p := range r.Phones {
		all[i] = p.Name + " " + hops(r, append([]sms.PhoneNumber{p.Number}, p.Also...)...)
	}
	return all
}

// updated says when the route was last written, and by whom.
func updated(out io.Writer, r route.Route) string {
	if r.LastUpdated.IsZero() {
		return cli.OrDash(r.UpdatedBy)
	}
	text := cli.When(out, r.LastUpdated)
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
	line("threads", hops(r, r.Threads...))
	if len(r.Phones) > 0 {
		line("phones", strings.Join(phonesOf(r), ", "))
	}
	if r.Owner != "" {
		line("owner", r.Owner)
	}
	for _, s := range r.Schedule {
		line("schedule", s.String())
	}
	for _, o := range r.Overrides {
		line("override", o.String())
	}
	if r.AutoAnswer.Closed != "" {
		line("answer if closed", r.AutoAnswer.Closed)
	}
	if r.AutoAnswer.NoOne != "" {
		line("answer if no one answers", r.AutoAnswer.NoOne)
	}
	line("settings", cli.OrDash(strings.Join(settingsOf(r), " ")))
	line("version", fmt.Sprint(r.Version))
	line("updated", cli.OrDash(updated(out, r)))
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
