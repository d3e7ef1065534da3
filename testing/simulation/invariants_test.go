package simulation_test

import (
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// checkChange holds a write of the ledger against the one before it.
func (s *schedule) checkChange(before, after ledger.Record) {
	name := nameOf(after.MessageSid)
	if after.Version != before.Version+1 {
		s.violated("%s went from version %d to %d", name, before.Version, after.Version)
	}
	if after.State != before.State && !before.State.MayBecome(after.State) {
		s.violated("%s went from %q to %q", name, before.State, after.State)
	}
	if died, was := after.State == ledger.Dead, before.State == ledger.Dead; died != was {
		s.checkKept(after)
		if was && len(after.Ring.Phones) == 0 {
			s.checkRevival(before, after)
		}
	}
	if d := after.Decision; d.What == ledger.VerdictResend && d != before.Decision {
		s.checkResent(before, after)
	}
	s.checkTakenUp(before, after)
	s.checkHeldUntil(before, after)
	for i, a := range after.Attempts {
		if i > 0 && a.Number <= after.Attempts[i-1].Number {
			s.violated("%s has attempt %d after attempt %d", name, a.Number, after.Attempts[i-1].Number)
		}
		for _, old := range before.Attempts {
			if old.Number == a.Number && old.ClaimID != a.ClaimID {
				s.violated("attempt %d of %s was claimed twice", a.Number, name)
			}
			if old.Number == a.Number && !old.Found && !mayFollow(old.Status, a.Status) {
				s.violated("attempt %d of %s went from %s back to %s", a.Number, name, old.Status, a.Status)
			}
		}
	}
}

// mayFollow reports whether Twilio's status may become another. It is said here once more, so that it is not held against
// itself.
func mayFollow(before, after sms.Status) bool {
	order := []sms.Status{"", sms.StatusAccepted, sms.StatusQueued, sms.StatusSending, sms.StatusSent, sms.StatusDelivered, sms.StatusRead}
	place := func(s sms.Status) int {
		if s == sms.StatusUndelivered || s == sms.StatusFailed {
			s = sms.StatusDelivered
		}
		return slices.Index(order, s)
	}
	return before == after || place(before) < place(after)
}

// checkPost holds a POST that reaches Twilio against what was there before it.
func (s *schedule) checkPost(p *post) {
	name := fmt.Sprintf("%s attempt %d hop %d", nameOf(p.ref.RelayID), p.ref.Attempt, p.ref.Hop)
	r, open := s.claimOf(p)
	p.late = !open
	if !slices.ContainsFunc(s.changes, func(c change) bool { return c.record.MessageSid == p.ref.RelayID && claims(c.record, p) }) {
		s.violated("%s was posted without a claim", name)
	}
	if a := s.attemptOf(p); !open && s.truly() && time.Since(a.StartedAt) <= sendTimeout && a.Outcome != "" {
		s.violated("%s was posted when someone else had ended it as %s, though its lease was not over", name, a.Outcome)
	}
	if !s.mayGoTo(r, p.out.To, p.ref.Hop, s.claimedAt(p)) || !s.mayComeFrom(p) {
		s.violated("%s went from %s to %s", name, string(p.out.From), string(p.out.To))
	}
	if age := p.by.received.Sub(s.dueSince(r)); age > s.ageOf(r)+s.waited(s.dueSince(r)) && s.truly() {
		s.violated("%s was posted, and the text was %v old when its sender got it", name, age)
	}
	if p.out.ValidityPeriod > max(time.Second, s.ageOf(r)) || p.out.ValidityPeriod <= 0 {
		s.violated("%s has a validity period of %v", name, p.out.ValidityPeriod)
	}
	s.checkWords(p, r, name)
	s.checkHeader(p, r, name)
	s.checkPictures(p, r, name)
	s.checkSecond(p, r, name)
	s.checkStage(p, r, name)
	s.checkVerified(p, r, name)
	s.checkRung(p, r, name)
	s.checkHeld(p, r, name)
	s.checkBooked(p, name)
	for _, earlier := range s.posts {
		if earlier != p && earlier.reached && earlier.ref.RelayID == p.ref.RelayID {
			s.checkAgain(earlier, p, name)
		}
	}
}

func (s *schedule) maxAge() time.Duration { return s.route().TextAge() }

// ageOf is how old a text may be when it is sent: an answer of the relay itself to a customer is soon too old.
func (s *schedule) ageOf(r ledger.Record) time.Duration {
	if r.IsAutoAnswer() {
		return min(s.maxAge(), 15*time.Minute)
	}
	return s.maxAge()
}

func claims(r ledger.Record, p *post) bool {
	return slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool {
		return a.Number == p.ref.Attempt && a.Hop == p.ref.Hop && a.To == p.out.To && r.SentFrom(a) == p.out.From
	})
}

