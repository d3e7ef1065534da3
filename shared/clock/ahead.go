package clock

import "time"

// Skew is by how much two clocks that are both right may differ.
const Skew = time.Minute

// Ahead reports whether written, the time when something was stored, is later than now by more than Skew. Then the clock that
// wrote it was ahead, or ours has been set back since: a "not before" or an "until" that depends on it is not valid.
func Ahead(written, now time.Time) bool { return written.After(now.Add(Skew)) }
