package simulation_test

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// lostAt reports whether the last message to that phone was lost: a code may say that the same again would end the same.
func lostAt(r ledger.Record, to sms.PhoneNumber) bool {
	lost := false
	for _, a := range r.Attempts {
		if a.To == to {
			lost = a.Status.Lost()
		}
	}
	return lost
}

// sparing reports whether a failure of that kind spends no attempt. It is said here once more, so that it is not held against
// itself.
func sparing(kind fault.Kind) bool {
	return kind == fault.Fatal || kind == fault.NotSent || kind == fault.Throttled || kind == fault.Quota
}

// sparingOutcome is sparing of an attempt's outcome.
func sparingOutcome(outcome string) bool {
	for _, kind := range []fault.Kind{fault.Fatal, fault.NotSent, fault.Throttled, fault.Quota} {
		if outcome == kind.String() {
			return true
		}
	}
	return false
}

// checkTruth holds a text's last state against what Twilio has of it.
func (s *schedule) checkTruth(r ledger.Record) {
	name := nameOf(r.MessageSid)
	hasTwins := len(s.twinsOf(r)) > 1
	for _, a := range r.Attempts {
		s.checkAttempt(r, a, hasTwins)
	}
	taken, told := 0, false
	for _, m := range s.messages {
		if m.post.ref.RelayID != r.MessageSid {
			continue
		}
		taken++
		if m.denied && r.State.Final() {
			// A receipt that came after the end of a text changes nothing any more.
			continue
		}
		told = told || slices.Contains(m.heard, sms.StatusDelivered) && !s.wasTakenForTwins(m)
	}
	if told && r.State != ledger.Delivered {
		s.violated("%s is %s (%s), though a receipt said that it was delivered", name, r.State, r.Reason)
	}
	switch r.State {
	case ledger.Sent, ledger.Delivered, ledger.Undelivered:
		if taken == 0 && !hasTwins {
			s.violated("%s is %s, and Twilio does not have it", name, r.State)
		}
	case ledger.Failed, ledger.Dropped, ledger.Dead:
		s.checkUnsent(r)
	case ledger.Queued, ledger.Sending, ledger.Uncertain:
	}
}

// checkAttempt holds an attempt that is said to be accepted against Twilio's message.
func (s *schedule) checkAttempt(r ledger.Record, a ledger.Attempt, hasTwins bool) {
	if !a.Accepted() {
		return
	}
	i := slices.IndexFunc(s.messages, func(m *message) bool { return m.sid == a.OutboundSid })
	if i < 0 {
		s.violated("attempt %d of %s has a message that Twilio does not have", a.Number, nameOf(r.MessageSid))
		return
	}
	taken := s.messages[i].post
	isOwn := taken.ref.RelayID == r.MessageSid
	if isOwn && taken.ref.Attempt == a.Number || taken.late {
		return
	}
	if a.Found && hasTwins && !s.truly() {
		// Only their times tell texts of the same words apart, and those were wrong.
		return
	}
	// One that was found among others of the same words may be another's, but then Twilio has this one's, too.
	hasOwn := slices.ContainsFunc(s.messages,
		func(m *message) bool { return m.post.ref.RelayID == r.MessageSid && m.post.ref.Attempt == a.Number })
	if mayBeMixed := a.Found && (hasTwins || s.OnUncertain == route.Resend); !mayBeMixed || !hasOwn {
		s.violated("attempt %d of %s has %s, which is of attempt %d of %s", a.Number, nameOf(r.MessageSid), nameOf(a.OutboundSid),
			taken.ref.Attempt, nameOf(taken.ref.RelayID))
	}
}

// checkUnsent holds a text that is said not to be sent against Twilio's messages: none of them may still be delivered.
func (s *schedule) checkUnsent(r ledger.Record) {
	for _, m := range s.messages {
		if m.post.ref.RelayID != r.MessageSid || m.post.late || m.final.Lost() || m.denied || s.wasTakenForTwins(m) {
			continue
		}
		if len(m.heard) > 0 || m.post.answered && !m.post.disturbed {
			s.violated("%s is %s (%s), and Twilio has %s of it, which is %s", nameOf(r.MessageSid), r.State, r.Reason,
				nameOf(m.sid), m.status(time.Now()))
		}
	}
}

// wasTakenForTwins reports whether a text of the same words is said to have got the message: a look took it for that text's, and one
// that was lost for this text's. Each is right about how often the phone has the words.
func (s *schedule) wasTakenForTwins(m *message) bool {
	return slices.ContainsFunc(s.changes, func(c change) bool {
		isFound := func(a ledger.Attempt) bool { return a.Found && a.OutboundSid == m.sid }
		state := s.current[c.record.MessageSid].State
		return c.record.MessageSid != m.post.ref.RelayID && slices.ContainsFunc(c.record.Attempts, isFound) &&
			(state == ledger.Sent || state == ledger.Delivered)
	})
}

// checkTwins counts: of texts of the same words no more may be said to be accepted than Twilio has messages of them.
func (s *schedule) checkTwins() {
	if !s.truly() {
		return
	}
	type words struct {
		to   sms.PhoneNumber
		body string
	}
	accepted, taken := map[words]int{}, map[words]int{}
	for _, r := range s.current {
		for _, a := range r.Attempts {
			if a.Accepted() {
				accepted[words{a.To, wordsOf(r, a)}]++
			}
		}
	}
	uncounted := map[words]bool{}
	for _, m := range s.messages {
		w := words{m.post.out.To, m.post.out.Body}
		taken[w]++
		// A message that was made when its claim was over is looked for at the wrong time, and may be found for another text.
		uncounted[w] = uncounted[w] || m.denied || m.post.late
	}
	for w, n := range accepted {
		if n > taken[w] && !uncounted[w] {
			s.violated("%d attempts of the same words are said to be accepted, and Twilio took %d", n, taken[w])
		}
	}
}