// attemptOf returns the attempt of a POST as it is in the ledger.
func (s *schedule) attemptOf(p *post) ledger.Attempt {
	for _, a := range s.current[p.ref.RelayID].Attempts {
		if a.Number == p.ref.Attempt {
			return a
		}
	}
	return ledger.Attempt{}
}

// checkBooked holds a POST against the moments that the pace limits gave away.
func (s *schedule) checkBooked(p *post, name string) {
	if s.Pair.Off() && s.Number.Off() {
		return
	}
	now, booked, posted := time.Now(), 0, 0
	for _, b := range s.bookings {
		// When a clock jumps, a moment comes sooner or later than it was booked for.
		if b.from == p.out.From && b.to == p.out.To && (!b.at.After(now) || !s.truly()) {
			booked++
		}
	}
	for _, other := range s.posts {
		if other.reached && other.out.From == p.out.From && other.out.To == p.out.To {
			posted++
		}
	}
	if posted > booked {
		s.violated("%s is POST %d to this phone, and %d moments were booked for it", name, posted, booked)
	}
}

// checkAgain holds a POST against an earlier one of the same text.
func (s *schedule) checkAgain(earlier, p *post, name string) {
	now := time.Now()
	if earlier.ref == p.ref {
		s.violated("%s reached Twilio twice", name)
		return
	}
	if p.late || earlier.late {
		// A sender paused with its POST in hand, for longer than its lease. Nobody can hold that back.
		return
	}
	m := earlier.message
	if a := s.attemptOf(earlier); a.Found && len(s.twinsOf(s.current[p.ref.RelayID])) > 1 && (m == nil || a.OutboundSid != m.sid) {
		// Texts of the same words were taken for each other, and checkTwins counts them.
		return
	}
	refused := m == nil && earlier.answered && !earlier.disturbed
	isResent, wasDoubtful := s.isResent(earlier, p)
	switch {
	case wasDoubtful, isResent && refused, refused && hadPictures(earlier, p):
	case refused && earlier.told == fault.Permanent:
		s.violated("%s was posted though attempt %d was refused for good", name, earlier.ref.Attempt)
	case refused && (earlier.told == fault.Unreachable || earlier.told == fault.OptedOut) && earlier.out.To == p.out.To:
		s.violated("%s was posted though attempt %d was refused for this phone", name, earlier.ref.Attempt)
	case m == nil && (earlier.answered || s.OnUncertain == route.Resend):
	case m == nil:
		s.violated("%s was posted though nobody could know what became of attempt %d", name, earlier.ref.Attempt)
	case m.status(now).Lost():
	case m.denied && !s.knewOf(earlier, p):
	case earlier.out.To != p.out.To && s.isOverdue(earlier) && !s.wasSeenDelivered(m):
	case (!earlier.answered || earlier.disturbed) && s.OnUncertain == route.Resend:
	default:
		s.violated("%s was posted though Twilio has %s of attempt %d, which is %s", name, nameOf(m.sid), earlier.ref.Attempt, m.status(now))
	}
}

// isOverdue reports whether the delivery timeout of a POST is over, by the relay's clock.
func (s *schedule) isOverdue(p *post) bool {
	return s.DeliveryTimeout > 0 && (!s.truly() || time.Since(s.attemptOf(p).StartedAt) >= s.DeliveryTimeout)
}

