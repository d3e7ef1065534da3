package simulation_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// What is kept of who waits and who has whom, said here once more, so that it is not held against itself.
const (
	claimAge    = 4 * time.Hour
	seenSkew    = 5 * time.Second
	claimLength = 5 * time.Second
)

// beImpatient has customers' texts go out again that nobody answers. It is drawn last, so that the schedules without it stay what they
// were.
func (s *scenario) beImpatient(draw *rapid.T) {
	if s.Habit == 0 || s.Chatter != (chatter{}) || rapid.IntRange(0, 2).Draw(draw, "impatient") < 2 {
		return
	}
	s.AnswerTimeout = rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Minute, time.Hour}).Draw(draw, "answer timeout")
	s.Fallbacks = max(s.Fallbacks, rapid.IntRange(0, 3).Draw(draw, "more phones"))
}

// state is a conversation as it was written at that time.
type state struct {
	conversation.Conversation

	at time.Time
}

// noteConversation holds a write of a conversation against the one before it.
func (s *schedule) noteConversation(c conversation.Conversation) {
	now := state{c, time.Now()}
	before := s.lastOf(c.Customer)
	s.states[c.Customer] = append(s.states[c.Customer], now)
	s.checkStagePhones(before.Conversation, c, now.at)
	s.checkOwner(before.Conversation, c, now.at)
	s.checkStageAtNight(before.Conversation, c, now.at)
	s.checkAutoNote(before, now)
	was := before.Claim
	isHeld := was.Phone != "" && was.EndedAt.IsZero() && now.at.Sub(was.ActedAt) < claimAge && s.wasThere(was.Phone, was.ActedAt)
	switch {
	case was.Phone != c.Claim.Phone && isHeld && s.truly() && !s.mayPass(was, c.Claim):
		s.violated("%s takes %s from %s, who has it", string(c.Claim.Phone), string(c.Customer), string(was.Phone))
	case !was.ActedAt.Equal(c.Claim.ActedAt) && !s.actedAt(c.Claim):
		s.violated("the claim of %s is prolonged to %s, when it did nothing", string(c.Claim.Phone), c.Claim.ActedAt)
	}
}

func (s *schedule) lastOf(customer sms.PhoneNumber) state {
	all := s.states[customer]
	if len(all) == 0 {
		return state{}
	}
	return all[len(all)-1]
}

// wasThere reports whether the phone was on the route all the time since then, had not opted out, and was not off.
func (s *schedule) wasThere(phone sms.PhoneNumber, since time.Time) bool {
	return s.wasOnDuty(phone, since) && !slices.ContainsFunc(s.waysSince(since), func(w wayAt) bool {
		return !w.hasDuty(phone) || w.IsOptedOut(phone) || w.isOff(phone, since) || w.isNew(phone)
	})
}

// actedAt reports whether the phone wrote something then.
func (s *schedule) actedAt(k conversation.Claim) bool {
	by := k.Phone
	if g, isOrder := s.givings[s.ordered[k.MessageSid]]; isOrder && k.ActedAt.Equal(k.Since) {
		return g.to == k.Phone
	}
	if giver, _ := s.giver(k); giver != "" && k.ActedAt.Equal(k.Since) {
		by = giver
	}
	for _, r := range s.current {
		if r.Answer.Phone == by && ledger.Stamp(r.Answer.At).Equal(k.ActedAt) {
			return true
		}
	}
	return false
}

// checkStage holds a text that goes out again against who waits: the customer does, and no other phone has him, unless that was written
// while the claim was. No phone gets it in two stages.
func (s *schedule) checkStage(p *post, r ledger.Record, name string) {
	if r.ParentSid == "" || r.SecondPart || r.IsRung() {
		return
	}
	if r.IsGiven() {
		s.checkGiven(p, r, name)
		return
	}
	claimed := s.attemptOf(p).StartedAt
	hasBegun := false
	for _, c := range s.states[r.Customer] {
		isOf := c.Spell.MessageSid == r.ParentSid && c.Spell.Before < r.Step()
		hasBegun = hasBegun || isOf && c.Spell.Step >= r.Step()
		isSeen := !isOf || !c.Spell.NewestAt.After(c.Seen.At.Add(-seenSkew))
		if hasBegun && isSeen && c.at.Before(claimed.Add(-claimLength)) && s.truly() {
			s.violated("%s goes out again, and somebody had seen to it", name)
			break
		}
	}
	if s.isOwners(r) {
		return
	}
	before := s.stagesBefore(r)
	for _, other := range s.posts {
		o := s.current[other.ref.RelayID]
		isSame := o.ParentSid == r.ParentSid && other.out.To == p.out.To && o.MessageSid != r.MessageSid
		if isSame && o.Step() > before && other != p && other.reached && !o.SecondPart && !s.isOwners(o) {
			s.violated("%s goes to %s, which had %s", name, string(p.out.To), nameOf(o.MessageSid))
		}
	}
}

