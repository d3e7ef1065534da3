package route

import "time"

// MaxHold is for how long a text is held at most while its number is closed, see [ClosedHold].
const MaxHold = 14 * 24 * time.Hour

// HoldsAt reports whether customers' texts are held at that moment, because nobody is on duty by the schedule.
func (r Route) HoldsAt(at time.Time) bool { return r.Closed == ClosedHold && r.IsClosed(at) }

// HeldUntil returns until when a text is held that came at one time and would be sent at another: until the number opens, but for MaxHold
// at most. It is zero if the text is not held.
func (r Route) HeldUntil(came, at time.Time) time.Time {
	most := came.Add(MaxHold)
	if !at.Before(most) || !r.HoldsAt(at) {
		return time.Time{}
	}
	for _, edge := range r.edgesAfter(at) {
		if edge.Before(most) && !r.IsClosed(edge) {
			return edge
		}
	}
	return most
}