// wasSeenDelivered reports whether a sender was told that the message was delivered before its text was last given up as late: who gives it
// up may have asked a moment before.
func (s *schedule) wasSeenDelivered(m *message) bool {
	given := len(s.changes)
	for i, c := range s.changes {
		if c.record.MessageSid == m.post.ref.RelayID && c.record.State == ledger.Queued && c.record.Reason == ledger.ReasonDeliveryTimeout {
			given = i
		}
	}
	return m.isSeen && m.seenAfter <= given
}

// checkEnd holds what must be so when nothing is left to do.
func (s *schedule) checkEnd() {
	if n := s.fifo.gone() + s.timers.gone(); n > 0 {
		s.violated("the queues themselves gave up on %d messages", n)
	}
	for n := range s.Texts {
		sid := s.sidOf(n + 1)
		r, err := s.records.Get(s.ctx, sid)
		switch {
		case err != nil && s.accepted[sid]:
			s.violated("%s was accepted, and the ledger has nothing of it: %v", nameOf(sid), err)
		case err == nil:
			s.checkWhose(n+1, r)
			if len(r.Ring.Phones) > 0 {
				s.checkRing(r)
				continue
			}
			s.checkText(r)
			s.checkTruth(r)
		}
	}
	s.checkWritings()
	s.checkParts()
	s.checkWaiting()
	s.checkAutoAnswers()
	s.checkNothingHeld()
	s.checkTwins()
	s.checkOrder()
	s.checkAudit()
	s.checkBookings()
	if s.calm() {
		s.checkWindows()
	}
}

// checkText holds one text's last state against what the ledger and the dead letters say.
func (s *schedule) checkText(r ledger.Record) {
	name := nameOf(r.MessageSid)
	switch r.State {
	case ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead:
	case ledger.Queued, ledger.Sending:
		s.violated("%s is left %s (%s)", name, r.State, r.Reason)
	default:
		s.violated("%s is in no state: %q", name, r.State)
	}
	if s.calm() && (r.State == ledger.Uncertain || r.State == ledger.Dead && !s.mayExhaust()) {
		s.violated("%s is %s (%s) though nothing went wrong", name, r.State, r.Reason)
	}
	s.checkLetters(r)
	type lifeAt struct {
		to   sms.PhoneNumber
		life int
	}
	spent := map[lifeAt]int{}
	for _, p := range s.posts {
		if p.ref.RelayID == r.MessageSid && p.reached && !p.late && (!p.answered || !sparing(p.told)) {
			spent[lifeAt{p.out.To, s.lifeOf(r.MessageSid, p.ref.Attempt)}]++
		}
	}
	for at, n := range spent {
		if n > s.MaxAttempts {
			s.violated("%s was posted %d times to %s, and %d are the most", name, n, string(at.to), s.MaxAttempts)
		}
	}
	switch r.State {
	case ledger.Uncertain:
		s.checkUncertain(r)
	case ledger.Dead:
		s.checkExhausted(r)
	case ledger.Sent:
		s.checkPatience(r)
	case ledger.Undelivered, ledger.Failed:
		s.checkGivenUp(r)
	case ledger.Dropped:
		s.checkDropped(r)
	case ledger.Queued, ledger.Sending, ledger.Delivered:
	}
}

// checkExhausted compares a dead text with its attempts since it was last redriven, without those that spend nothing;
// or, if it became too old while trouble lasted, against its age. Under a pace limit it may have had no moment left before that.
func (s *schedule) checkExhausted(r ledger.Record) {
	if r.Reason == ledger.ReasonExpired {
		// By the record's own time: between an order that brings a text back and its being written some time may pass.
		if age := r.UpdatedAt.Sub(r.DueSince()); age < s.ageOf(r) && s.Pair.Off() && s.Number.Off() && s.truly() {
			s.violated("%s is dead because it was too old, after %v", nameOf(r.MessageSid), age)
		}
		return
	}
	tried := map[sms.PhoneNumber]int{}
	for _, a := range r.Attempts {
		if !sparingOutcome(a.Outcome) && s.lifeOf(r.MessageSid, a.Number) == len(s.revivals[r.MessageSid]) {
			tried[a.To]++
		}
	}
	for _, n := range tried {
		if n >= s.MaxAttempts {
			return
		}
	}
	s.violated("%s is dead, and no phone was tried %d times", nameOf(r.MessageSid), s.MaxAttempts)
}

