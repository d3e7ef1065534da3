package rota

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var (
	// ErrNoZone means that nobody knows which clocks a time is by.
	ErrNoZone = errors.New("the route has no time zone")
	// ErrNotAfter means that an override would end before it begins.
	ErrNotAfter = errors.New("is not after the beginning")
	// ErrTooLong means that a phone would be off for longer than it may.
	ErrTooLong = errors.New("is not within the next 7 days")
	// ErrNoPhone means that a name or a number is no phone of the route.
	ErrNoPhone = errors.New("is no phone of the number")
)

// FieldError is what is wrong with one field of a change.
type FieldError struct {
	// Field is phone, from or until, and Value what it has.
	Field, Value string
	Err          error
}

// Error says what is wrong.
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// AloneError means that at some moment nobody else would be on duty, were a phone off.
type AloneError struct {
	Number sms.PhoneNumber
	// At is that moment, by the clocks of the route.
	At time.Time
}

// Error says when that is.
func (e *AloneError) Error() string {
	return fmt.Sprintf("nobody else is on duty for %s on %s (%s)", string(e.Number), e.At.Format(MomentForm), e.At.Location())
}

// Span is when an override is, as people write it for relay duty set.
type Span struct{ From, Until string }

// OverrideOf returns the override of a route that puts phones on duty, by their names or numbers as they are stored, or nobody. The error
// is [ErrNoZone] or a [FieldError].
func OverrideOf(way route.Route, phones []string, s Span, now time.Time) (made route.Override, err error) {
	if way.TimeZone == "" {
		return made, ErrNoZone
	}
	place, err := way.Place()
	if err != nil {
		return made, err
	}
	for _, who := range phones {
		if _, ok := way.Resolve(who); !ok {
			return made, &FieldError{"phone", who, ErrNoPhone}
		}
	}
	from, err := cli.ReadAhead(s.From, now.In(place))
	if err != nil {
		return made, &FieldError{"from", s.From, err}
	}
	until, err := cli.ReadAhead(s.Until, from.In(place))
	if err != nil {
		return made, &FieldError{"until", s.Until, err}
	}
	if from, until = from.In(place), until.In(place); !until.After(from) {
		return made, &FieldError{"until", s.Until, ErrNotAfter}
	}
	made = route.Override{
		Date: from.Format(time.DateOnly), LastDate: until.Format(time.DateOnly), From: from.Format("15:04"), To: until.Format("15:04"),
		Phones: phones,
	}
	if made.LastDate == made.Date {
		made.LastDate = ""
	}
	return made, nil
}

// AddOverride returns the route with one more override, and without those that ended more than a day ago.
func AddOverride(way route.Route, made route.Override, now time.Time) route.Route {
	way = way.WithoutPast(now.AddDate(0, 0, -1))
	way.Overrides = append(slices.Clone(way.Overrides), made)
	return way
}

// RemoveOverride returns the route without the override of that number, and the override. ok is false if it has none.
func RemoveOverride(way route.Route, index int) (without route.Route, gone route.Override, ok bool) {
	if index < 1 || index > len(way.Overrides) {
		return way, gone, false
	}
	gone = way.Overrides[index-1]
	way.Overrides = slices.Delete(slices.Clone(way.Overrides), index-1, index)
	return way, gone, true
}

// MadeOff returns which phone is to be off until when; without until, it is on again. The error is a [FieldError] or an [AloneError].
func MadeOff(way route.Route, who, until string, now time.Time) (made route.Off, err error) {
	phone, ok := way.Resolve(who)
	if !ok || !way.IsPhone(phone) {
		return made, &FieldError{"phone", who, ErrNoPhone}
	}
	made.Phone = way.PhoneOf(phone)
	if until == "" {
		return made, nil
	}
	place, err := way.Place()
	if err != nil {
		return made, err
	}
	end, err := cli.ReadAhead(until, now.In(place))
	switch {
	case err != nil:
		return made, &FieldError{"until", until, err}
	case !end.After(now), end.Sub(now) > route.MaxOff:
		return made, &FieldError{"until", until, ErrTooLong}
	}
	if alone := way.AloneAt(made.Phone, now, end); !alone.IsZero() {
		return made, &AloneError{way.TwilioNumber, alone.In(place)}
	}
	made.Until = end.UTC().Truncate(time.Second)
	return made, nil
}

// Do does what is ordered, in the operator's name.
func (b Book) Do(ctx context.Context, by string, o operations.DutyOrder) (operations.DutyChange, error) {
	now := b.Now()
	edit := routing.Edit{
		Number: o.TwilioNumber, Version: o.Version, DryRun: o.DryRun, Author: routing.Author{Name: by, Now: b.Now},
		Change: routing.OfRoute(func(way route.Route) (route.Route, error) { return changed(way, o, now) }),
	}
	done, err := edit.Apply(ctx, b.Routes)
	if err != nil {
		return operations.DutyChange{}, refused(err, o.TwilioNumber)
	}
	all, _, err := route.Readable(b.Routes.List(ctx))
	if err != nil {
		return operations.DutyChange{}, err
	}
	place, err := done.After.Place()
	if err != nil {
		return operations.DutyChange{}, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(r route.Route) bool { return sms.Same(r.TwilioNumber, done.After.TwilioNumber) })
	change := operations.DutyChange{
		Action: string(done.Action()), Differences: []operations.Difference{}, DryRun: o.DryRun,
		Duty:       dutyOf(done.After, append(all, done.After), now.In(place)),
		Unverified: phonesOf(done.After, done.Unverified()),
	}
	for _, d := range done.Differences {
		change.Differences = append(change.Differences, operations.Difference(d))
	}
	return change, nil
}

