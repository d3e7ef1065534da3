package simulation_test

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// checkPatience holds a text that rests as sent against the delivery timeout: if there was another phone to try, and time
// left to try it, it does not rest there.
func (s *schedule) checkPatience(r ledger.Record) {
	awaited, ok := r.AwaitedAttempt()
	isTimedOut := s.DeliveryTimeout > 0 && ok
	due := awaited.StartedAt.Add(s.DeliveryTimeout)
	// Who was held up while things went wrong may have come when the text was too old.
	if s.calmSince.After(due) {
		due = s.calmSince
	}
	hadTime := due.Add(time.Hour).Before(s.dueSince(r).Add(s.ageOf(r)))
	// While the clock was ahead, the text was too old by it.
	isRefused := slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return a.Outcome == fault.Permanent.String() })
	if !isTimedOut || !hadTime || !s.truly() || isRefused {
		return
	}
	for _, to := range s.steadyHops(r, awaited.StartedAt) {
		if to != awaited.To && r.HopOpen(to) && !lostAt(r, to) && !s.mayBeOptedOut(to) {
			s.violated("%s rests as sent to %s, though it was not delivered in time and %s was not tried", nameOf(r.MessageSid),
				string(awaited.To), string(to))
		}
	}
}

// mayBeOptedOut reports whether Twilio has said of the phone that it opted out.
func (s *schedule) mayBeOptedOut(to sms.PhoneNumber) bool {
	return slices.Contains(s.optedOut, to) ||
		slices.ContainsFunc(s.messages, func(m *message) bool { return m.code == 21610 && m.post.out.To == to })
}

// checkGivenUp holds a text that reached nobody against the route: if each message was lost for a reason of its phone's, and another
// phone was there to try, and time left to try it, the text does not end there.
func (s *schedule) checkGivenUp(r ledger.Record) {
	ended := s.endOf(r)
	hadTime := ended.at.Before(s.dueSince(r).Add(s.ageOf(r)))
	if !s.Pair.Off() || !s.Number.Off() {
		// The pace limits may leave it no moment in the time that is left: then it rests where its attempts left it.
		mayBePaced := r.Reason == ledger.ReasonExpired || r.Reason == ledger.ReasonReceipt
		hadTime = hadTime && (!mayBePaced || s.isYoung(r, ended.at))
	}
	if !hadTime || !s.truly() || r.Reason == ledger.ReasonRefused ||
		slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return s.endsText(r, a) }) {
		return
	}
	for _, to := range s.steadyHops(r, r.ReceivedAt) {
		wasTried := slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return a.To == to })
		if !wasTried && !s.mayBeOptedOut(to) {
			s.violated("%s is %s (%s), and %s was not tried", nameOf(r.MessageSid), r.State, r.Reason, string(to))
		}
	}
}

// endsText reports whether what came of an attempt may be why no other phone is tried: it was refused or lost for a reason that
// holds for every phone, or was one of the last that there may be at its own.
func (s *schedule) endsText(r ledger.Record, a ledger.Attempt) bool {
	if f := twilio.ClassifyReceipt(a.Status, a.ErrorCode); a.Status.Lost() {
		return f.Kind != fault.Unreachable && f.Kind != fault.OptedOut
	}
	isTrouble := a.Outcome == fault.Transient.String() || a.Outcome == fault.Throttled.String()
	return a.Outcome == fault.Permanent.String() || isTrouble && r.AttemptsSpentOn(a.To) >= s.MaxAttempts
}

// endOf returns the write that brought the text to the state that it has.
func (s *schedule) endOf(r ledger.Record) change {
	var end change
	for _, c := range s.changes {
		switch {
		case c.record.MessageSid != r.MessageSid:
		case c.record.State != r.State:
			end = change{}
		case end.by == nil:
			end = c
		}
	}
	return end
}

// isYoung reports whether a text was so young then that the pace limits cannot have left it no moment: here they never take half of
// half an hour.
func (s *schedule) isYoung(r ledger.Record, at time.Time) bool {
	since := s.agesFrom(r)
	if opened := s.dueSince(r); opened.After(since) {
		since = opened
	}
	age := at.Sub(since)
	// At the very moment of an order, nobody can say which of the two came first.
	return age > 0 && age < s.ageOf(r)/2 && s.ageOf(r) >= 30*time.Minute
}

// checkDropped holds a text that was dropped for its age, or because its route was off, against both.
func (s *schedule) checkDropped(r ledger.Record) {
	end := s.endOf(r)
	if s.isYoung(r, end.at) && end.isRight && r.Reason == ledger.ReasonExpired {
		s.violated("%s was dropped as expired, and was %v old", nameOf(r.MessageSid), end.at.Sub(r.DueSince()))
	}
	if r.Reason == ledger.ReasonExpired && s.truly() && s.agesFromOpening(r, r.DueSince()).After(end.at) {
		s.violated("%s was dropped as expired, and the number was closed since it came", nameOf(r.MessageSid))
	}
	wasOff := slices.ContainsFunc(s.waysSince(end.at), func(w wayAt) bool { return !w.Active })
	if r.Reason == ledger.ReasonInactive && !wasOff {
		s.violated("%s was dropped as inactive, and the route was on", nameOf(r.MessageSid))
	}
}
