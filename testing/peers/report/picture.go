package report

import (
	"fmt"
	"html"
	"strings"
)

// The sizes of the picture, in pixels.
const (
	labels    = 150
	bars      = 250
	panel     = bars + 90
	barHeight = 16
	row       = 22
	heading   = 34
	margin    = 14
)

// quantity is one column of panels.
type quantity struct {
	title string
	of    func(Samples) []float64
}

// Picture draws the medians as an SVG: a row of panels for each function, a bar for each contestant. Rows that are left out are those
// that show the noise, which no bar would.
func Picture(functions []Function, leftOut string) string {
	quantities := []quantity{
		{"cold start, ms", Samples.times}, {"memory at the first answer, MB", Samples.peaks}, {"warm CPU a call, µs", Samples.warm},
	}
	var body strings.Builder
	y := margin
	for _, f := range functions {
		kept := f
		kept.Samples = nil
		for _, s := range f.Samples {
			if s.Contestant != leftOut {
				kept.Samples = append(kept.Samples, s)
			}
		}
		y = drawRow(&body, kept, quantities, y)
	}
	width := margin + labels + len(quantities)*panel
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" `+
		`font-family="sans-serif" font-size="12">`+"\n"+`<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n%s</svg>\n",
		width, y, width, y, body.String())
}

// drawRow draws the panels of one function, and returns where the next row begins.
func drawRow(out *strings.Builder, f Function, quantities []quantity, y int) int {
	text(out, margin, y+16, `font-size="15" font-weight="bold"`, f.Name)
	for i, s := range f.Samples {
		text(out, margin, y+heading+i*row+barHeight-3, "", s.Contestant)
	}
	for column, q := range quantities {
		x := margin + labels + column*panel
		text(out, x, y+16, `fill="#555555"`, q.title)
		most := 0.0
		for _, s := range f.Samples {
			most = max(most, median(q.of(s)))
		}
		for i, s := range f.Samples {
			value := median(q.of(s))
			color := "#9aa5b1"
			if i == 0 {
				color = "#1f6feb"
			}
			top, long := y+heading+i*row, max(1, int(value/most*bars))
			_, _ = fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", x, top, long, barHeight, color)
			text(out, x+long+6, top+barHeight-3, "", Number(value))
		}
	}
	return y + heading + len(f.Samples)*row + margin
}

func text(out *strings.Builder, x, y int, attributes, words string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	_, _ = fmt.Fprintf(out, `<text x="%d" y="%d"%s>%s</text>`+"\n", x, y, attributes, html.EscapeString(words))
}
