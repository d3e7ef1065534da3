package bench

import (
	"fmt"
	"io"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// rateInterval is how often the line is drawn again.
const rateInterval = 200 * time.Millisecond

// fillRate is one line that shows how far and how fast the filling is. Each new line replaces the last, and at the end it is
// removed. It appears only on terminals.
type fillRate struct {
	out   io.Writer
	of    int
	began time.Time

	mu    sync.Mutex
	drawn time.Time
}

func newFillRate(out io.Writer, of int) *fillRate {
	if !cli.CanDraw(out) {
		out = io.Discard
	}
	return &fillRate{out: cli.Own(out), of: of, began: time.Now()}
}

// show draws the line, unless it was drawn a moment ago.
func (r *fillRate) show(done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.drawn) < rateInterval {
		return
	}
	r.drawn = now
	perSecond := float64(done) / max(now.Sub(r.began).Seconds(), 0.001)
	fmt.Fprintf(r.out, "\r%s of %s texts, %s a second \x1b[K", grouped(done), grouped(r.of), grouped(int(perSecond)))
}

// end clears the line.
func (r *fillRate) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.drawn.IsZero() {
		fmt.Fprintf(r.out, "\r\x1b[K")
	}
}