// checkOrder holds the order in which Twilio took the texts of each conversation against the order in which they came.
func (s *schedule) checkOrder() {
	first := map[string]int{}
	strayed := map[string]bool{}
	for i, p := range s.posts {
		sid := p.ref.RelayID
		// A sender that paused with its POST in hand, or a text that is sent again because nobody knew, may come late.
		strayed[sid] = strayed[sid] || p.late || s.isAfterDoubt(sid) || s.isOfLaterPhone(p) || len(s.revivals[sid]) > 0 ||
			(!p.answered && s.OnUncertain == route.Resend)
		if _, ok := first[sid]; !ok && p.message != nil {
			first[sid] = i
		}
	}
	order := s.withParts(s.withRings(s.order))
	for i, later := range order {
		for _, earlier := range order[:i] {
			a, aOK := first[earlier]
			b, bOK := first[later]
			isSame := s.author(earlier) == s.author(later) && s.current[earlier].Customer == s.current[later].Customer &&
				!s.areForOthers(earlier, later)
			if aOK && bOK && a > b && isSame && !strayed[earlier] && !strayed[later] &&
				!strayed[firstOf(earlier)] && !strayed[firstOf(later)] {
				s.violated("%s reached Twilio before %s, which came before it", nameOf(later), nameOf(earlier))
			}
		}
	}
}

// author returns who wrote a text, and to which number: what a phone writes in several threads has no order.
func (s *schedule) author(sid string) pair {
	if w := s.writingOf(sid); w != nil {
		return pair{w.to, w.by.phone}
	}
	return pair{twilioNumber, s.current[sid].Customer}
}

// pair is a number of the business and a phone.
type pair struct{ from, to sms.PhoneNumber }

// checkBookings holds the moments that were given away against the pace limits. When a clock jumps, they come at another time than
// they were booked for; and for one who paused between a look at the clock and the booking, the clocks of the others were ahead.
func (s *schedule) checkBookings() {
	if !s.truly() || s.bookedStale {
		return
	}
	byPair, byNumber := map[pair][]time.Time{}, map[sms.PhoneNumber][]time.Time{}
	for _, b := range s.bookings {
		way := pair{b.from, b.to}
		byPair[way], byNumber[b.from] = append(byPair[way], b.at), append(byNumber[b.from], b.at)
	}
	for way, moments := range byPair {
		// One more than N may go when the first of them is Per ago.
		s.checkSpans(string(way.to), moments, s.Pair, func(int) time.Duration { return s.Pair.Per })
	}
	for from, moments := range byNumber {
		if !s.Pair.Off() {
			// The number does not wait for a text that its phone holds up, so that moments of several phones may meet.
			continue
		}
		s.checkSpans("all phones from "+string(from), moments, s.Number, func(more int) time.Duration {
			return time.Duration(more) * s.Number.Per / time.Duration(s.Number.N)
		})
	}
}

// checkSpans holds all moments, in the order in which they were booked, against the least time between the first and the last of
// so many more than N.
func (s *schedule) checkSpans(whose string, moments []time.Time, l pace.Limit, least func(more int) time.Duration) {
	if l.Off() {
		return
	}
	for i, from := range moments {
		for j := i + l.N; j < len(moments); j++ {
			if want := least(j - i - l.N + 1); moments[j].Sub(from) < want {
				s.violated("%d moments of %s were booked within %v, and %v are allowed", j-i+1, whose, moments[j].Sub(from), l)
				return
			}
		}
	}
}

// checkWindows holds the POSTs themselves against the pace limits. It is for schedules in which nobody is held up between
// the moment that was booked and the POST.
func (s *schedule) checkWindows() {
	byPair, byNumber := map[pair][]time.Time{}, map[sms.PhoneNumber][]time.Time{}
	for _, p := range s.posts {
		if p.reached {
			way := pair{p.out.From, p.out.To}
			byPair[way], byNumber[way.from] = append(byPair[way], p.at), append(byNumber[way.from], p.at)
		}
	}
	for way, moments := range byPair {
		if n := most(moments, s.Pair); n > s.Pair.N {
			s.violated("%d POSTs went to %s within %v, and %d are allowed", n, string(way.to), s.Pair.Per, s.Pair.N)
		}
	}
	for from, moments := range byNumber {
		// N segments of a number may go at once, and N more in the time Per.
		if n := most(moments, s.Number); n > 2*s.Number.N {
			s.violated("%d POSTs went out from %s within %v, and the number sends %v", n, string(from), s.Number.Per, s.Number)
		}
	}
}

// most returns how many of the moments lie within a span of the limit's, and grace less.
func most(moments []time.Time, l pace.Limit) int {
	if l.Off() {
		return 0
	}
	const grace = 6 * time.Second
	n := 0
	for i, from := range moments {
		within := 0
		for _, at := range moments[i:] {
			if at.Sub(from) < l.Per-grace {
				within++
			}
		}
		n = max(n, within)
	}
	return n
}