// mayExhaust reports whether attempts may be used up though nothing is wrong with the relay.
func (s *schedule) mayExhaust() bool { return s.Twilio.Undelivered > 0 }

// listPatience is for how long a list that nobody can read holds a text.
const listPatience = 2 * time.Hour

// checkUncertain holds a text that is uncertain against what could be known of its last POST.
func (s *schedule) checkUncertain(r ledger.Record) {
	name := nameOf(r.MessageSid)
	unknown := map[int]bool{}
	for _, a := range r.Attempts {
		unknown[a.Number] = a.Unknown()
		isEarly := func(c change) bool { return s.truly() && c.at.Sub(a.EndedAt) < time.Duration(s.Looks)*s.Interval }
		if c := s.concluded(r); a.Unknown() && c.at.Sub(a.EndedAt) < listPatience && (a.Looks < s.Looks || isEarly(c)) {
			s.violated("%s is uncertain after %d looks in %v", name, a.Looks, c.at.Sub(a.EndedAt))
		}
	}
	if !slices.ContainsFunc(r.Attempts, ledger.Attempt.Unknown) {
		s.violated("%s is uncertain, and the outcomes of all its attempts are known", name)
	}
	// Twilio may have taken what it refused for the moment, so that such an attempt of the text itself is like another text.
	wasRefused := slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return a.Refused() || a.Accepted() && a.HTTPStatus != 0 })
	for _, p := range s.posts {
		if p.ref.RelayID != r.MessageSid || !unknown[p.ref.Attempt] {
			continue
		}
		if p.answered && !p.disturbed {
			s.violated("%s is uncertain, though its sender was told what became of attempt %d", name, p.ref.Attempt)
		}
		if p.message == nil {
			continue
		}
		if len(p.message.heard) > 0 {
			s.violated("%s is uncertain, though a receipt said that Twilio has it", name)
		}
		if last, _ := r.Current(); p.ref.Attempt == last.Number && r.Reason == ledger.ReasonUnknownOutcome && !wasRefused &&
			len(s.revivals[r.MessageSid]) == 0 && s.concluded(r).listed[p.message.sid] && s.isInTime(p, last) {
			s.violated("%s is uncertain, though the last look showed its message", name)
		}
	}
	// So is one that was in doubt before an operator had the text sent again. And by a clock that was ahead, nothing is absent.
	mayBeAmbiguous := wasRefused || len(s.revivals[r.MessageSid]) > 0 || !s.truly()
	if r.Reason == ledger.ReasonAmbiguous && len(s.twinsOf(r)) < 2 && s.OnUncertain != route.Resend && !mayBeAmbiguous {
		s.violated("%s is ambiguous, and there is no other text of the same words", name)
	}
}

// isInTime reports whether the message of a POST was made while it is looked for: while a POST may take, or within three
// quarters of the time that the looks take.
func (s *schedule) isInTime(p *post, a ledger.Attempt) bool {
	// By a clock that was ahead it is looked for at another time, and never found.
	return !p.late && s.truly() && p.message.createdAt.Sub(a.StartedAt) < max(sendTimeout, time.Duration(s.Looks)*s.Interval*3/4)
}

// concluded returns the write that made the text uncertain.
func (s *schedule) concluded(r ledger.Record) change {
	var first change
	for _, c := range s.changes {
		switch {
		case c.record.MessageSid != r.MessageSid:
		case c.record.State != ledger.Uncertain:
			first = change{}
		case first.by == nil:
			first = c
		}
	}
	return first
}
