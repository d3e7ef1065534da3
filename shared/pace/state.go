package pace

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMoments bounds what a state remembers, to less than 100 kB in any store: with the default limits it is enough
// for 200 pairs that are all at their limit.
const maxMoments = 2000

// State is what there is to remember of one Twilio number. The zero value is a number that has sent nothing lately.
// Its JSON form is small, and keeps what Book makes of it exactly.
type State struct {
	// Next is when the number has sent all that was booked, at its own pace.
	Next time.Time
	// Recent has the last moments booked for each phone, in order, each rounded up to a whole millisecond.
	Recent map[sms.PhoneNumber][]time.Time
	// BookedAt is when the last booking was made, by the clock of the sender that made it. It is zero in a state that was
	// written before there was this field.
	BookedAt time.Time
}

// asOf returns what of the state holds at now. A booking that was made later than now, by more than clocks differ, is void: the
// clock that made it was ahead, and what it booked would hold up every text until that moment has come. If nobody knows when
// it was made, it is void if it is for later than now.
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

// end returns the last moment that was booked, or until when the number is taken, whichever is later.
func (s State) end() time.Time {
	end := s.Next
	for _, moments := range s.Recent {
		end = latest(end, newest(moments))
	}
	return end
}

// Book books the next free moment at or after now and returns the state with it, and the moment: now itself if the
// text may go at once, otherwise a whole millisecond. s, of which the answer shares parts, is not changed.
//
// The moment is the later one of what the two limits allow. Where the pair has to wait longer than the number, the
// number does not wait for it, and others may send meanwhile. The moments of a pair are booked in order. What a clock that
// was ahead has booked holds nobody up.
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

// TooLate reports whether a moment is of no use to the text.
func (r Request) TooLate(at time.Time) bool { return !r.By.IsZero() && at.After(r.By) }

// Until returns when the state has nothing more to say: from then on it is as good as the zero state.
func (s State) Until(l Limits) time.Time {
	until := s.Next
	for _, moments := range s.Recent {
		until = latest(until, newest(moments).Add(l.Pair.Per))
	}
	return until.Add(clock.Skew)
}

// remember returns what to remember once at is booked: of each pair the last N moments, of no pair those that no sender
// can need any more.
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

// bounded returns recent without the pairs that were booked the longest ago, as many as it takes to have no more than
// maxMoments, but with keep.
func bounded(recent map[sms.PhoneNumber][]time.Time, keep sms.PhoneNumber) map[sms.PhoneNumber][]time.Time {
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
		if surplus > 0 && to != keep {
			surplus -= len(recent[to])
			delete(recent, to)
		}
	}
	return recent
}

// free returns from when on the number may send, if all that was booked takes it until next: of N segments, all but one
// may be ahead of their time.
func (l Limit) free(next time.Time) time.Time {
	if l.Off() {
		return time.Time{}
	}
	return next.Add(-time.Duration(l.N-1) * l.interval())
}

// push returns until when the number is taken after some more segments.
func (l Limit) push(next, now time.Time, segments int) time.Time {
	if l.Off() {
		return next
	}
	// UTC leaves out the monotonic reading, which stands still while a process is frozen.
	return latest(now.UTC(), next).Add(time.Duration(max(1, segments)) * l.interval())
}

// freeAfter returns from when on one more moment may come after those: Per after the one that is N before it, and not
// before the last one. What goes now was rounded up, and holds back nothing that goes in the same millisecond.
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
