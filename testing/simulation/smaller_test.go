package simulation_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// smaller plays a schedule that violates something again and again, each time with some of its decisions made harmless,
// and returns the outcome with the fewest left. What it violates stays the same, but for the numbers in it.
func smaller(t *testing.T, sc scenario, taken []uint32) outcome {
	t.Helper()
	best := play(t, sc, playing(taken), true)
	if len(best.violations) == 0 {
		return best
	}
	given := slices.Clone(taken)
	for size := len(given); size > 0; size /= 2 {
		for at := 0; at < len(given); at += size {
			candidate := slices.Clone(given)
			clear(candidate[at:min(at+size, len(candidate))])
			if slices.Equal(candidate, given) {
				continue
			}
			if o := play(t, sc, playing(candidate), true); kindOf(o) == kindOf(best) {
				best, given = o, candidate
			}
		}
	}
	return best
}

// kindOf returns the first violation without its numbers.
func kindOf(o outcome) string {
	if len(o.violations) == 0 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, o.violations[0])
}
