package simulation_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// clockChange is when the clocks of a place change, and how far they are ahead of UTC before and after, said here once more, so that it is
// not held against itself. Schedules are in the year 2000, and the rules are those of today.
type clockChange struct {
	zone          string
	at            time.Time
	before, after time.Duration
}

// clockChanges are forward and back, by an hour or by half of one, in the night or around midnight.
func clockChanges() []clockChange {
	in := func(zone string, month time.Month, day, hour, minute int, before, after time.Duration) clockChange {
		return clockChange{zone, time.Date(2000, month, day, hour, minute, 0, 0, time.UTC), before, after}
	}
	const half = 30 * time.Minute
	return []clockChange{
		in("America/New_York", time.March, 12, 7, 0, -5*time.Hour, -4*time.Hour),
		in("America/New_York", time.November, 5, 6, 0, -4*time.Hour, -5*time.Hour),
		in("Europe/London", time.March, 26, 1, 0, 0, time.Hour),
		in("Europe/London", time.October, 29, 1, 0, time.Hour, 0),
		in("Australia/Lord_Howe", time.September, 30, 15, 30, 10*time.Hour+half, 11*time.Hour),
		in("Australia/Lord_Howe", time.April, 1, 15, 0, 11*time.Hour, 10*time.Hour+half),
		in("America/Havana", time.March, 12, 5, 0, -5*time.Hour, -4*time.Hour),
		in("America/Havana", time.November, 5, 5, 0, -4*time.Hour, -5*time.Hour),
	}
}

// moment returns when the clocks show a time of a day, which is as if it were in UTC: the first moment after it if they skip it; if they
// show it twice, a span begins with the first, and ends with the second.
func (c clockChange) moment(shown time.Time, begins bool) time.Time {
	early, late := shown.Add(-c.before), shown.Add(-c.after)
	isEarly, isLate := early.Before(c.at), !late.Before(c.at)
	switch {
	case isEarly && (begins || !isLate):
		return early
	case isLate:
		return late
	}
	return c.at
}

// shown is what the clocks show at that moment, as if it were in UTC.
func (c clockChange) shown(at time.Time) time.Time {
	if at.Before(c.at) {
		return at.Add(c.before)
	}
	return at.Add(c.after)
}

// near is a time of day near to those that the clocks skip, or show twice: before the first of them, the first, in between, the first
// behind them, or after that.
func (c clockChange) near(n int) time.Time {
	first, behind := c.at.Add(min(c.before, c.after)), c.at.Add(max(c.before, c.after))
	return []time.Time{
		first.Add(-10 * time.Minute), first, first.Add(behind.Sub(first) / 2), behind, behind.Add(20 * time.Minute),
	}[n]
}

// turning is by which hours a number is open when the clocks of its place change. The zero value is none.
type turning struct {
	// Change is which change it is, from 1, and Lead for how long before it the schedule begins.
	Change int
	Lead   time.Duration
	// Day and Night are times near the change: a shift begins at the one, and the one of the night ends at the other. With Closed, it is the
	// other way round: the number is open always but from the one to the other.
	Day, Night int
	Closed     bool
	// Crew is who is on duty by day and by night, Weekend: there is a shift of the night on Saturdays and Sundays alone.
	Crew    int
	Weekend bool
	// Holiday is for how long the number is closed from the beginning, by the clocks; 0 for no holiday.
	Holiday time.Duration
}

