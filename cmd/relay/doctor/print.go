package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor"
)

// writeResults shows a line for each check, and below it, of what is not as it should be, why it matters and what mends
// it. There is colour on a terminal alone.
func writeResults(out io.Writer, results []doctor.Result, colour bool) {
	width := 0
	for _, r := range results {
		width = max(width, len(r.Name))
	}
	count := map[doctor.Status]int{}
	for _, r := range results {
		count[r.Status]++
		_, _ = io.WriteString(own(out), paintStatus(r.Status, colour))
		printf(out, "  %-*s  %s\n", width, r.Name, r.Found)
		indent := strings.Repeat(" ", statusWidth+2+width+2)
		if r.Status == doctor.Fail || r.Status == doctor.Warn {
			printf(out, "%swhy:  %s\n", indent, r.Why)
		}
		if r.Mend != "" {
			printf(out, "%smend: %s\n", indent, r.Mend)
		}
	}
	fmt.Fprintf(out, "\nchecks: %d, ok: %d, failed: %d, warnings: %d, skipped: %d\n",
		len(results), count[doctor.OK], count[doctor.Fail], count[doctor.Warn], count[doctor.Skipped])
}

// statusWidth is the width of the longest status.
const statusWidth = len(doctor.Skipped)

func paintStatus(s doctor.Status, colour bool) string {
	text := fmt.Sprintf("%-*s", statusWidth, string(s))
	if !colour {
		return text
	}
	return map[doctor.Status]string{doctor.OK: green, doctor.Warn: yellow, doctor.Fail: red, doctor.Skipped: grey}[s] + text + reset
}

// listChecks shows which checks there are, and makes none.
func (p program) listChecks(asJSON bool) error {
	if asJSON {
		type listed struct {
			Name string     `json:"name"`
			Set  doctor.Set `json:"set"`
			Why  string     `json:"why"`
		}
		all := []listed{}
		for _, c := range doctor.Checks() {
			all = append(all, listed{c.Name, c.On, c.Why})
		}
		return json.NewEncoder(p.stdout).Encode(all)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CHECK\tSET\tWHY")
	for _, c := range doctor.Checks() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.On, c.Why)
	}
	return table.Flush()
}
