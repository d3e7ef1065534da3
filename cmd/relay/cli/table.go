package cli

import (
	"io"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Column is one column of a table.
type Column struct {
	Title string
	// ID columns hold SIDs, which a narrow terminal shows the beginning of.
	ID bool
	// Text columns hold sentences, which a narrow terminal shows the first words of.
	Text bool
	// Wrapped columns hold sentences that a narrow terminal shows whole, in several lines broken between words.
	Wrapped bool
	// Drop says when a narrow terminal leaves the column out: 1 goes first; 0 is always there.
	Drop int
}

// Table is a list for people and for programs. On a terminal its columns are lined up, and fit the width: SIDs are shortened, then
// columns are left out, and no word is broken. Elsewhere it has all of everything, separated by tabs.
type Table struct {
	out     io.Writer
	columns []Column
	rows    [][]string
}

// NewTable returns an empty table.
func NewTable(out io.Writer, columns ...Column) *Table {
	t := &Table{out: out, columns: columns}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.Title
	}
	t.Row(titles...)
	return t
}

// Row adds a row of as many cells as there are columns. An empty cell is shown as a dash.
func (t *Table) Row(cells ...string) {
	row := make([]string, len(t.columns))
	for i, cell := range cells {
		row[i] = OrDash(inert.Line(cell))
	}
	t.rows = append(t.rows, row)
}

const (
	gap = 2
	// shortID is what is left of a SID: two letters, seven digits and an ellipsis.
	shortID = 10
	// minText is the least that is left of a sentence.
	minText = 16
)

// Flush writes the table.
func (t *Table) Flush() error {
	width := widthOf(t.out)
	if width == 0 {
		return t.writeTabs()
	}
	widths := t.fit(width)
	var text strings.Builder
	for _, row := range t.rows {
		text.WriteString(t.laidOut(row, widths))
	}
	_, err := io.WriteString(t.out, text.String())
	if left := t.leftOut(widths); err == nil && left != "" {
		Say(t.out, "%s", left)
	}
	return err
}

// laidOut returns the lines of a row.
func (t *Table) laidOut(row []string, widths []int) string {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = []string{cut(cell, widths[i])}
		if t.columns[i].Wrapped && widths[i] > 0 {
			cells[i] = Wrap(cell, widths[i])
		}
		height = max(height, len(cells[i]))
	}
	var text strings.Builder
	for n := range height {
		line := ""
		for i, lines := range cells {
			switch {
			case widths[i] == 0:
			case n < len(lines):
				line += padded(lines[n], widths[i]+gap)
			default:
				line += padded("", widths[i]+gap)
			}
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return text.String()
}

func (t *Table) writeTabs() error {
	for _, row := range t.rows {
		if _, err := io.WriteString(t.out, strings.Join(row, "\t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// fit returns the width of each column; 0 is one that is left out.
func (t *Table) fit(width int) []int {
	natural := make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, cell := range row {
			natural[i] = max(natural[i], len([]rune(cell)))
		}
	}
	widths := slices.Clone(natural)
	if total(widths) <= width {
		return widths
	}
	for i, c := range t.columns {
		if c.ID {
			widths[i] = min(natural[i], shortID)
		}
		if c.Text || c.Wrapped {
			widths[i] = min(natural[i], minText)
		}
	}
	for total(widths) > width {
		next := t.next(widths)
		if next < 0 {
			break
		}
		widths[next] = 0
	}
	t.widen(widths, natural, width)
	return widths
}

// next returns which column to leave out next, -1 if there is none.
func (t *Table) next(widths []int) int {
	next := -1
	for i, c := range t.columns {
		if c.Drop > 0 && widths[i] > 0 && (next < 0 || c.Drop < t.columns[next].Drop) {
			next = i
		}
	}
	return next
}

// widen gives what is left of the width back to the sentences, and then to the SIDs if they can be whole.
func (t *Table) widen(widths, natural []int, width int) {
	for i, c := range t.columns {
		if (c.Text || c.Wrapped) && widths[i] > 0 {
			widths[i] = min(natural[i], widths[i]+max(0, width-total(widths)))
		}
	}
	for i, c := range t.columns {
		if c.ID && widths[i] > 0 && natural[i]-widths[i] <= width-total(widths) {
			widths[i] = natural[i]
		}
	}
}

func total(widths []int) int {
	sum := -gap
	for _, w := range widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return sum
}

// leftOut says which columns are not there, "" if all are.
func (t *Table) leftOut(widths []int) string {
	var titles []string
	for i, c := range t.columns {
		if widths[i] == 0 {
			titles = append(titles, c.Title)
		}
	}
	if len(titles) == 0 {
		return ""
	}
	return "(a wider terminal or --json also shows " + strings.ToLower(strings.Join(titles, ", ")) + ")"
}

// cut shortens text to width characters, at the end of a word if one ends in its second half.
func cut(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	short := string(runes[:max(width-1, 0)])
	if at := strings.LastIndexByte(short, ' '); at > len(short)/2 {
		short = strings.TrimRight(short[:at], " ")
	}
	return short + "…"
}

func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len([]rune(text))))
}