// beTurning has the clocks of the route's place change while the number opens or closes. It is drawn last, so that the schedules without it
// stay what they were.
func (s *scenario) beTurning(draw *rapid.T) {
	if s.Habit == 0 || s.Chatter != (chatter{}) || s.New != (newcomers{}) || s.Hold != (holding{}) ||
		rapid.IntRange(0, 5).Draw(draw, "turning") < 5 {
		return
	}
	place := rapid.IntRange(0, 4)
	s.Clocks = turning{
		Change: rapid.IntRange(1, len(clockChanges())).Draw(draw, "change of the clocks"),
		Lead:   rapid.SampledFrom([]time.Duration{5 * time.Minute, 40 * time.Minute, 90 * time.Minute}).Draw(draw, "lead"),
		Day:    place.Draw(draw, "day"), Night: place.Draw(draw, "night"), Closed: rapid.IntRange(0, 2).Draw(draw, "closed at night") == 2,
		Crew: rapid.IntRange(0, 3).Draw(draw, "crew"), Weekend: rapid.Bool().Draw(draw, "weekend"),
	}
	s.MaxAge = rapid.SampledFrom([]time.Duration{0, 0, 30 * time.Minute, 2 * time.Hour}).Draw(draw, "max age from the opening")
	// The clock of the relay is right, and its phones are those of its shifts.
	s.Jump, s.Reroute, s.Fallbacks = 0, 0, max(s.Fallbacks, 1)
	s.Hours = hours{Zone: s.Clocks.change().zone, From: "00:00", Days: 1}
	if rapid.IntRange(0, 31).Draw(draw, "two weeks") == 31 {
		s.beOnHoliday()
		longer := []time.Duration{-2 * time.Hour, 0, 30 * time.Minute, 2 * time.Hour}
		s.Hold, s.Clocks.Holiday = holding{}, maxHold+rapid.SampledFrom(longer).Draw(draw, "longer")
	}
}

func (t turning) change() clockChange { return clockChanges()[t.Change-1] }

// wait lets time pass until the schedule begins.
func (t turning) wait() {
	if t.Change > 0 {
		time.Sleep(time.Until(t.change().at.Add(-t.Lead)))
	}
}

// crews are who is on duty by day and by night.
func (t turning) crews() (day, night []sms.PhoneNumber) {
	one, other := []sms.PhoneNumber{phone(0)}, []sms.PhoneNumber{phone(1)}
	both := slices.Concat(other, one)
	day = [][]sms.PhoneNumber{both, one, both, one}[t.Crew]
	night = [][]sms.PhoneNumber{both, other, one, both}[t.Crew]
	return day, night
}

// evening is when the shift of the night begins.
const evening = 20 * time.Hour

// shut is from when to when the number is closed whatever its shifts say, as the clocks show it.
func (t turning) shut() (from, to time.Time) {
	c := t.change()
	if t.Holiday > 0 {
		from = c.shown(c.at.Add(-t.Lead))
		return from.AddDate(0, 0, -1), from.Add(t.Holiday)
	}
	if t.Closed && t.Day < t.Night {
		return c.near(t.Day), c.near(t.Night)
	}
	return from, to
}

// isAlways reports whether there are no shifts but one that is always.
func (t turning) isAlways() bool { return t.Closed || t.Holiday > 0 }

// set sets the route's shifts.
func (t turning) set(r *route.Route) {
	if t.Change == 0 {
		return
	}
	c := t.change()
	r.TimeZone, r.Closed, r.Overrides = c.zone, route.ClosedHold, nil
	day, night := t.crews()
	timeOf := func(shown time.Time) string { return shown.Format("15:04") }
	texts := func(all []sms.PhoneNumber) (whos []string) {
		for _, p := range all {
			whos = append(whos, string(p))
		}
		return whos
	}
	if from, to := t.shut(); !from.IsZero() {
		r.Overrides = []route.Override{{
			Date: from.Format(time.DateOnly), From: timeOf(from), LastDate: to.Format(time.DateOnly), To: timeOf(to),
		}}
	}
	if t.isAlways() {
		r.Schedule = []route.Shift{{Days: "Mon-Sun", From: "00:00", To: "24:00", Phones: texts(day)}}
		return
	}
	days := "Mon-Sun"
	if t.Weekend {
		days = "Sat,Sun"
	}
	r.Schedule = []route.Shift{
		{Days: "Sun-Sat", From: timeOf(c.near(t.Day)), To: "20:00", Phones: texts(day)},
		{Days: days, From: "20:00", To: timeOf(c.near(t.Night)), Phones: texts(night)},
	}
}

// watch is who is on duty from one moment up to another one: nobody if the number is closed.
type watch struct {
	from, to time.Time
	phones   []sms.PhoneNumber
}

