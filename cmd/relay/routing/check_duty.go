package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// hold checks a route that holds texts while nobody is on duty: nobody tells the customers, or it is closed for longer than they are held.
func (c *checked) hold() {
	if c.route.Closed != route.ClosedHold {
		return
	}
	if !c.route.IsScheduled() {
		c.report(Warning, "texts are never held: there is no Schedule, so somebody is always on duty",
			"relay route export, add a Schedule, and relay route import")
		return
	}
	if c.route.AutoAnswer.Closed == "" {
		c.report(Warning, "texts are held while nobody is on duty, and nobody tells the customers", c.verb("set", "--auto-answer-closed TEXT"))
	}
	for i, o := range c.route.Overrides {
		if from, _ := c.route.SpanOf(o); len(o.Phones) == 0 && !from.IsZero() && c.isClosedTooLong(from) {
			c.report(Warning, fmt.Sprintf("Overrides[%d] closes the number for more than 14 days: texts are held for 14 days, and then go to "+
				"the phones of the route", i), "put somebody on duty in between: relay duty set "+string(c.route.TwilioNumber)+" --phone PHONE")
		}
	}
}

// isClosedTooLong reports whether the number, which is closed at that moment, is so for longer than texts are held. It may have been closed
// before, by its schedule.
func (c *checked) isClosedTooLong(at time.Time) bool {
	for range 7 * 24 {
		if before := at.Add(-time.Hour); c.route.IsClosed(before) {
			at = before
		}
	}
	return c.route.HeldUntil(at, at).Sub(at) >= route.MaxHold
}

// duty checks the schedule: times when nobody is on duty though nothing says what happens then, entries that overlap, and phones that are
// never on duty.
func (c *checked) duty() {
	if len(c.route.Schedule) == 0 {
		return
	}
	const edit = "relay route export, change its Schedule, and relay route import"
	if gaps := gapsOf(c.route.Schedule); len(gaps) > 0 && c.route.Closed == "" {
		c.report(Warning, "nobody is on duty "+listed(gaps)+": texts go to the phones of the route then",
			"say that it is meant: "+c.verb("set", "--closed relay, --closed hold, or --closed night --night-phone PHONE")+"; or "+edit)
	}
	for i, one := range c.route.Schedule {
		for n, other := range c.route.Schedule[:i] {
			if at, ok := meeting(one, other); ok {
				c.report(Warning, fmt.Sprintf("Schedule[%d] and Schedule[%d] overlap on %s: the phones of both are on duty then",
					n, i, moment(at)), edit)
			}
		}
	}
	if at, phones := c.crowd(); phones > route.MaxRing && c.route.Ring == route.RingAll {
		c.report(Problem, fmt.Sprintf("%d phones are on duty on %s, at most %d with Ring %s: the others get a text only if all of those fail",
			phones, moment(at), route.MaxRing, route.RingAll), edit)
	}
	for _, phone := range c.route.AllPhones() {
		isHop := slices.Contains(c.route.Hops(), phone) && (c.route.Closed == "" || c.route.Closed == route.ClosedRelay)
		if isHop || c.route.IsScheduledPhone(phone) || phone == c.route.OwnerPhone() {
			continue
		}
		who := strings.TrimSpace(c.route.NameOf(phone) + " " + string(phone))
		c.report(Warning, who+" is never on duty", "put it into the schedule, or relay phone rm; "+edit)
	}
}

// crowd returns when in a week the most phones are on duty, and how many.
func (c *checked) crowd() (minute, phones int) {
	for _, shift := range c.route.Schedule {
		for _, span := range shift.Weekly() {
			on := map[sms.PhoneNumber]bool{}
			for _, other := range c.route.Schedule {
				for _, s := range other.Weekly() {
					if since := (span.From - s.From + route.MinutesOfWeek) % route.MinutesOfWeek; since >= s.To-s.From {
						continue
					}
					for _, who := range other.Phones {
						number, _ := c.route.Resolve(who)
						on[number.Key()] = true
					}
				}
			}
			if len(on) > phones {
				minute, phones = span.From, len(on)
			}
		}
	}
	return minute, phones
}

// gapsOf returns the times of the week when nobody is on duty.
func gapsOf(schedule []route.Shift) []route.WeekSpan {
	isOn := make([]bool, route.MinutesOfWeek)
	for _, shift := range schedule {
		for _, s := range shift.Weekly() {
			for at := s.From; at < s.To; at++ {
				isOn[at%route.MinutesOfWeek] = true
			}
		}
	}
	var gaps []route.WeekSpan
	for at, on := range isOn {
		switch last := len(gaps) - 1; {
		case on:
		case last >= 0 && gaps[last].To == at:
			gaps[last].To++
		default:
			gaps = append(gaps, route.WeekSpan{From: at, To: at + 1})
		}
	}
	if last := len(gaps) - 1; last > 0 && gaps[0].From == 0 && gaps[last].To == route.MinutesOfWeek {
		// It goes on in the next week.
		gaps[last].To += gaps[0].To
		gaps = gaps[1:]
	}
	return gaps
}

// meeting returns a minute of the week at which both shifts are, the first of the later one.
func meeting(one, other route.Shift) (minute int, ok bool) {
	for _, a := range one.Weekly() {
		for _, b := range other.Weekly() {
			for _, later := range []int{-route.MinutesOfWeek, 0, route.MinutesOfWeek} {
				if from := max(a.From, b.From+later); from < min(a.To, b.To+later) {
					return from, true
				}
			}
		}
	}
	return 0, false
}

// maxListed is how many times of a week are listed.
const maxListed = 3

// listed writes times of the week.
func listed(spans []route.WeekSpan) string {
	var texts []string
	for _, s := range spans[:min(len(spans), maxListed)] {
		texts = append(texts, moment(s.From)+" to "+moment(s.To))
	}
	if more := len(spans) - maxListed; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d times more a week", more))
	}
	return strings.Join(texts, ", ")
}

// moment writes a minute of the week.
func moment(minute int) string {
	return time.Date(2026, 11, 30, 0, minute%route.MinutesOfWeek, 0, 0, time.UTC).Format("Mon 15:04")
}
