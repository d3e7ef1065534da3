package cli

import (
	"fmt"
	"io"
	"strings"
)

// Progress shows how far a long task is: on a terminal as a bar, elsewhere as a line for each step, so that a log of it can be read.
type Progress struct {
	out          io.Writer
	terminal     bool
	total, steps int
}

// NewProgress shows how much of total is done.
func NewProgress(out io.Writer, total int) *Progress {
	return &Progress{out: Own(out), terminal: CanDraw(out), total: total}
}

// barWidth is the width of the bar in characters.
const barWidth = 30

// Step counts one more as done. There may be more than were counted before.
func (b *Progress) Step(what string) {
	b.steps++
	b.total = max(b.total, b.steps)
	if !b.terminal {
		Printf(b.out, "%s\n", what)
		return
	}
	filled := barWidth * b.steps / b.total
	fmt.Fprintf(b.out, "\r[%s%s] %d of %d", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), b.steps, b.total)
}

// Done ends the bar's line.
func (b *Progress) Done() {
	if b.terminal && b.steps > 0 {
		fmt.Fprintln(b.out)
	}
}
