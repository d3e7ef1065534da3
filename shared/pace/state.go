package pace

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// skew is by how much the clocks of two senders may differ: what the slower one still needs is kept for it.
	skew = time.Minute
	// maxMoments bounds what a state remembers, to some 50 kB in any store: with the default limits that is 200 pairs
	// that are all at their limit.
	maxMoments = 2000
)

// State is what there is to remember of one Twilio number. The zero value is a number that has sent nothing lately.
// Its JSON form is small, and keeps what Book makes of it exactly.
type State struct {
	// Next is when the number has sent all that was booked, at its own pace, to the microsecond.
	Next time.Time
	// Recent has the last moments booked for each phone, in order, in whole milliseconds.
	Recent map[sms.PhoneNumber][]time.Time
}

// Book books the next free moment at or after now and returns the state with it, and the moment: now itself if the
// text may go at once, otherwise a whole millisecond. s, of which the answer shares parts, is not changed.
//
// The moment is the later one of what the two limits allow. Where the pair has to wait longer than the number, the
// number does not wait for it, and others may send meanwhile. The moments of a pair are booked in order.
func (s State) Book(r Request, now time.Time) (State, time.Time) {
	if r.Limits.Off() {
		return s, now
	}
	tick := whole(now)
	at := latest(tick, r.Limits.Number.free(s.Next), r.Limits.Pair.freeAfter(s.Recent[r.To]))
	next := State{
		Next:   r.Limits.Number.push(s.Next, tick, r.Segments),
		Recent: s.remember(r, at, tick),
	}
	if at.Equal(tick) {
		return next, now
	}
	return next, at
}

// Until returns when the state has nothing more to say: from then on it is as good as the zero state.
func (s State) Until(l Limits) time.Time {
	until := s.Next
	for _, moments := range s.Recent {
		until = latest(until, newest(moments).Add(l.Pair.Per))
	}
	return until.Add(skew)
}

// remember returns what to remember once at is booked: of each pair the last N moments, of no pair those that no sender
// can need any more.
func (s State) remember(r Request, at, tick time.Time) map[sms.PhoneNumber][]time.Time {
	recent := make(map[sms.PhoneNumber][]time.Time, len(s.Recent)+1)
	for to, moments := range s.Recent {
		if newest(moments).Add(r.Limits.Pair.Per + skew).After(tick) {
			recent[to] = moments
		}
	}
	if !r.Limits.Pair.Off() {
		kept := recent[r.To]
		kept = kept[max(0, len(kept)+1-r.Limits.Pair.N):]
		recent[r.To] = append(slices.Clip(kept), at)
	}
	return bounded(recent)
}

// bounded returns recent without the pairs that were booked the longest ago, as many as it takes to have no more than
// maxMoments.
func bounded(recent map[sms.PhoneNumber][]time.Time) map[sms.PhoneNumber][]time.Time {
	surplus := -maxMoments
	for _, moments := range recent {
		surplus += len(moments)
	}
	if surplus <= 0 {
		return recent
	}
	oldestFirst := slices.SortedFunc(maps.Keys(recent), func(a, b sms.PhoneNumber) int {
		return cmp.Or(newest(recent[a]).Compare(newest(recent[b])), cmp.Compare(a, b))
	})
	for _, to := range oldestFirst {
		if surplus <= 0 {
			break
		}
		surplus -= len(recent[to])
		delete(recent, to)
	}
	return recent
}

// free returns from when on the number may send, if all that was booked takes it until next: of N segments, all but one
// may be ahead of their time.
func (l Limit) free(next time.Time) time.Time {
	if l.Off() {
		return time.Time{}
	}
	return whole(next.Add(-time.Duration(l.N-1) * l.interval()))
}

// push returns until when the number is taken after some more segments.
func (l Limit) push(next, tick time.Time, segments int) time.Time {
	if l.Off() {
		return next
	}
	return latest(tick, next).Add(time.Duration(max(1, segments)) * l.interval())
}

// freeAfter returns from when on one more moment may come after those: not before the last one, and Per after the
// one that is N before it.
func (l Limit) freeAfter(moments []time.Time) time.Time {
	if l.Off() || len(moments) == 0 {
		return time.Time{}
	}
	if len(moments) < l.N {
		return newest(moments)
	}
	return latest(newest(moments), whole(moments[len(moments)-l.N].Add(l.Per)))
}

// newest returns the last of the moments.
func newest(moments []time.Time) time.Time {
	if len(moments) == 0 {
		return time.Time{}
	}
	return moments[len(moments)-1]
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// whole rounds up to whole milliseconds, so that a moment means the same to every store.
func whole(t time.Time) time.Time {
	down := t.UTC().Truncate(time.Millisecond)
	if down.Before(t) {
		return down.Add(time.Millisecond)
	}
	return down
}
