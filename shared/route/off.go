package route

import (
	"context"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Off is a phone that gets no customers' texts for a time, though it may be on duty.
type Off struct {
	Phone sms.PhoneNumber
	// Until is when it is on again, in whole seconds. An entry that is over has no meaning, and goes with the next write.
	Until time.Time
}

const (
	// MaxOff is the longest time for which a phone can be off: longer ones are for the schedule.
	MaxOff = 7 * 24 * time.Hour
	// DefaultOff is for how long a phone is off if nobody says.
	DefaultOff = 24 * time.Hour
)

// OffUntil returns until when the phone is off at that moment, zero if it is not.
func (r Route) OffUntil(phone sms.PhoneNumber, at time.Time) time.Time {
	for _, o := range r.Off {
		if at.Before(o.Until) && sms.Same(o.Phone, r.PhoneOf(phone)) {
			return o.Until
		}
	}
	return time.Time{}
}

// IsOff reports whether the phone is off at that moment.
func (r Route) IsOff(phone sms.PhoneNumber, at time.Time) bool {
	return !r.OffUntil(phone, at).IsZero()
}

// PutOff returns the route with the phone off until then, or on again with a zero time, and without entries that are over or are of no
// phone of the route.
func (r Route) PutOff(phone sms.PhoneNumber, until, now time.Time) Route {
	phone = r.PhoneOf(phone)
	r.Off = slices.DeleteFunc(r.StillOff(r.Off, now), func(o Off) bool { return sms.Same(o.Phone, phone) })
	if until.After(now) {
		r.Off = append(r.Off, Off{Phone: phone, Until: until.UTC().Truncate(time.Second)})
	}
	return r
}

// StillOff returns those of the entries, in a new slice, that are not over and are of a phone of the route.
func (r Route) StillOff(all []Off, now time.Time) []Off {
	var still []Off
	for _, o := range all {
		if now.Before(o.Until) && r.IsPhone(o.Phone) {
			still = append(still, o)
		}
	}
	return still
}

// AloneAt returns the first moment from one time up to another at which customers' texts would go to that phone and to no other one that is
// on and has not opted out; zero if there is always another one. It goes by whom [Route.DutyAt] names: those of the schedule and its
// overrides, and those of [Closed] while the number is closed.
func (r Route) AloneAt(phone sms.PhoneNumber, from, until time.Time) time.Time {
	isPhone := func(other sms.PhoneNumber) bool { return sms.Same(other, r.PhoneOf(phone)) }
	r.Off = slices.DeleteFunc(slices.Clone(r.Off), func(o Off) bool { return isPhone(o.Phone) })
	for _, at := range append([]time.Time{from}, r.edgesAfter(from)...) {
		if !at.Before(until) {
			break
		}
		phones := r.PhonesAt(at)
		hasOther := slices.ContainsFunc(phones, func(p sms.PhoneNumber) bool { return !isPhone(p) && !r.IsOptedOut(p) && !r.IsOff(p, at) })
		if slices.ContainsFunc(phones, isPhone) && !hasOther {
			return at
		}
	}
	return time.Time{}
}

// ReadOff reads until when a phone wants to be off: for a time such as 2h, or until the clocks of the route's TimeZone show one such as
// 18:00 next. No text is DefaultOff. ok is false if it is neither, if it is more than MaxOff, or if nobody knows which clocks.
func (r Route) ReadOff(text string, at time.Time) (until time.Time, ok bool) {
	if text == "" {
		return at.Add(DefaultOff), true
	}
	if d, err := ParseDuration(text); err == nil {
		return at.Add(time.Duration(d)), time.Duration(d) >= time.Minute && time.Duration(d) <= MaxOff
	}
	if strings.IndexByte(text, ':') == 1 {
		text = "0" + text
	}
	minutes, err := minutesOf(text)
	place, unplaced := r.Place()
	if err != nil || unplaced != nil || r.TimeZone == "" {
		return until, false
	}
	for day := dateOf(at.In(place)); !until.After(at); day = day.plus(1) {
		until = day.at(minutes, place, ends)
	}
	return until, true
}

// MarkOff puts a phone of the number's route off until then, or on again with a zero time, and returns the route as it is then. It writes
// nothing else, as [MarkOptedOut], and nothing if that is so already. If the phone would leave customers' texts to nobody, it writes
// nothing, and alone is the moment from which on it would, see [Route.AloneAt]; at is when the phone wanted to be off. Errors are
// MarkOptedOut's.
func MarkOff(ctx context.Context, table Table, number, phone sms.PhoneNumber, at, until, now time.Time) (
	stored Route, alone time.Time, err error,
) {
	stored, err = mark(ctx, table, number, phone, func(r Route) (Route, bool) {
		marked := r.PutOff(phone, until, now)
		alone = time.Time{}
		if r.OffUntil(phone, now).Equal(marked.OffUntil(phone, now)) {
			return r, false
		}
		if until.After(now) {
			alone = r.AloneAt(phone, at, until)
		}
		return marked, alone.IsZero()
	})
	return stored, alone, err
}
