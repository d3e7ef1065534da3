package report

import (
	"fmt"
	"strings"
)

// Table writes the medians of one function, and after each what it is to the first row's: the median of the rounds' ratios.
func Table(f Function) string {
	var out strings.Builder
	out.WriteString("| " + f.Name + " | cold start, ms | CPU until then, ms | memory then, MB | warm CPU a call, µs | calls at the start " +
		"| upload, MB |\n|---|---|---|---|---|---|---|\n")
	first := f.Samples[0]
	for i, s := range f.Samples {
		cell := func(of func(Samples) []float64) string {
			text := Number(median(of(s)))
			if i > 0 {
				text += " (" + times(ratio(of(s), of(first))) + ")"
			}
			return text
		}
		_, _ = fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %.0f | %s |\n", s.Contestant, cell(Samples.times), cell(Samples.cpus),
			cell(Samples.peaks), cell(Samples.warm), median(s.calls()), Number(megabytes(s.Size)))
	}
	return out.String()
}

// Number writes a value with three digits or all those before the point.
func Number(value float64) string {
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

func times(ratio float64) string { return Number(ratio) + " ×" }

// end is the second of the two marks of a page.
const end = "<!-- end -->"

// Insert replaces what is between the marks of a page that have that name.
func Insert(page, name, text string) (string, error) {
	begin := "<!-- " + name + " -->\n"
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("the page does not have the marks %q and %q", strings.TrimSpace(begin), end)
	}
	return before + begin + text + end + after, nil
}
