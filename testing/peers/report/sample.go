// Package report makes of what was measured the medians, a table and a picture, and puts them into a page between two marks.
package report

import (
	"slices"
	"time"
)

// Cold is what one start took, up to its first answer.
type Cold struct {
	Time, CPU time.Duration
	// Peak is the most memory that was resident, in bytes; Calls how many requests AWS and Twilio were sent.
	Peak  int64
	Calls int
}

// Samples are what was measured of one contestant with one function. The nth of each was measured in the nth round.
type Samples struct {
	Contestant string
	Cold       []Cold
	// Warm is the CPU of one call of a process that has answered many.
	Warm []time.Duration
	// Size is that of what is uploaded, in bytes.
	Size int64
}

// Function is one function, and who was measured with it. The first is what the others are compared with.
type Function struct {
	Name    string
	Samples []Samples
}

func (s Samples) times() []float64 {
	return each(s.Cold, func(c Cold) float64 { return milliseconds(c.Time) })
}

func (s Samples) cpus() []float64 {
	return each(s.Cold, func(c Cold) float64 { return milliseconds(c.CPU) })
}

func (s Samples) peaks() []float64 {
	return each(s.Cold, func(c Cold) float64 { return megabytes(c.Peak) })
}

func (s Samples) calls() []float64 {
	return each(s.Cold, func(c Cold) float64 { return float64(c.Calls) })
}

func (s Samples) warm() []float64 {
	return each(s.Warm, func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) })
}

func each[T any](all []T, of func(T) float64) []float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = of(one)
	}
	return values
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// median returns the value in the middle, or between the two there; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratio returns the median of what one is to the other, round by round.
func ratio(values, to []float64) float64 {
	pairs := make([]float64, min(len(values), len(to)))
	for i := range pairs {
		pairs[i] = values[i] / to[i]
	}
	return median(pairs)
}
