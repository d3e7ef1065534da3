package simulation_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// beRinging has all phones get a text at the same time. It is drawn last of all, so that the schedules without it stay what they were.
func (s *scenario) beRinging(draw *rapid.T) {
	if rapid.IntRange(0, 7).Draw(draw, "ring") < 7 || s.Chatter != (chatter{}) {
		return
	}
	s.Ring, s.Fallbacks = true, max(s.Fallbacks, rapid.IntRange(1, 3).Draw(draw, "phones that ring"))
}

// rungOf are the records of a text to the phones of its ring, as far as there are any.
func (s *schedule) rungOf(r ledger.Record) []ledger.Record {
	var all []ledger.Record
	for place := range r.Ring.Phones {
		if one := s.current[r.ToPhone(place, time.Time{}).MessageSid]; one.MessageSid != "" {
			all = append(all, one)
		}
	}
	return all
}

// withRings returns the texts with their records for the phones of a ring in their place. Where such a text itself goes on, once the ring
// is lost, follows the receipts, which come in any order.
func (s *schedule) withRings(order []string) []string {
	var all []string
	for _, sid := range order {
		ring := s.rungOf(s.current[sid])
		if len(ring) == 0 {
			all = append(all, sid)
		}
		for _, one := range ring {
			all = append(all, one.MessageSid)
		}
	}
	return all
}

// areForOthers reports whether the two are records for two phones of a ring: each phone has an order of its own.
func (s *schedule) areForOthers(a, b string) bool {
	one, other := s.current[firstOf(a)], s.current[firstOf(b)]
	return (one.IsRung() || other.IsRung()) && one.Destination != other.Destination
}

// checkRung holds the POST of a text to a phone of a ring against the ring, and that of a text that went on in turn: no phone gets it by
// two records, and no other phone while one of the ring may have it.
func (s *schedule) checkRung(p *post, r ledger.Record, name string) {
	if r.IsRung() {
		ring := s.current[r.ParentSid].Ring
		if !slices.Contains(ring.Phones, p.out.To) {
			s.violated("%s goes to %s, which is not in the ring", name, string(p.out.To))
		}
		for _, other := range s.posts {
			o := s.current[other.ref.RelayID]
			if other.reached && o.IsRung() && o.ParentSid == r.ParentSid && o.MessageSid != r.MessageSid && other.out.To == p.out.To {
				s.violated("%s goes to %s, which had %s", name, string(p.out.To), nameOf(o.MessageSid))
			}
		}
		return
	}
	if len(r.Ring.Phones) == 0 || r.Ring.IsOver || p.late {
		return
	}
	if slices.Contains(r.Ring.Phones, p.out.To) {
		s.violated("%s goes to %s, which has a record of its own", name, string(p.out.To))
	}
	for _, one := range s.rungOf(r) {
		isLost := slices.Contains([]ledger.State{ledger.Undelivered, ledger.Failed, ledger.Dropped, ledger.Dead}, one.State)
		if !isLost && len(s.revivals[one.MessageSid]) == 0 && s.truly() && !s.wasLost(one, s.claimedAt(p)) {
			s.violated("%s goes on in turn, and %s is %s", name, nameOf(one.MessageSid), one.State)
		}
	}
}

// wasLost reports whether the text had ended unsent shortly before that time: what is learned later cannot be known.
func (s *schedule) wasLost(r ledger.Record, at time.Time) bool {
	lost := false
	for _, c := range s.changes {
		if c.record.MessageSid == r.MessageSid && !c.at.After(at) {
			lost = lost || c.record.State.Final() && c.record.State != ledger.Delivered
		}
	}
	return lost
}

// checkRing holds the last state of a text that goes to several phones against those of its records. It is said here once more, so that it
// is not held against itself.
func (s *schedule) checkRing(r ledger.Record) {
	name, rung := nameOf(r.MessageSid), s.rungOf(r)
	if len(rung) < len(r.Ring.Phones) {
		s.violated("%s has %d of %d phones", name, len(rung), len(r.Ring.Phones))
	}
	var to []sms.PhoneNumber
	for i, one := range rung {
		if one.Destination != r.Ring.Phones[i] || slices.Contains(to, one.Destination) {
			s.violated("%s goes to %s", nameOf(one.MessageSid), string(one.Destination))
		}
		to = append(to, one.Destination)
	}
	is := func(states ...ledger.State) bool {
		return slices.ContainsFunc(rung, func(one ledger.Record) bool { return slices.Contains(states, one.State) })
	}
	isOwn := len(r.Attempts) > 0
	isEnded := slices.Contains([]ledger.State{ledger.Undelivered, ledger.Failed, ledger.Dropped, ledger.Dead}, r.State)
	wrong := false
	switch {
	case r.State == ledger.Queued, r.State == ledger.Sending:
		wrong = true
	case is(ledger.Delivered):
		wrong = r.State != ledger.Delivered
	case is(ledger.Sent):
		wrong = r.State != ledger.Sent && (!isOwn || r.State != ledger.Delivered)
	case isOwn:
	case is(ledger.Uncertain):
		// What has ended stays so, whatever an operator does to one of them.
		wrong = r.State != ledger.Uncertain && (!isEnded || !s.isTakenBack(rung))
	default:
		wrong = !isEnded && (r.State != ledger.Uncertain || !s.isTakenBack(rung))
	}
	if wrong {
		var states []ledger.State
		for _, one := range rung {
			states = append(states, one.State)
		}
		s.violated("%s is %s (%s), and the texts to its phones are %v", name, r.State, r.Reason, states)
	}
}

// isTakenBack reports whether an operator had one of the texts sent again.
func (s *schedule) isTakenBack(all []ledger.Record) bool {
	return slices.ContainsFunc(all, func(r ledger.Record) bool { return len(s.revivals[r.MessageSid]) > 0 })
}
