package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// writeRoutes prints the routes one a line, for people.
func writeRoutes(out io.Writer, routes []route.Route) error {
	if len(routes) == 0 {
		_, err := fmt.Fprintln(out, "There are no routes: relay serve --routes maintenance.json puts some.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NUMBER\tDESTINATION\tFALLBACKS\tACTIVE\tSETTINGS\tVERSION\tUPDATED")
	for _, r := range routes {
		active := "no"
		if r.Active {
			active = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", string(r.TwilioNumber), hops(r, r.DestinationCarrier),
			hops(r, r.FallbackCarriers...), active, settingsOf(r), r.Version, updated(r))
	}
	return table.Flush()
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
	return orDash(strings.Join(marked, ", "))
}

// settingsOf lists the settings that the route says, by their names in a maintenance.json.
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
	return orDash(strings.Join(said, " "))
}

// updated says when the route was last written, and by whom.
func updated(r route.Route) string {
	if r.LastUpdated.IsZero() {
		return orDash(r.UpdatedBy)
	}
	text := r.LastUpdated.UTC().Format(time.RFC3339)
	if r.UpdatedBy != "" {
		text += " by " + r.UpdatedBy
	}
	return text
}

// orDash fills an empty cell.
func orDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}
