package clock

import "time"

// Skew is by how much two clocks that are both right may differ.
const Skew = time.Minute

// Ahead reports whether written, which is when something was written down, is later than now by more than Skew. The clock that
// wrote it was ahead, or ours has been set back since: a "not before" or an "until" that was counted from it is void.
func Ahead(written, now time.Time) bool { return written.After(now.Add(Skew)) }
