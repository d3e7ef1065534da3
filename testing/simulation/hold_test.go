package simulation_test

import (
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/zone"
)

// maxHold is for how long a text is held, said here once more.
const maxHold = 14 * 24 * time.Hour

// holding is when the number holds texts because nobody is on duty: from the beginning until it Opens, and for the time Shut from when it
// Closes. The zero value is never.
type holding struct {
	Zone                string
	Opens, Closes, Shut time.Duration
}

// beHolding has the number hold texts for a time. It is drawn last, so that the schedules without it stay what they were.
func (s *scenario) beHolding(draw *rapid.T) {
	if s.Habit == 0 || s.Chatter != (chatter{}) || s.New != (newcomers{}) || rapid.IntRange(0, 3).Draw(draw, "holding") < 3 {
		return
	}
	s.hold(draw)
	if rapid.IntRange(0, 63).Draw(draw, "holiday") == 63 {
		s.beOnHoliday()
	}
}

// beHoldingNewcomers has a number hold texts some of whose phones have to be verified. It is drawn last, so that the schedules without it
// stay what they were.
func (s *scenario) beHoldingNewcomers(draw *rapid.T) {
	if s.New != (newcomers{}) && rapid.IntRange(0, 2).Draw(draw, "holding newcomers") == 2 {
		s.hold(draw)
	}
}

// hold draws when the number is closed.
func (s *scenario) hold(draw *rapid.T) {
	lasting := func(label string, all ...time.Duration) time.Duration {
		return rapid.SampledFrom(all).Draw(draw, label)
	}
	s.Hold.Zone = rapid.SampledFrom([]string{"UTC", "America/St_Johns", "America/Los_Angeles"}).Draw(draw, "where it is closed")
	s.Hold.Opens = lasting("opens", 0, 2*time.Minute, 10*time.Minute, 40*time.Minute, 3*time.Hour)
	s.Hold.Closes = s.Hold.Opens + lasting("closes", time.Minute, 5*time.Minute, 30*time.Minute)
	s.Hold.Shut = lasting("shut", 2*time.Minute, 20*time.Minute, 2*time.Hour)
	s.Hours = hours{Zone: s.Hold.Zone, From: "00:00", Days: 1}
}

// beOnHoliday has the number closed for longer than texts are held. A timer comes every quarter of an hour for two weeks, and nothing else
// goes wrong: whatever fails may leave a further timer.
func (s *scenario) beOnHoliday() {
	s.Texts = s.Texts[:min(2, len(s.Texts))]
	for i := range s.Texts {
		s.Texts[i].Customer = 0
	}
	s.Hold.Opens, s.Hold.Closes, s.Reroute, s.Steps, s.Trouble = maxHold+time.Hour, 0, 0, 60, trouble{}
}

// close sets when the route is closed.
func (h holding) close(r *route.Route) {
	if h.Zone == "" {
		return
	}
	place, err := zone.Load(h.Zone)
	if err != nil {
		panic(err)
	}
	r.TimeZone, r.Closed, r.Overrides = h.Zone, route.ClosedHold, nil
	shut := func(after, until time.Duration) {
		// Schedules begin at midnight in UTC.
		began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		from, to := began.Add(after).In(place), began.Add(until).In(place)
		r.Overrides = append(r.Overrides, route.Override{
			Date: from.Format(time.DateOnly), From: from.Format("15:04"), LastDate: to.Format(time.DateOnly), To: to.Format("15:04"),
		})
	}
	if h.Opens > 0 {
		shut(-24*time.Hour, h.Opens)
	}
	if h.Closes > 0 {
		shut(h.Closes, h.Closes+h.Shut)
	}
}

// rota returns who is on duty when, nothing if all phones of the route always are.
func (s *schedule) rota() []watch {
	h := s.Hold
	var all []watch
	switch {
	case s.Clocks.Change > 0:
		return s.Clocks.watches()
	case h.Opens > 0:
		all = append(all, watch{from: s.began.Add(-24 * time.Hour), to: s.began.Add(h.Opens)})
	}
	if h.Closes > 0 {
		all = append(all, watch{from: s.began.Add(h.Closes), to: s.began.Add(h.Closes + h.Shut)})
	}
	return all
}