// changed returns the route as the order has it.
func changed(way route.Route, o operations.DutyOrder, now time.Time) (route.Route, error) {
	switch {
	case o.Override != nil:
		made, err := OverrideOf(way, storedWhos(o.Override.Phones), Span{o.Override.From, o.Override.Until}, now)
		if field, ok := errors.AsType[*FieldError](err); ok && field.Field == "phone" {
			field.Field = "phones"
		}
		if err != nil {
			return way, err
		}
		return AddOverride(way, made, now), nil
	case o.Off != nil:
		made, err := MadeOff(way, storedWhos([]string{o.Off.Phone})[0], o.Off.Until, now)
		if err != nil {
			return way, err
		}
		return way.PutOff(made.Phone, made.Until, now), nil
	case o.Hours != nil:
		return withHours(way, *o.Hours)
	}
	without, _, ok := RemoveOverride(way, o.Remove)
	if !ok {
		return way, operations.OrderError{
			Status: http.StatusNotFound, Detail: fmt.Sprintf("%s has no override %d", string(way.TwilioNumber), o.Remove),
		}
	}
	return without, nil
}

// withHours returns the route with other phones and hours.
func withHours(way route.Route, h operations.HoursRequest) (route.Route, error) {
	s := routing.Settings{TimeZone: h.TimeZone, Closed: (*route.Closed)(h.Closed)}
	if h.Order != nil {
		var order []sms.PhoneNumber
		for _, who := range storedWhos(*h.Order) {
			number, ok := way.Resolve(who)
			if !ok {
				return way, &FieldError{"order", who, ErrNoPhone}
			}
			order = append(order, number)
		}
		if len(order) == 0 {
			return way, &FieldError{"order", "", errors.New("name at least one phone")}
		}
		s.To, s.Fallbacks = &order[0], new(order[1:])
	}
	if h.NightPhones != nil {
		s.NightPhones = new(storedWhos(*h.NightPhones))
	}
	if h.Schedule != nil {
		s.Schedule = new([]route.Shift)
		for _, shift := range *h.Schedule {
			shift.Phones = storedWhos(shift.Phones)
			*s.Schedule = append(*s.Schedule, route.Shift(shift))
		}
	}
	return s.Change(way, true)
}

// storedWhos returns names and numbers of phones as routes have them.
func storedWhos(phones []string) (whos []string) {
	for _, who := range phones {
		if number := sms.PhoneNumber(who); number.IsE164() {
			canonical, _ := number.Canonical()
			whos = append(whos, string(canonical))
		} else if strings.ContainsFunc(who, unicode.IsLetter) {
			whos = append(whos, route.PhoneName(who))
		} else {
			whos = append(whos, who)
		}
	}
	return whos
}

// refused turns what speaks against a change into an [operations.OrderError]. What has to do with the table alone stays as it is.
func refused(err error, number sms.PhoneNumber) error {
	no := func(status int, detail string) error { return operations.OrderError{Status: status, Detail: detail} }
	ordered, isOrdered := errors.AsType[operations.OrderError](err)
	field, isField := errors.AsType[*FieldError](err)
	conflict, isConflict := errors.AsType[*routing.ConflictError](err)
	loops, isLoop := errors.AsType[route.LoopsError](err)
	_, isAlone := errors.AsType[*AloneError](err)
	_, isFault := errors.AsType[*fault.Error](err)
	_, isUnreadable := errors.AsType[*route.UnreadableError](err)
	switch {
	case isOrdered:
		return ordered
	case errors.Is(err, routing.ErrNoRoute):
		return noRoute(number)
	case errors.Is(err, ErrNoZone):
		return operations.OrderError{Status: http.StatusUnprocessableEntity, Field: "time_zone", Detail: err.Error() + ": set it first"}
	case isField:
		if errors.Is(err, ErrNoPhone) {
			return wrong(field.Field, fmt.Errorf("%q %w %s", field.Value, field.Err, string(number)))
		}
		return wrong(field.Field, field.Err)
	case isConflict:
		return no(http.StatusConflict, conflict.Error())
	case isAlone:
		return no(http.StatusConflict, err.Error()+": put somebody else on duty first")
	case isUnreadable:
		return no(http.StatusConflict, err.Error())
	case isLoop:
		return no(http.StatusUnprocessableEntity, loops.Problems(func(n sms.PhoneNumber) string { return string(n) }))
	case isFault, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	default:
		// It is what [route.Route.ValidateAs] says.
		return no(http.StatusUnprocessableEntity, err.Error())
	}
}
