package main

import (
	"fmt"
	"io"
	"strings"
)

// progress shows how far a long piece of work is: on a terminal as a bar that is drawn over itself, elsewhere a line for
// each step, so that a log of it can be read.
type progress struct {
	out          io.Writer
	terminal     bool
	total, steps int
}

func newProgress(out io.Writer, total int) *progress {
	return &progress{out: own(out), terminal: isTerminal(out), total: total}
}

// barWidth is the width of the bar in characters.
const barWidth = 30

// step notes that one more is done. There may turn out to be more than were counted before.
func (b *progress) step(what string) {
	b.steps++
	b.total = max(b.total, b.steps)
	if !b.terminal {
		printf(b.out, "%s\n", what)
		return
	}
	filled := barWidth * b.steps / b.total
	fmt.Fprintf(b.out, "\r[%s%s] %d of %d", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), b.steps, b.total)
}

// done ends the bar's line.
func (b *progress) done() {
	if b.terminal && b.steps > 0 {
		fmt.Fprintln(b.out)
	}
}
