package pace

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMoments limits what a state remembers, to less than 100 kB in any store. With the default limits that is enough for 200
// pairs at their limit.
const maxMoments = 2000

// State is what there is to remember about one Twilio number. The zero value is a number that has sent nothing lately. Its
// JSON form is small and exact.
type State struct {
	// Next is when the number will have sent all that was booked, at its own pace.
	Next time.Time
	// Recent has the last booked times for each phone, in order, each rounded up to a whole millisecond.
	Recent map[sms.PhoneNumber][]time.Time
	// BookedAt is when the last booking was made, by the clock of the sender that made it. It is zero in a state that was
	// written before this field existed.
	BookedAt time.Time
}

// asOf returns the part of the state that counts at now. A booking made later than now, by more than clock.Skew, does not
// count: the clock that made it was ahead, and the booking would delay every text until that time. If it is not known when a
// booking was made, it does not count if it is for later than now.
func (s State) asOf(now time.Time) State {
	made := s.BookedAt
	if made.IsZero() {
		made = s.end()
	}
	if clock.Ahead(made, now) {
		return State{}
	}
	return s
}

// end returns the last booked time, or the time until which the number is busy, whichever is later.
func (s State) end() time.Time {
	end := s.Next
	for _, moments := range s.Recent {
		end = latest(end, newest(moments))
	}
	return end
}

// Book books the next free time at or after now. It returns the new state and the time: now itself if the text may go at once,
// otherwise a whole millisecond. It does not change s, but the new state shares parts with it.
// The time is the later one of the two that the limits allow. If the pair has to wait longer than the number, other pairs may
// send meanwhile. The times of a pair are in order. A booking by a clock that was ahead delays nobody.
func (s State) Book(r Request, now time.Time) (State, time.Time) {
	if r.Limits.Off() {
		return s, now
	}
	s = s.asOf(now)
	free := latest(r.Limits.Number.free(s.Next), r.Limits.Pair.freeAfter(s.Recent[r.To], now))
	at := now
	if free.After(now) {
		at = whole(free)
	}
	if r.TooLate(at) {
		return s, at
	}
	return State{Next: r.Limits.Number.push(s.Next, now, r.Segments), Recent: s.remember(r, at, now), BookedAt: now.UTC()}, at
}

// TooLate reports whether a time is too late for the text.
func (r Request) TooLate(at time.Time) bool { return !r.By.IsZero() && at.After(r.By) }

// Until returns when the state expires: from then on it means the same as the zero state.
func (s State) Until(l Limits) time.Time {
	until := s.Next
	for _, moments := range s.Recent {
		until = latest(until, newest(moments).Add(l.Pair.Per))
	}
	return until.Add(clock.Skew)
}

// remember returns what to remember once at is booked: the last N times of each pair, without those that no sender can need.
func (s State) remember(r Request, at, now time.Time) map[sms.PhoneNumber][]time.Time {
	recent := make(map[sms.PhoneNumber][]time.Time, len(s.Recent)+1)
	for to, moments := range s.Recent {
		if newest(moments).Add(r.Limits.Pair.Per + clock.Skew).After(now) {
			recent[to] = moments
		}
	}
	if !r.Limits.Pair.Off() {
		kept := recent[r.To]
		kept = kept[max(0, len(kept)+1-r.Limits.Pair.N):]
		recent[r.To] = append(slices.Clip(kept), whole(at))
	}
	return bounded(recent, r.To)
}

// bounded returns recent with at most maxMoments times. It leaves out the pairs whose last booking is oldest, but never keep.
func bounded(recent map[sms.PhoneNumber][]time.Time, keep sms.PhoneNumber) map[sms.PhoneNumber][]time.Time {
	surplus := -maxMoments
	for _, moments := range recent {
		surplus += len(moments)
	}
	if surplus <= 0 {
		return recent
	}
	oldestFirst := slices.Collect(maps.Keys(recent))
	sort.Slice(oldestFirst, func(i, k int) bool {
		a, b := oldestFirst[i], oldestFirst[k]
		return cmp.Or(newest(recent[a]).Compare(newest(recent[b])), cmp.Compare(a, b)) < 0
	})
	for _, to := range oldestFirst {
		if surplus > 0 && to != keep {
			surplus -= len(recent[to])
			delete(recent, to)
		}
	}
	return recent
}

// free returns when the number may send next, if all bookings keep it busy until next: N-1 segments may be ahead of their
// time.
func (l Limit) free(next time.Time) time.Time {
	if l.Off() {
		return time.Time{}
	}
	return next.Add(-time.Duration(l.N-1) * l.interval())
}

// push returns until when the number is busy after some more segments.
func (l Limit) push(next, now time.Time, segments int) time.Time {
	if l.Off() {
		return next
	}
	// UTC removes the monotonic reading, which stops while a process is frozen.
	return latest(now.UTC(), next).Add(time.Duration(max(1, segments)) * l.interval())
}

// freeAfter returns when the pair may send again after those times: Per after the N-th last one, and not before the last. A
// text that goes now was rounded up, so it does not delay others in the same millisecond.
func (l Limit) freeAfter(moments []time.Time, now time.Time) time.Time {
	var free time.Time
	if l.Off() {
		return free
	}
	if last := newest(moments); last.After(whole(now)) {
		free = last
	}
	if len(moments) >= l.N {
		free = latest(free, moments[len(moments)-l.N].Add(l.Per))
	}
	return free
}

// newest returns the latest of the times.
func newest(moments []time.Time) time.Time {
	if len(moments) == 0 {
		return time.Time{}
	}
	return moments[len(moments)-1]
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// whole rounds up to whole milliseconds, so that a time is the same in every store.
func whole(t time.Time) time.Time {
	down := t.UTC().Truncate(time.Millisecond)
	if down.Before(t) {
		return down.Add(time.Millisecond)
	}
	return down
}
