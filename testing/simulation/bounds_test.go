package simulation_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// What goes back and forth between a customer and a phone, and what a phone is told: so many at once, and one more after each interval.
// They are said here once more, so that they are not held against themselves.
const (
	maxExchanged     = 40
	exchangeInterval = 3 * time.Minute
	maxTold          = 12
	toldInterval     = 5 * time.Minute
	// claimTime is how long after it took its place a text is claimed at most.
	claimTime = 5 * time.Second
)

// chatter is how much a customer and a phone write each other, as fast as machines.
type chatter struct{ Texts, Answers int }

// beChattering has a customer and those on duty write each other more than may go.
func (s *scenario) beChattering(draw *rapid.T) {
	many := rapid.SampledFrom([]int{0, 14, 44, 48})
	s.Chatter = chatter{many.Draw(draw, "chatter"), many.Draw(draw, "answers to it")}
	for range s.Chatter.Texts {
		s.Texts = append(s.Texts, text{Body: len(s.Texts)})
	}
	s.Steps += 40 * (s.Chatter.Texts + s.Chatter.Answers)
}

// chat lets whoever has the phone answer again and again.
func (s *schedule) chat(p *person, in arrived) {
	if s.isChatting {
		return
	}
	s.isChatting = true
	after := time.Duration(0)
	for range s.Chatter.Answers {
		after += one(s.chance, time.Second, 2*time.Second, 5*time.Second, 20*time.Second)
		s.soon(after, func() { s.answer(p, in, false) })
	}
}

// exchange is a customer and a phone.
type exchange struct{ customer, phone sms.PhoneNumber }

// checkBounds holds what went between each customer and each phone, and between each customer and all, against the bounds. A text counts
// once for each phone, when it took its place: with a second part, or when it is tried again, it is the same.
func (s *schedule) checkBounds() {
	if !s.truly() {
		return
	}
	between := map[exchange][]time.Time{}
	counted := map[string]bool{}
	for _, c := range s.changes {
		r := c.record
		last, isTried := r.Current()
		who := exchange{r.Customer, last.To}
		if r.IsAnswer() {
			who.phone = r.Answer.Phone
		}
		key := r.MessageSid + " " + string(who.phone)
		if !isTried || r.Notice || r.Manual || r.SecondPart || counted[key] {
			continue
		}
		counted[key] = true
		between[who] = append(between[who], s.placeOf(r, last))
	}
	// A customer who is given a thread starts again there.
	numbers := 1 + s.Threads
	for who, at := range between {
		// An answer that was decided about takes its place, though another text was quicker.
		if n, span := beyond(at, (maxExchanged+1)*numbers, exchangeInterval/time.Duration(numbers), claimTime); n > 0 {
			s.violated("%d texts went between %s and %s within %v", n, string(who.customer), string(who.phone), span)
		}
	}
	s.checkConversations()
}

// placeOf returns when a text that was claimed for the first time took its place: with the decision about it, if it is an answer for which
// there was room then, or else just before.
func (s *schedule) placeOf(r ledger.Record, claimed ledger.Attempt) time.Time {
	if !r.IsAnswer() || r.Answer.IsUncounted {
		return claimed.StartedAt
	}
	for _, c := range s.changes {
		if c.record.MessageSid == r.MessageSid && !c.record.IsHeld() || slices.Contains(c.record.Answer.Releases, r.MessageSid) {
			return c.record.UpdatedAt
		}
	}
	return claimed.StartedAt
}

// checkConversations holds all messages of each conversation against the bound for all phones together.
func (s *schedule) checkConversations() {
	phones, parts := map[sms.PhoneNumber]bool{}, 1
	for _, way := range s.ways {
		for _, hop := range way.AllPhones() {
			phones[hop] = true
		}
	}
	all := map[sms.PhoneNumber][]time.Time{}
	for _, m := range s.messages {
		r := s.current[m.post.ref.RelayID]
		if r.SecondPart {
			parts = 2
		}
		if !r.Notice && r.Customer != "" && !r.Manual {
			all[r.Customer] = append(all[r.Customer], m.createdAt)
		}
	}
	times := (1 + s.Threads) * (2*len(phones)*parts + 1 + parts)
	for customer, at := range all {
		if n, span := beyond(at, times*maxExchanged, exchangeInterval/time.Duration(times), 0); n > 0 {
			s.violated("%d messages of the conversation with %s within %v", n, string(customer), span)
		}
	}
}

// checkNotices holds what the phones were told against the bound.
func (s *schedule) checkNotices() {
	byPhone := map[sms.PhoneNumber][]time.Time{}
	for _, r := range s.current {
		if r.Notice && !r.IsAutoAnswer() && !strings.HasPrefix(r.Body, codeText) {
			byPhone[r.Destination] = append(byPhone[r.Destination], r.ReceivedAt)
			if s.personWith(r.Destination) == nil || !strings.HasPrefix(r.MessageSid, "NT") {
				s.violated("%s is a notice to %s", nameOf(r.MessageSid), string(r.Destination))
			}
		}
	}
	for to, at := range byPhone {
		if n, span := beyond(at, maxTold, toldInterval, time.Millisecond); n > 0 && s.truly() {
			s.violated("%s was told %d things in %v", string(to), n, span)
		}
	}
}

// beyond returns how many of the moments lie in a span that so many at once, and one more after each interval, do not allow; 0 if there is
// no such span. The moments may be off by the grace.
func beyond(at []time.Time, size int, interval, grace time.Duration) (n int, span time.Duration) {
	slices.SortFunc(at, time.Time.Compare)
	for i, from := range at {
		for j := i + size; j < len(at); j++ {
			if span = at[j].Sub(from); j-i+1 > size+int((span+grace)/interval) {
				return j - i + 1, span
			}
		}
	}
	return 0, 0
}
