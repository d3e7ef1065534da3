package twiliofake

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Odds say how often RandomFaults misbehaves. Probabilities are from 0, never, to 1, always. The zero value behaves well.
type Odds struct {
	// AcceptThenDrop is the part of create requests whose message exists and whose connection closes without an answer.
	AcceptThenDrop float64
	// ErrorRate is the part of create requests that are answered 500, 503 or 429, in turn. Half of the 500s and half of
	// the 503s come after the message exists, a 429 never does. Together with AcceptThenDrop it is at most 1.
	ErrorRate float64
	// DropCallback is the part of status callbacks that are never posted.
	DropCallback float64
	// DuplicateCallback is the part of status callbacks that are posted twice.
	DuplicateCallback float64
	// ReorderCallback is the part of status callbacks that are posted after the message's next one.
	ReorderCallback float64
	// LatencyLeast and LatencyMost bound how long each answer of the API is held back, both of them included.
	LatencyLeast, LatencyMost time.Duration
}

// Validate reports every probability that is not from 0 to 1, and a latency that is negative or ends before it begins.
func (o Odds) Validate() error {
	var problems []error
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"accept-then-drop", o.AcceptThenDrop},
		{"error rate", o.ErrorRate},
		{"accept-then-drop and error rate together", o.AcceptThenDrop + o.ErrorRate},
		{"callbacks dropped", o.DropCallback},
		{"callbacks duplicated", o.DuplicateCallback},
		{"callbacks reordered", o.ReorderCallback},
	} {
		if !(p.value >= 0 && p.value <= 1) { // NaN is neither
			problems = append(problems, fmt.Errorf("%s: want a probability from 0 to 1, got %g", p.name, p.value))
		}
	}
	if o.LatencyLeast < 0 || o.LatencyMost < o.LatencyLeast {
		problems = append(problems, fmt.Errorf("latency: %s to %s is not a range", o.LatencyLeast, o.LatencyMost))
	}
	return errors.Join(problems...)
}

// RandomFaults returns faults that strike at random with the given odds, which must be valid. It draws from random
// alone, which nobody else may use from then on: the same seed and the same calls in the same order make the same
// faults. ListLag is left at zero.
func RandomFaults(odds Odds, random *rand.Rand) Faults {
	d := &dice{odds: odds, random: random}
	return Faults{BeforeCreate: d.beforeCreate, BeforeCallback: d.beforeCallback, Latency: d.latency}
}

// dice decide what goes wrong. They may be thrown by several goroutines at once.
type dice struct {
	odds   Odds
	mu     sync.Mutex
	random *rand.Rand
	errors int // how many requests were answered with an error
}

// beforeCreate throws once for a request, so that no request has two misfortunes.
func (d *dice) beforeCreate(url.Values) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	thrown := d.random.Float64()
	switch {
	case thrown < d.odds.AcceptThenDrop:
		return Fault{DropConnection: true, OnceTaken: true}
	case thrown < d.odds.AcceptThenDrop+d.odds.ErrorRate:
		d.errors++
		return errorInTurn(d.errors)
	default:
		return Fault{}
	}
}

// errorInTurn returns the nth error, from 1. In six in a row, each status comes twice, and the 500s and 503s once before
// and once after the message exists.
func errorInTurn(n int) Fault {
	turns := []Fault{
		{Status: http.StatusInternalServerError},
		{Status: http.StatusServiceUnavailable, OnceTaken: true},
		{Status: http.StatusTooManyRequests},
		{Status: http.StatusInternalServerError, OnceTaken: true},
		{Status: http.StatusServiceUnavailable},
		{Status: http.StatusTooManyRequests},
	}
	return turns[(n-1)%len(turns)]
}

// beforeCallback throws for each misfortune by itself: a callback may be both late and twice.
func (d *dice) beforeCallback(Message) CallbackFault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return CallbackFault{
		Drop:      d.random.Float64() < d.odds.DropCallback,
		Duplicate: d.random.Float64() < d.odds.DuplicateCallback,
		AfterNext: d.random.Float64() < d.odds.ReorderCallback,
	}
}

func (d *dice) latency() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.odds.LatencyLeast + time.Duration(d.random.Int64N(int64(d.odds.LatencyMost-d.odds.LatencyLeast)+1))
}
