package route

import (
	"slices"
	"sort"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Duty is who gets the texts of a number at a moment.
type Duty struct {
	// IsOpen: somebody is on duty. A number without a schedule is open. NoOne: it is not open only because all who would be on duty are off.
	IsOpen, NoOne bool
	// Phones get the texts, in the order in which they are tried. While the number is closed, they are those of [Closed]; none if it holds
	// the texts.
	Phones []sms.PhoneNumber
	// Until is when any of this changes; zero if it never does, or only after more than a year.
	Until time.Time
}

// IsScheduled reports whether who is on duty depends on the time.
func (r Route) IsScheduled() bool { return len(r.Schedule)+len(r.Overrides) > 0 }

// DutyAt says who is on duty at a moment, without those who are off then, and when that changes. It is the one place that decides it. The
// sender, the commands and the API of operators ask it. A schedule that cannot be read counts as none: it is refused when it is written.
// If all who would get the texts are off or have opted out, those who are off get them all the same.
// A phone that is unverified gets none; if all are, nobody does.
func (r Route) DutyAt(at time.Time) Duty {
	if r.isSteady() {
		return Duty{IsOpen: true, Phones: r.Hops()}
	}
	d := r.duty(at)
	d.Until = r.changeAfter(at, d)
	return d
}

// PhonesAt returns the phones that get texts at a moment, as [Route.DutyAt] does, which also says when that changes.
func (r Route) PhonesAt(at time.Time) []sms.PhoneNumber {
	if r.isSteady() {
		return r.Hops()
	}
	return r.duty(at).Phones
}

// isSteady reports whether the hops get all texts, always.
func (r Route) isSteady() bool { return !r.IsScheduled() && len(r.Off)+len(r.Verifications) == 0 }

// duty is DutyAt without when that changes.
func (r Route) duty(at time.Time) Duty {
	isOff := func(phone sms.PhoneNumber) bool { return r.IsOff(phone, at) }
	all := slices.DeleteFunc(r.onDuty(at), r.IsUnverified)
	d := Duty{Phones: slices.DeleteFunc(slices.Clone(all), isOff)}
	if d.IsOpen = len(d.Phones) > 0; !d.IsOpen {
		d.NoOne = len(all) > 0
		switch {
		case r.HoldsAt(at):
			return d
		case r.Closed == ClosedNight:
			all = r.numbersOf(r.NightPhones)
		default:
			all = r.Hops()
		}
		all = slices.DeleteFunc(all, r.IsUnverified)
		d.Phones = slices.DeleteFunc(slices.Clone(all), isOff)
	}
	if !slices.ContainsFunc(d.Phones, func(phone sms.PhoneNumber) bool { return !r.IsOptedOut(phone) }) {
		// A text that somebody gets who is off is better than a lost one.
		d.Phones = all
	}
	return d
}

// onDuty returns the phones on duty, whether they are off or not, by the last override for the moment, or by the schedule. Without a
// schedule, the hops are always on duty.
func (r Route) onDuty(at time.Time) []sms.PhoneNumber {
	place, err := r.Place()
	if err != nil {
		return r.Hops()
	}
	for _, o := range slices.Backward(r.Overrides) {
		if s, err := o.span(place); err == nil && s.has(at) {
			return r.numbersOf(o.Phones)
		}
	}
	if len(r.Schedule) == 0 {
		return r.Hops()
	}
	var whos []string
	today := dateOf(at.In(place))
	for _, shift := range r.Schedule {
		for _, day := range []date{today.plus(-1), today} {
			if s, ok := shift.on(day, place); ok && s.has(at) {
				whos = append(whos, shift.Phones...)
				break
			}
		}
	}
	return r.numbersOf(whos)
}

// on returns when the shift is that begins on that day; ok is false if none does.
func (s Shift) on(day date, place *time.Location) (on span, ok bool) {
	days, err := daysOf(s.Days)
	if err != nil || !days[day.Weekday()] {
		return span{}, false
	}
	on, err = s.spanOn(day, place)
	return on, err == nil
}

// changeAfter returns when the duty is another one than d, which it is at that moment.
func (r Route) changeAfter(at time.Time, d Duty) time.Time {
	for _, next := range r.edgesAfter(at) {
		if other := r.duty(next); other.IsOpen != d.IsOpen || other.NoOne != d.NoOne || !slices.Equal(other.Phones, d.Phones) {
			return next
		}
	}
	return time.Time{}
}

// edgesAfter returns the moments after that one, in order, when a shift, an override or an off time begins or ends: all of the overrides,
// and those of the shifts in the week after any of the others.
func (r Route) edgesAfter(at time.Time) []time.Time {
	var edges []time.Time
	for _, o := range r.Off {
		edges = append(edges, o.Until)
	}
	place, err := r.Place()
	if err != nil {
		place = time.UTC
	}
	for _, o := range r.Overrides {
		if s, err := o.span(place); err == nil {
			edges = append(edges, s.from, s.to)
		}
	}
	for _, start := range append([]time.Time{at}, edges...) {
		if start.Before(at) || len(r.Schedule) == 0 {
			continue
		}
		first := dateOf(start.In(place)).plus(-1)
		for n := range 9 {
			for _, shift := range r.Schedule {
				if s, ok := shift.on(first.plus(n), place); ok {
					edges = append(edges, s.from, s.to)
				}
			}
		}
	}
	edges = slices.DeleteFunc(edges, func(edge time.Time) bool { return !edge.After(at) })
	sort.Slice(edges, func(i, k int) bool { return edges[i].Before(edges[k]) })
	return slices.CompactFunc(edges, time.Time.Equal)
}
