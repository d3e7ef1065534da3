package cli

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// rateInterval is how often the line is drawn again.
const rateInterval = 200 * time.Millisecond

// Rate is one line that shows how far and how fast many texts are written. Each new line replaces the last, and at the end it is
// removed. It appears only on terminals.
type Rate struct {
	// Began is when it began.
	Began time.Time

	out io.Writer
	of  int

	mu    sync.Mutex
	drawn time.Time
}

// NewRate begins the line for so many texts, 0 if nobody knows how many.
func NewRate(out io.Writer, of int) *Rate {
	if !CanDraw(out) {
		out = io.Discard
	}
	return &Rate{out: Own(out), of: of, Began: time.Now()}
}

// Show draws the line, unless it was drawn a moment ago.
func (r *Rate) Show(done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.drawn) < rateInterval {
		return
	}
	r.drawn = now
	perSecond := float64(done) / max(now.Sub(r.Began).Seconds(), 0.001)
	of := ""
	if r.of > 0 {
		of = " of " + Grouped(r.of)
	}
	fmt.Fprintf(r.out, "\r%s%s texts, %s a second \x1b[K", Grouped(done), of, Grouped(int(perSecond)))
}

// End clears the line.
func (r *Rate) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.drawn.IsZero() {
		fmt.Fprintf(r.out, "\r\x1b[K")
	}
}

// Grouped writes a number with a comma between each three digits.
func Grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