// opensAfter returns when the number opens that is closed at that time; zero if it is open.
func (s *schedule) opensAfter(at time.Time) time.Time {
	for _, w := range s.watches {
		if len(w.phones) == 0 && w.has(at) {
			return w.to
		}
	}
	return time.Time{}
}

// isShut reports whether the number was closed at that time and all the time before in which a sender may have decided, and the text, which
// came then, is not held for longer than it may be.
func (s *schedule) isShut(came, at time.Time) bool {
	early := at.Add(-routeLag)
	return s.truly() && at.Sub(came) < maxHold && !s.opensAfter(at).IsZero() && s.opensAfter(at).Equal(s.opensAfter(early))
}

// isCustomers reports whether the text is a customer's own.
func isCustomers(r ledger.Record) bool { return !r.Manual && !r.IsAnswer() && !r.Notice }

// isHeld reports whether the text is held because nobody is on duty.
func isHeld(r ledger.Record) bool { return r.State == ledger.Queued && r.Reason == ledger.ReasonClosed }

// agesFromOpening returns from when on a customer's text ages that would from that time: while the number is closed, it does not.
func (s *schedule) agesFromOpening(r ledger.Record, since time.Time) time.Time {
	if len(s.watches) == 0 || !isCustomers(r) {
		return since
	}
	if r.OpenedAt.After(since) {
		since = r.OpenedAt
	}
	opens := s.opensAfter(since)
	if limit := r.CameAt().Add(maxHold); opens.After(limit) {
		opens = limit
	}
	if opens.After(since) {
		return opens
	}
	return since
}

// checkHeld holds a customer's text that goes out against when somebody is on duty.
func (s *schedule) checkHeld(p *post, r ledger.Record, name string) {
	if r.Manual || r.Destination != "" {
		return
	}
	if claimed := s.attemptOf(p).StartedAt; s.isShut(r.CameAt(), claimed) {
		s.violated("%s goes to %s, and nobody is on duty", name, string(p.out.To))
	}
}

// openingLag is how long after the opening a text is taken up at most once nothing goes wrong: when the next timer comes, and when what is
// before it in its conversation is done.
const openingLag = 15*time.Minute + visibility

// checkTakenUp holds a text that was held, and is no longer, against when somebody is on duty.
func (s *schedule) checkTakenUp(before, after ledger.Record) {
	now := time.Now()
	if !isHeld(before) || after.OpenedAt.Equal(before.OpenedAt) || !s.truly() {
		return
	}
	if s.isShut(after.CameAt(), now) {
		s.violated("%s is taken up, and nobody is on duty", nameOf(after.MessageSid))
	}
	due := before.NotBefore
	if s.calmSince.After(due) {
		due = s.calmSince
	}
	if limit := after.CameAt().Add(maxHold); due.Before(limit) {
		// It may have closed again, and the record says until when it was held at first.
		if opens := s.opensAfter(due); opens.After(due) {
			due = opens
		}
		if due.After(limit) {
			due = limit
		}
	}
	if late := now.Sub(due); s.chance.calm && late > openingLag {
		s.violated("%s is taken up %v after the opening", nameOf(after.MessageSid), late)
	}
}

// checkStageAtNight holds a stage that begins against when somebody is on duty.
func (s *schedule) checkStageAtNight(before, c conversation.Conversation, now time.Time) {
	if c.Spell.Step > before.Spell.Step && s.isShut(c.Spell.NewestAt, now) {
		s.violated("stage %d of %s begins, and nobody is on duty", c.Spell.Step, nameOf(c.Spell.MessageSid))
	}
}

// checkNothingHeld wants nothing to be held any more. All timers have come by now. What was delivered after all may still be listed, if the
// sender died before it set a timer.
func (s *schedule) checkNothingHeld() {
	for customer, all := range s.states {
		if held := all[len(all)-1].Closed; held.IsSet {
			s.violated("%d texts of %s are held, and no timer is left", len(held.Texts), string(customer))
		}
	}
}
