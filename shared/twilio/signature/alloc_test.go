//go:build !race

package signature

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestChecksAllocateNothing: strangers may ask for checks, of forms in any order. (The race detector makes sync.Pool forget at random.)
func TestChecksAllocateNothing(t *testing.T) {
	pairs := make([]string, 64)
	for i := range pairs {
		pairs[i] = fmt.Sprintf("MediaUrl%d=https%%3A%%2F%%2Fexample.com%%2F%d+x", i, i)
	}
	var requests []Request
	for range 10 {
		rand.Shuffle(len(pairs), func(i, k int) { pairs[i], pairs[k] = pairs[k], pairs[i] })
		r := form("/in", "", strings.Join(pairs, "&"), "nothing")
		requests = append(requests, r, with(r, func(r *Request) { r.RawQuery = "a=1" }))
	}
	requests = append(requests, get("/in", "a=1&b=2", "nothing"), jsonPost("{}", hexSum("{}")))
	v := mustValidator(t, []string{"https://relay.example.com", "https://old.example.com"}, []string{testToken, otherToken})
	for _, r := range requests {
		if err := v.Validate(r); err != nil && !errors.Is(err, ErrMismatch) {
			t.Fatal(err)
		}
		if got := testing.AllocsPerRun(100, func() { _ = v.Validate(r) }); got != 0 {
			t.Errorf("%s %s of %d bytes: %v allocations, want none", r.Method, r.Path, len(r.Body), got)
		}
	}
}
