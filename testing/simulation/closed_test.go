package simulation_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/zone"
)

// The relay's own answers to customers, and what bounds them, said here once more.
const (
	closedText     = "We are closed. We answer tomorrow."
	noOneText      = "Nobody can answer now. If it is urgent, call."
	quietTime      = 10 * time.Second
	maxAutoAnswers = 30
)

// hours is when the number is closed: from that hour of the first day, in that zone, for so many days. The zero value is never.
type hours struct {
	Zone string
	From string
	Days int
}

// beClosed has the number closed for a time, and the relay itself answer customers. It is drawn last, so that the schedules without it
// stay what they were.
func (s *scenario) beClosed(draw *rapid.T) {
	if s.Habit == 0 || s.Chatter != (chatter{}) || rapid.IntRange(0, 4).Draw(draw, "closed") < 4 {
		return
	}
	// Schedules begin at midnight in UTC. In the others, it is a few minutes before midnight, or the evening before.
	s.Hours = hours{
		Zone: rapid.SampledFrom([]string{"UTC", "America/St_Johns", "America/Los_Angeles"}).Draw(draw, "zone"),
		From: rapid.SampledFrom([]string{"00:00", "16:00", "20:25", "23:59"}).Draw(draw, "from"),
		Days: rapid.SampledFrom([]int{1, 2, 14}).Draw(draw, "days"),
	}
}

// close sets the route's hours.
func (h hours) close(r *route.Route) {
	if h.Zone == "" {
		return
	}
	first := time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)
	r.TimeZone, r.AutoAnswer = h.Zone, route.AutoAnswer{Closed: closedText, NoOne: noOneText}
	r.Overrides = []route.Override{{
		Date: first.Format(time.DateOnly), LastDate: first.AddDate(0, 0, h.Days).Format(time.DateOnly), From: h.From,
	}}
}

// place is where the clocks of the route are.
func (s *schedule) place() *time.Location {
	place, err := zone.Load(s.Hours.Zone)
	if err != nil {
		panic(err)
	}
	return place
}

// checkAutoNote holds the note that a customer is answered by the relay itself against what was noted before.
func (s *schedule) checkAutoNote(before, now state) {
	was, is := before.Written, now.Written
	if was.AutoCause == is.AutoCause && was.AutoAt.Equal(is.AutoAt) {
		return
	}
	name := string(now.Customer)
	switch day := func(at time.Time) string { return at.In(s.place()).Format(time.DateOnly) }; {
	case s.Hours.Zone == "":
		s.violated("the relay itself answers %s, and no route says what", name)
	case before.OptOut.OptedOut:
		s.violated("the relay itself answers %s, who opted out", name)
	case before.Blocked.On:
		s.violated("the relay itself answers %s, who is blocked", name)
	case is.AutoAt.Sub(was.At) < quietTime:
		s.violated("the relay itself answers %s %v after a text to them", name, is.AutoAt.Sub(was.At))
	case !was.AutoAt.IsZero() && day(was.AutoAt) >= day(is.AutoAt):
		s.violated("the relay itself answers %s twice on %s", name, day(is.AutoAt))
	}
}

// checkAutoWords holds what the relay itself answers a customer against what the route says, and why.
func (s *schedule) checkAutoWords(p *post, r ledger.Record, name string) {
	wasNoted := slices.ContainsFunc(s.states[p.out.To], func(c state) bool {
		sid, isNoOne := strings.CutSuffix(c.Written.AutoCause, ".no_one")
		says := closedText
		if isNoOne {
			says = noOneText
		}
		isCause := r.MessageSid == strings.Replace(noticeSid(p.out.To, c.Written.AutoCause), "NT", ledger.AutoAnswerPrefix, 1)
		if !isCause || p.out.Body != says {
			return false
		}
		of, isKnown := s.current[sid]
		return isKnown && of.Customer == p.out.To && (isNoOne || s.isClosed(of.ReceivedAt))
	})
	if !wasNoted || p.out.From != twilioNumber {
		s.violated("%s says %q to %s, and that was not noted", name, p.out.Body, string(p.out.To))
	}
	since := s.attemptOf(p).StartedAt.Add(-claimLength)
	if slices.ContainsFunc(s.waysSince(s.claimedAt(p)), func(w wayAt) bool { return w.IsPhone(p.out.To) }) {
		// It is noted of customers, and this one came back as a phone.
		return
	}
	if !slices.ContainsFunc(s.states[p.out.To], func(c state) bool { return !c.Written.At.Before(since) }) {
		s.violated("%s is sent to %s, and it is not noted that they are written to", name, string(p.out.To))
	}
}

// checkAutoAnswers holds all that the relay itself has answered against the bounds.
func (s *schedule) checkAutoAnswers() {
	type dayOf struct {
		customer sms.PhoneNumber
		day      string
	}
	days := map[dayOf]int{}
	var all []time.Time
	for _, c := range s.changes {
		if r := c.record; r.IsAutoAnswer() && r.Version == 1 {
			s.tally.automatic++
			all = append(all, r.ReceivedAt)
		}
	}
	for customer, states := range s.states {
		last := ""
		for _, c := range states {
			if c.Written.AutoCause != last {
				last = c.Written.AutoCause
				days[dayOf{customer, c.Written.AutoAt.In(s.place()).Format(time.DateOnly)}]++
			}
		}
	}
	for of, n := range days {
		if n > 1 {
			s.violated("the relay itself answers %s %d times on %s", string(of.customer), n, of.day)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	for i := range all {
		if end := i + maxAutoAnswers; end < len(all) && all[end].Sub(all[i]) < time.Hour {
			s.violated("the relay itself answers more than %d times in an hour", maxAutoAnswers)
		}
	}
}
