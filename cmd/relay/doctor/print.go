package doctor

import (
	"encoding/json"
	"fmt"
	"io"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// writeResults shows a line for each check. If something is wrong, lines below it say why it matters and how to fix it. Colour is
// only used on a terminal.
func writeResults(out io.Writer, results []Result) {
	colour := cli.HasColour(out)
	width := 0
	for _, r := range results {
		width = max(width, len(r.Name))
	}
	count := map[Status]int{}
	for _, r := range results {
		count[r.Status]++
		_, _ = io.WriteString(cli.Own(out), paintStatus(r.Status, colour))
		indent := statusWidth + 2 + width + 2
		cli.Printf(out, "  %-*s  ", width, r.Name)
		cli.Hanging(out, indent, r.Found)
		if r.Status == Fail || r.Status == Warn {
			cli.Printf(out, "%*s", indent, "")
			cli.Hanging(out, indent, "why: "+r.Why)
		}
		if r.Fix != "" {
			cli.Printf(out, "%*s", indent, "")
			cli.Hanging(out, indent, "fix: "+r.Fix)
		}
	}
	fmt.Fprintf(out, "\nchecks: %d, ok: %d, failed: %d, warnings: %d, skipped: %d\n",
		len(results), count[OK], count[Fail], count[Warn], count[Skipped])
}

// statusWidth is the width of the longest status.
const statusWidth = len(Skipped)

func paintStatus(s Status, colour bool) string {
	text := fmt.Sprintf("%-*s", statusWidth, string(s))
	if !colour {
		return text
	}
	return map[Status]string{OK: cli.Green, Warn: cli.Yellow, Fail: cli.Red, Skipped: cli.Grey}[s] + text + cli.Reset
}

// listChecks lists the checks without making any.
func (p program) listChecks(asJSON bool) error {
	if asJSON {
		type listed struct {
			Name string  `json:"name"`
			Set  hostSet `json:"set"`
			Why  string  `json:"why"`
		}
		all := []listed{}
		for _, c := range Checks() {
			all = append(all, listed{c.Name, c.On, c.Why})
		}
		return json.NewEncoder(p.Stdout).Encode(all)
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "CHECK"}, cli.Column{Title: "SET"}, cli.Column{Title: "WHY", Wrapped: true})
	for _, c := range Checks() {
		table.Row(c.Name, string(c.On), c.Why)
	}
	return table.Flush()
}
