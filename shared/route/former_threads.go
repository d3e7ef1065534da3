package route

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// FormerThread is a number that was a thread of the route until then.
type FormerThread struct {
	Number sms.PhoneNumber
	Until  time.Time
}

const (
	// FormerTime is how long a route remembers a number that was a thread: for so long a phone may answer what it was sent from there.
	FormerTime = 7 * 24 * time.Hour
	// maxFormer bounds how many are remembered: what is kept of a phone is read in one call.
	maxFormer = MaxThreads
)

// ThreadsKept returns the threads, and after them the numbers that were threads at the latest FormerTime before that time.
func (r Route) ThreadsKept(at time.Time) []sms.PhoneNumber {
	kept := slices.Clone(r.Threads)
	for _, f := range r.FormerThreads {
		if f.isKept(at) {
			kept = append(kept, f.Number)
		}
	}
	return kept
}

func (f FormerThread) isKept(at time.Time) bool { return at.Sub(f.Until) <= FormerTime }

// former returns the numbers that were threads before r is stored over before, and are none any more, the latest first.
func (r Route) former(before Route, now time.Time) []FormerThread {
	var former []FormerThread
	for _, thread := range before.Threads {
		former = append(former, FormerThread{Number: thread, Until: now.UTC().Truncate(time.Second)})
	}
	former = append(former, before.FormerThreads...)
	seen := map[sms.PhoneNumber]bool{}
	former = slices.DeleteFunc(former, func(f FormerThread) bool {
		isKnown := seen[f.Number.Key()]
		seen[f.Number.Key()] = true
		return isKnown || r.Owns(f.Number) || !f.isKept(now)
	})
	return former[:min(len(former), maxFormer)]
}

// WithFormerThread returns the route that had the number among its Threads, at the latest FormerTime before that time. One that was removed
// does not count.
func WithFormerThread(routes []Route, number sms.PhoneNumber, at time.Time) (r Route, ok bool) {
	i := slices.IndexFunc(routes, func(r Route) bool {
		return !r.IsRemoved() && slices.ContainsFunc(r.FormerThreads, func(f FormerThread) bool {
			return sms.Same(f.Number, number) && f.isKept(at)
		})
	})
	if i < 0 {
		return Route{}, false
	}
	return routes[i], true
}