// watches returns who is on duty from a day before the schedule begins, one after the other, for longer than texts are held.
func (t turning) watches() []watch {
	c := t.change()
	var days, nights []watch
	on := func(from, to time.Time, phones []sms.PhoneNumber) watch {
		if !to.After(from) {
			to = to.AddDate(0, 0, 1)
		}
		return watch{c.moment(from, true), c.moment(to, false), phones}
	}
	crew, others := t.crews()
	first := c.shown(c.at.Add(-t.Lead)).Truncate(24*time.Hour).AddDate(0, 0, -2)
	for n := range 21 {
		day := first.AddDate(0, 0, n)
		at := func(shown time.Time) time.Time { return day.Add(shown.Sub(shown.Truncate(24 * time.Hour))) }
		if t.isAlways() {
			days = append(days, on(day, day, crew))
			continue
		}
		days = append(days, on(at(c.near(t.Day)), day.Add(evening), crew))
		if !t.Weekend || day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			nights = append(nights, on(day.Add(evening), at(c.near(t.Night)), others))
		}
	}
	var closed watch
	if from, to := t.shut(); !from.IsZero() {
		closed = watch{from: c.moment(from, true), to: c.moment(to, false)}
	}
	// Those on duty by day are tried first.
	return inTurn(slices.Concat(days, nights), closed)
}

// inTurn returns who is on duty by shifts that may overlap, unless the number is closed.
func inTurn(shifts []watch, closed watch) []watch {
	edges := []time.Time{closed.from, closed.to}
	for _, w := range shifts {
		edges = append(edges, w.from, w.to)
	}
	slices.SortFunc(edges, time.Time.Compare)
	var all []watch
	for i, to := range edges[1:] {
		now := watch{from: edges[i], to: to}
		if !now.from.Before(to) || now.from.IsZero() {
			continue
		}
		for _, w := range shifts {
			if !w.has(now.from) || closed.has(now.from) {
				continue
			}
			now.phones = append(now.phones, slices.DeleteFunc(slices.Clone(w.phones), func(p sms.PhoneNumber) bool {
				return slices.Contains(now.phones, p)
			})...)
		}
		if last := len(all) - 1; last >= 0 && slices.Equal(all[last].phones, now.phones) {
			all[last].to = to
			continue
		}
		all = append(all, now)
	}
	return all
}

func (w watch) has(at time.Time) bool { return !at.Before(w.from) && at.Before(w.to) }

// onDuty returns who is on duty at that time by that route: all its phones if it has no shifts, and if the number is closed, for what is
// not held then.
func (s *schedule) onDuty(w wayAt, at time.Time) []sms.PhoneNumber {
	if s.Clocks.Change > 0 {
		for _, now := range s.watches {
			if now.has(at) && len(now.phones) > 0 {
				return slices.Clone(now.phones)
			}
		}
	}
	return w.Hops()
}

// wasOnDuty reports whether the phone was on duty all the time since then. The owner's always is.
func (s *schedule) wasOnDuty(phone sms.PhoneNumber, since time.Time) bool {
	return phone == s.ways[0].OwnerPhone() || !slices.ContainsFunc(s.watches, func(w watch) bool {
		return w.to.After(since) && !w.from.After(time.Now()) && !slices.Contains(w.phones, phone)
	})
}

// checkHeldUntil holds until when a text is held against when the number opens: there was a moment at which it was closed and a sender may
// have decided.
func (s *schedule) checkHeldUntil(before, after ledger.Record) {
	if !isHeld(after) || isHeld(before) && before.NotBefore.Equal(after.NotBefore) || !s.truly() {
		return
	}
	now, limit := time.Now(), after.CameAt().Add(maxHold)
	isRight := func(w watch) bool {
		opens := w.to
		if opens.After(limit) {
			opens = limit
		}
		return len(w.phones) == 0 && !w.from.After(now) && w.to.After(now.Add(-routeLag)) && ledger.Stamp(opens).Equal(after.NotBefore)
	}
	if !slices.ContainsFunc(s.watches, isRight) {
		s.violated("%s is held until %s, and the number does not open then", nameOf(after.MessageSid), after.NotBefore)
	}
}

// isClosed reports whether nobody is on duty at that time.
func (s *schedule) isClosed(at time.Time) bool {
	if len(s.watches) > 0 {
		return !s.opensAfter(at).IsZero()
	}
	return s.route().IsClosed(at)
}
