package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/zone"
)

// Shift is a weekly entry of a schedule: on these days, its phones are on duty from one time to another, by the clocks of the route's
// TimeZone. What ends no later than it begins ends on the next day.
type Shift struct {
	// Days are days of the week and spans of them: "Mon-Fri", "Sat,Sun". The shift begins on them.
	Days string
	// From and To are times of day such as "07:00"; To may be "24:00".
	From, To string
	// Phones are names of the route's Phones, or numbers, in the order in which they are tried.
	Phones []string
}

// Override replaces the schedule for a time.
type Override struct {
	// Date is its first day, such as "2026-12-24", LastDate the last one; empty if that is the same.
	Date     string
	LastDate string `json:",omitempty"`
	// From is when it begins on the first day, To when it ends on the last one; without them it is for whole days. Without a LastDate, what
	// ends no later than it begins ends on the next day.
	From string `json:",omitempty"`
	To   string `json:",omitempty"`
	// Phones are on duty, as in a [Shift]. Without any, the number is closed.
	Phones []string `json:",omitempty"`
}

// String writes the shift for people: "Mon-Fri 07:00-18:00 Ann, Bo".
func (s Shift) String() string {
	return s.Days + " " + s.From + "-" + s.To + " " + strings.Join(s.Phones, ", ")
}

// String writes the override for people: "2026-12-24 18:00 - 2026-12-26 08:00 Bo", "2026-12-24 closed".
func (o Override) String() string {
	text := strings.TrimSpace(o.Date + " " + o.From)
	if o.LastDate != "" || o.To != "" {
		text += " - " + strings.TrimSpace(o.LastDate+" "+o.To)
	}
	if len(o.Phones) == 0 {
		return text + " closed"
	}
	return text + " " + strings.Join(o.Phones, ", ")
}

// Closed says what happens to customers' texts while nobody is on duty.
type Closed string

// The values of Closed.
const (
	// ClosedRelay sends them to the route's hops, as without a schedule. It is the default; the empty Closed means the same.
	ClosedRelay Closed = "relay"
	// ClosedNight sends them to the route's NightPhones.
	ClosedNight Closed = "night"
	// ClosedHold holds them until somebody is on duty, for MaxHold at most; then they go as with ClosedRelay.
	ClosedHold Closed = "hold"
)

// The bounds of a schedule.
const (
	MaxShifts      = 50
	MaxOverrides   = 100
	MaxShiftPhones = 10
)

// The forms of times in a schedule.
const (
	dateForm = "2006-01-02"
	timeForm = "15:04"
	endOfDay = "24:00"
)

const minutesOfDay = 24 * 60

// minutesOf reads a time of day as minutes since midnight.
func minutesOf(text string) (minutes int, err error) {
	if text == endOfDay {
		return minutesOfDay, nil
	}
	at, err := time.Parse(timeForm, text)
	if err != nil || len(text) != len(timeForm) {
		return 0, errors.New("is not a time of day such as 07:30")
	}
	return at.Hour()*60 + at.Minute(), nil
}

// weekdays are the names of the days, from Sunday.
const weekdays = "SunMonTueWedThuFriSat"

// daysOf reads days of the week.
func daysOf(text string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isSpan := strings.Cut(strings.TrimSpace(part), "-")
		first, last := dayOf(from), dayOf(to)
		if !isSpan {
			last = first
		}
		if first < 0 || last < 0 {
			return days, errors.New("is not a list of days such as Mon-Fri or Sat,Sun")
		}
		for day := first; ; day = (day + 1) % 7 {
			days[day] = true
			if day == last {
				break
			}
		}
	}
	return days, nil
}

// dayOf returns the number of a day from Sunday, -1 if it is none.
func dayOf(name string) int {
	at := strings.Index(weekdays, name)
	if len(name) != 3 || at%3 != 0 {
		return -1
	}
	return at / 3
}

// date is a day of the calendar, at midnight UTC.
type date struct{ time.Time }

