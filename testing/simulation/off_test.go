package simulation_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// beAway has people go off duty and come back, where somebody waits for answers.
func (s *scenario) beAway(draw *rapid.T) {
	if s.AnswerTimeout == 0 || !rapid.Bool().Draw(draw, "away") {
		return
	}
	s.Away, s.Fallbacks = rapid.SampledFrom([]int{100, 400}).Draw(draw, "how often away"), max(s.Fallbacks, 1)
}

// goOff lets a person go off duty, or come back.
func (s *schedule) goOff(p *person, via sms.PhoneNumber) {
	body := one(s.chance, "/off 2h", "/off 2h", "/off 10m", "/off 1m", "/off", "/on", "/undo", "/off tomorrow")
	s.sends(&writing{by: p, to: via, body: body})
}

// isOff reports whether the phone was off by that route at that time.
func (w wayAt) isOff(phone sms.PhoneNumber, at time.Time) bool {
	for _, o := range w.Off {
		if o.Phone == phone && at.Before(o.Until) {
			return true
		}
	}
	return false
}

// hopsAt are the phones on duty that get texts by that route at that time: those that have yet to be verified are passed over, and those
// that are off, unless all others have opted out. It is said here once more, so that it is not held against itself.
func (s *schedule) hopsAt(w wayAt, at time.Time) []sms.PhoneNumber {
	all := slices.DeleteFunc(s.onDuty(w, at), w.isNew)
	on := slices.DeleteFunc(slices.Clone(all), func(hop sms.PhoneNumber) bool { return w.isOff(hop, at) })
	if slices.ContainsFunc(on, func(hop sms.PhoneNumber) bool { return !slices.Contains(w.OptedOut, hop) }) {
		return on
	}
	return all
}

// momentsOf are the times by which a sender that wrote something then may have decided: until then, from when it may have begun, each
// phone that came back in between may have been off or on, and each shift that began may have been on.
func (s *schedule) momentsOf(w wayAt, then time.Time) []time.Time {
	moments := []time.Time{then, then.Add(-routeLag)}
	for _, o := range w.Off {
		if o.Until.After(moments[1]) && o.Until.Before(then) {
			moments = append(moments, o.Until, o.Until.Add(-time.Millisecond))
		}
	}
	for _, other := range s.watches {
		if other.from.After(moments[1]) && other.from.Before(then) {
			moments = append(moments, other.from, other.from.Add(-time.Millisecond))
		}
	}
	return moments
}

// mayGetTexts reports whether a text may have gone to the phone, as that hop, by what was decided at that time; any hop if it is negative.
func (s *schedule) mayGetTexts(phone sms.PhoneNumber, hop int, then time.Time) bool {
	return slices.ContainsFunc(s.waysSince(then), func(w wayAt) bool {
		return slices.ContainsFunc(s.momentsOf(w, then), func(at time.Time) bool {
			place := slices.Index(s.hopsAt(w, at), phone)
			return place >= 0 && (place == hop || hop < 0)
		})
	})
}

// checkStagePhones holds the phones of a stage that begins against who is on duty then.
func (s *schedule) checkStagePhones(before, c conversation.Conversation, now time.Time) {
	if c.Spell.Step == before.Spell.Step || !s.truly() {
		return
	}
	for _, phone := range c.Spell.StagePhones {
		if c.Spell.Stage == conversation.StageOwner && s.Owner > 0 && phone == s.ways[0].OwnerPhone() {
			continue
		}
		if !s.mayGetTexts(phone, -1, now) {
			s.violated("stage %d of %s goes to %s, which is off", c.Spell.Step, nameOf(c.Spell.MessageSid), string(phone))
		}
	}
}
