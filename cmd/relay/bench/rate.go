package bench

import (
	"fmt"
	"io"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// rateInterval is how often the line is drawn anew.
const rateInterval = 200 * time.Millisecond

// fillRate is one line that tells how far a filling is, and how fast; it is drawn over again, and gone at the end. It
// shows on terminals alone.
type fillRate struct {
	out   io.Writer
	of    int
	began time.Time

	mu    sync.Mutex
	drawn time.Time
}

func newFillRate(out io.Writer, of int) *fillRate {
	if !cli.IsTerminal(out) {
		out = io.Discard
	}
	return &fillRate{out: cli.Own(out), of: of, began: time.Now()}
}

// show draws the line, if it was not drawn just now.
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