func dateOf(at time.Time) date {
	year, month, day := at.Date()
	return date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

func parseDate(text string) (date, error) {
	at, err := time.Parse(dateForm, text)
	if err != nil {
		return date{}, errors.New("is not a date such as 2026-12-24")
	}
	return date{at}, nil
}

func (d date) plus(days int) date { return date{d.AddDate(0, 0, days)} }

// edge says which end of a span a local time is.
type edge bool

const (
	begins edge = true
	ends   edge = false
)

// maxOffset is more than any clock is away from UTC.
const maxOffset = 15 * time.Hour

// boundAfter returns a moment until which the clocks of a place do not change after at; zero if they never do. ZoneBounds names the end of
// the 365th day as the end of a rule's year, which is before the last day of a leap year.
func boundAfter(at time.Time, place *time.Location) time.Time {
	_, change := at.In(place).ZoneBounds()
	if !change.IsZero() && !change.After(at) {
		return at.Add(24 * time.Hour)
	}
	return change
}

// at returns the moment when the clocks of a place show a time of the day. A time that they skip is the first moment after; of one that
// they show twice, a span begins with the first, and ends with the second.
func (d date) at(minutes int, place *time.Location, e edge) time.Time {
	shown := d.Add(time.Duration(minutes) * time.Minute)
	var found time.Time
	for at := shown.Add(-maxOffset); ; {
		change := boundAfter(at, place)
		_, offset := at.In(place).Zone()
		if moment := shown.Add(-time.Duration(offset) * time.Second); !moment.Before(at) && (change.IsZero() || moment.Before(change)) {
			found = moment
		}
		if isLast := change.IsZero() || change.After(shown.Add(maxOffset)); isLast || !found.IsZero() && e == begins {
			break
		}
		_, next := change.In(place).Zone()
		if earliest := shown.Add(-time.Duration(next) * time.Second); found.IsZero() && earliest.Before(change) {
			// The clocks are past it once they have changed.
			return change.UTC()
		}
		at = change
	}
	return found.UTC()
}

// span is from one moment up to another one.
type span struct{ from, to time.Time }

func (s span) has(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

// spanOn returns when the shift that begins on that day is.
func (s Shift) spanOn(day date, place *time.Location) (span, error) {
	from, err := minutesOf(s.From)
	if err != nil {
		return span{}, fmt.Errorf("%s %w", "From", err)
	}
	to, err := minutesOf(s.To)
	if err != nil {
		return span{}, fmt.Errorf("%s %w", "To", err)
	}
	last := day
	if to <= from {
		last = day.plus(1)
	}
	return span{day.at(from, place, begins), last.at(to, place, ends)}, nil
}

// span returns when the override is.
func (o Override) span(place *time.Location) (span, error) {
	first, err := parseDate(o.Date)
	if err != nil {
		return span{}, fmt.Errorf("%s %w", "Date", err)
	}
	last, from, to := first, 0, minutesOfDay
	if o.LastDate != "" {
		if last, err = parseDate(o.LastDate); err != nil {
			return span{}, fmt.Errorf("%s %w", "LastDate", err)
		}
	}
	if o.From != "" {
		if from, err = minutesOf(o.From); err != nil {
			return span{}, fmt.Errorf("%s %w", "From", err)
		}
	}
	if o.To != "" {
		if to, err = minutesOf(o.To); err != nil {
			return span{}, fmt.Errorf("%s %w", "To", err)
		}
	}
	if o.LastDate == "" && to <= from {
		last = last.plus(1)
	}
	s := span{first.at(from, place, begins), last.at(to, place, ends)}
	if o.LastDate != "" && (last.Before(first.Time) || last.Equal(first.Time) && to <= from) {
		return s, errors.New("ends before it begins")
	}
	return s, nil
}

// SpanOf returns from when up to when an override counts; zero if it cannot be read.
func (r Route) SpanOf(o Override) (from, to time.Time) {
	place, err := r.Place()
	if err != nil {
		return time.Time{}, time.Time{}
	}
	s, err := o.span(place)
	if err != nil {
		return time.Time{}, time.Time{}
	}
	return s.from, s.to
}

// WithoutPast returns the route without the overrides that ended before now.
func (r Route) WithoutPast(now time.Time) Route {
	r.Overrides = slices.DeleteFunc(slices.Clone(r.Overrides), func(o Override) bool {
		_, end := r.SpanOf(o)
		return !end.IsZero() && end.Before(now)
	})
	return r
}

// Place returns where the route's clocks are: in its TimeZone, in UTC without one.
func (r Route) Place() (*time.Location, error) {
	return zone.Load(r.TimeZone)
}

// scheduled are the phones that the schedule, its overrides and the night name, as they are written there.
func (r Route) scheduled() []string {
	var all []string
	for _, s := range r.Schedule {
		all = append(all, s.Phones...)
	}
	for _, o := range r.Overrides {
		all = append(all, o.Phones...)
	}
	return append(all, r.NightPhones...)
}

// IsScheduledPhone reports whether the schedule, its overrides or the night name the phone.
func (r Route) IsScheduledPhone(number sms.PhoneNumber) bool {
	return isAmong(r.numbersOf(r.scheduled()), number)
}

// numbersOf returns the numbers of phones by their names or numbers. A name that no phone has is left out.
func (r Route) numbersOf(whos []string) []sms.PhoneNumber {
	numbers := make([]sms.PhoneNumber, 0, len(whos))
	for _, who := range whos {
		if number, ok := r.Resolve(who); ok && !isAmong(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// scheduleProblems finds what is wrong with the schedule, its overrides and the night.
func (r Route) scheduleProblems() []error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	place, err := r.Place()
	if err != nil {
		report("TimeZone is not a time zone such as America/Los_Angeles")
		place = time.UTC
	}
	if r.TimeZone == "" && len(r.Schedule)+len(r.Overrides) > 0 {
		report("TimeZone is missing: a schedule goes by the clocks of a place, such as America/Los_Angeles")
	}
	if len(r.Schedule) > MaxShifts {
		report("Schedule has %d entries, at most %d", len(r.Schedule), MaxShifts)
	}
	if len(r.Overrides) > MaxOverrides {
		report("Overrides has %d entries, at most %d", len(r.Overrides), MaxOverrides)
	}
	for i, s := range r.Schedule {
		if _, err := daysOf(s.Days); err != nil {
			report("Schedule[%d].Days %w", i, err)
		}
		if _, err := s.spanOn(date{}, place); err != nil {
			report("Schedule[%d].%w", i, err)
		}
		if len(s.Phones) == 0 {
			report("Schedule[%d].Phones is empty", i)
		}
		problems = append(problems, r.whoProblems(fmt.Sprintf("Schedule[%d].Phones", i), s.Phones)...)
	}
	for i, o := range r.Overrides {
		if _, err := o.span(place); err != nil {
			report("Overrides[%d].%w", i, err)
		}
		problems = append(problems, r.whoProblems(fmt.Sprintf("Overrides[%d].Phones", i), o.Phones)...)
	}
	if !slices.Contains([]Closed{"", ClosedRelay, ClosedNight, ClosedHold}, r.Closed) {
		report("Closed is neither %s nor %s nor %s", ClosedRelay, ClosedNight, ClosedHold)
	}
	if r.Closed == ClosedNight && len(r.NightPhones) == 0 {
		report("NightPhones is empty: Closed is %s", ClosedNight)
	}
	return append(problems, r.whoProblems("NightPhones", r.NightPhones)...)
}

// whoProblems finds what is wrong with phones that are named by their names or numbers.
func (r Route) whoProblems(field string, whos []string) []error {
	var problems []error
	if len(whos) > MaxShiftPhones {
		problems = append(problems, fmt.Errorf("%s has %d phones, at most %d", field, len(whos), MaxShiftPhones))
	}
	var seen []sms.PhoneNumber
	for i, who := range whos {
		number, ok := r.Resolve(who)
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%s[%d] is neither a number nor the name of one of Phones", field, i))
		case isAmong(seen, number):
			problems = append(problems, fmt.Errorf("%s[%d] is there twice", field, i))
		}
		seen = append(seen, number)
	}
	return problems
}

// MinutesOfWeek are the minutes of a week.
const MinutesOfWeek = 7 * minutesOfDay

// WeekSpan is a time of the week, in minutes since Monday at midnight. To may be in the next week.
type WeekSpan struct{ From, To int }

// Weekly returns when the shift is in a week in which the clocks do not change; nothing if it cannot be read.
func (s Shift) Weekly() []WeekSpan {
	days, err := daysOf(s.Days)
	from, fromErr := minutesOf(s.From)
	to, toErr := minutesOf(s.To)
	if errors.Join(err, fromErr, toErr) != nil {
		return nil
	}
	if to <= from {
		to += minutesOfDay
	}
	var spans []WeekSpan
	for n := range 7 {
		if days[(n+1)%7] {
			spans = append(spans, WeekSpan{n*minutesOfDay + from, n*minutesOfDay + to})
		}
	}
	return spans
}
