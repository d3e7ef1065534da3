package pace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// The default limits, for [Parse]. Twilio stops a pair of numbers at about 15 texts in 30 seconds (error 14107), and US long
// codes send one segment a second.
const (
	DefaultPair   = "10/30s"
	DefaultNumber = "1/1s"
)

// The bounds of a limit that [Parse] accepts. A rate above MaxN is written with a shorter time: 200 a second is "20/100ms".
const (
	MaxN   = 100
	MinPer = time.Millisecond
	MaxPer = time.Hour
)

// off is how "no limit" is written.
const off = "off"

// Limit is how many there may be in what time. The zero value means no limit.
type Limit struct {
	// N is how many, from 1 to MaxN.
	N int
	// Per is in what time, in whole milliseconds from MinPer to MaxPer.
	Per time.Duration
}

// Parse reads a limit such as "10/30s", ten in thirty seconds, or "off". The error says what a limit looks like and does not
// quote text.
func Parse(text string) (Limit, error) {
	if text == off {
		return Limit{}, nil
	}
	many, long, found := strings.Cut(text, "/")
	n, errN := strconv.Atoi(many)
	per, errPer := time.ParseDuration(long)
	switch {
	case !found || errN != nil || errPer != nil:
		return Limit{}, errors.New("pace is neither a number and a time such as 10/30s nor off")
	case n < 1 || n > MaxN:
		return Limit{}, fmt.Errorf("number of the pace is not from 1 to %d", MaxN)
	case per < MinPer || per > MaxPer || per%time.Millisecond != 0:
		return Limit{}, fmt.Errorf("time of the pace is not whole milliseconds from %s to %s", duration.Text(MinPer), duration.Text(MaxPer))
	}
	return Limit{N: n, Per: per}, nil
}

// String writes the limit so that [Parse] reads it.
func (l Limit) String() string {
	if l.Off() {
		return off
	}
	return fmt.Sprintf("%d/%s", l.N, duration.Text(l.Per))
}

// Off reports whether there is no limit.
func (l Limit) Off() bool { return l.N <= 0 || l.Per <= 0 }

// interval is Per divided by N, rounded up.
func (l Limit) interval() time.Duration {
	return (l.Per + time.Duration(l.N-1)) / time.Duration(l.N)
}