// stagesBefore is how many stages there were before the wait in which the text goes out again: a text that is sent again by an operator may
// begin two.
func (s *schedule) stagesBefore(r ledger.Record) int {
	for _, c := range s.states[r.Customer] {
		if c.Spell.MessageSid == r.ParentSid && c.Spell.Step >= r.Step() && c.Spell.Before < r.Step() {
			return c.Spell.Before
		}
	}
	return 0
}

// checkWaiting holds what is left of each conversation against its texts: nobody is forgotten. All timers have come by now.
func (s *schedule) checkWaiting() {
	if s.AnswerTimeout == 0 {
		return
	}
	for n := range s.Texts {
		r, ok := s.current[s.sidOf(n+1)]
		if !ok || r.IsAnswer() || r.Manual || r.Keyword != "" || !isOut(r) || s.personWith(r.Customer) != nil {
			continue
		}
		c, err := s.conversations.Get(s.ctx, twilioNumber, r.Customer)
		switch at := outSince(r); {
		case err != nil:
			s.violated("conversation: %v", err)
		case c.Spell.NewestSid == r.MessageSid:
			// It may have been dead before it was sent after all.
		case c.Spell.NewestAt.Before(at) && c.Seen.At.Add(seenSkew).Before(at):
			s.violated("%s was sent at %s, and it is not noted that the customer waits", nameOf(r.MessageSid), at)
		}
	}
	for customer, all := range s.states {
		if c := all[len(all)-1]; c.IsOpen() && !c.IsUnanswered() {
			s.violated("%s waits, no timer is left, and nobody knows", string(customer))
		}
	}
	s.checkClaimsTold()
}

// isOut reports whether Twilio may have the text, or nobody can get it any more.
func isOut(r ledger.Record) bool {
	return slices.Contains([]ledger.State{
		ledger.Sent, ledger.Delivered, ledger.Uncertain, ledger.Undelivered, ledger.Failed, ledger.Dead,
	}, r.State)
}

// outSince is when the first message of the text, since it was last sent again, was claimed.
func outSince(r ledger.Record) time.Time {
	for _, a := range r.Attempts {
		if a.Number > r.RedrivenAfter && (a.Accepted() || a.Unknown()) {
			return a.StartedAt
		}
	}
	return time.Time{}
}

// checkClaimsTold wants each phone to be told at most once of each claim.
func (s *schedule) checkClaimsTold() {
	claims := map[string]bool{}
	for _, all := range s.states {
		for _, c := range all {
			if c.Claim.MessageSid != "" {
				claims[c.Claim.MessageSid] = true
			}
		}
	}
	told := map[sms.PhoneNumber]int{}
	for _, r := range s.current {
		who, _, isTold := strings.Cut(r.Body, " has ")
		if r.Notice && isTold && (strings.HasPrefix(who, "…") || slices.Contains(crewNames, who)) {
			told[r.Destination]++
		}
	}
	for phone, n := range told {
		if n > len(claims) {
			s.violated("%s was told %d times who has a customer, and %d took one", string(phone), n, len(claims))
		}
	}
}

// command lets a person tell the relay something about a customer.
func (s *schedule) command(p *person, in arrived) {
	if s.Named && s.chance.odds(500) {
		s.give(p, in)
		return
	}
	tag := string(p.tagOf(in))
	body := one(s.chance, "/mine "+tag, "/MINE "+tag, "/done "+tag, "/open", "/?", "/block "+tag, "/undo", "/mind "+tag)
	s.sends(&writing{by: p, to: in.via, body: body})
}
