package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// rateInterval is how often the line is drawn anew.
const rateInterval = 200 * time.Millisecond

// fillRate is one line that tells how far a filling is, and how fast; it is drawn over again, and gone at the end. It shows on terminals alone.
type fillRate struct {
	out   io.Writer
	of    int
	began time.Time

	mu    sync.Mutex
	drawn time.Time
}

func newFillRate(out io.Writer, of int) *fillRate {
	if !isTerminal(out) {
		out = io.Discard
	}
	return &fillRate{out: out, of: of, began: time.Now()}
}

// show draws the line, if it was not drawn just now.
func (p *fillRate) show(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.drawn) < rateInterval {
		return
	}
	p.drawn = now
	rate := float64(done) / max(now.Sub(p.began).Seconds(), 0.001)
	fmt.Fprintf(p.out, "\r%s of %s texts, %s a second \x1b[K", grouped(done), grouped(p.of), grouped(int(rate)))
}

// end clears the line.
func (p *fillRate) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.drawn.IsZero() {
		fmt.Fprintf(p.out, "\r\x1b[K")
	}
}
