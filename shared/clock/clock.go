// Package clock has the one clock that functions use: wall time.
// A time.Time of time.Now carries two readings, and Go compares two such times by the second one, the monotonic clock. Lambda
// freezes a process between two invocations, and that clock may stop meanwhile: what was read an hour ago may then seem a
// second old, and a pause of a minute does not end. Wall time goes on. It may also be set back, so code that keeps a moment in
// memory ignores one that is later than now.
// It is not for tests, which set their own clock. It does not wait: timers and contexts do that, within one invocation.
package clock

import "time"

// Wall returns the clock that a function uses. A lint rule forbids every other use of time.Now in functions.
func Wall() func() time.Time {
	return Of(time.Now) //nolint:forbidigo // This is the one place.
}

// Of returns a clock that shows only the wall time of read.
func Of(read func() time.Time) func() time.Time {
	return func() time.Time { return read().Round(0) }
}
