package simulation_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// How often the owner is told about one wait and how many timeouts lie between, and for how long a command can be taken back, said here
// once more.
const (
	maxOwnerTold = 3
	ownerRest    = 4
	undoTime     = time.Hour
)

// crewNames are the names of the phones, where they have any.
var crewNames = []string{"Ann", "Bo", "Cy", "Dee"}

// beOwned gives the phones names, by which people give customers to each other, and has an owner told of whom nobody answers. It is drawn
// last, so that the schedules without it stay what they were.
func (s *scenario) beOwned(draw *rapid.T) {
	if s.AnswerTimeout == 0 || rapid.IntRange(0, 2).Draw(draw, "owned") == 0 {
		return
	}
	s.Owner, s.Named = rapid.SampledFrom([]int{0, 1, 2, 4, 4}).Draw(draw, "owner"), rapid.IntRange(0, 2).Draw(draw, "named") > 0
}

// crew sets the names of the phones, and the owner: the phone of that number from 1, or nobody.
func (s scenario) crew(r *route.Route) {
	if s.Named {
		for n, name := range crewNames {
			r.Phones = append(r.Phones, route.Phone{Name: name, Number: phone(n)})
		}
	}
	if s.Owner > 0 {
		r.Owner = string(phone(s.Owner - 1))
	}
}

// hasDuty reports whether the phone may have a customer by that route: it is a hop, or the owner's.
func (w wayAt) hasDuty(phone sms.PhoneNumber) bool {
	return slices.Contains(w.Hops(), phone) || w.OwnerPhone() == phone
}

// commanding is how many in a thousand of the texts that people read they answer with a command.
func (s *schedule) commanding() int {
	if s.Named {
		return 400
	}
	return 150
}

// give lets a person give a customer to another one, or take that back.
func (s *schedule) give(p *person, in arrived) {
	way := s.ways[len(s.ways)-1]
	to := one(s.chance, append(way.Hops(), phone(3))...)
	body := "/give " + string(p.tagOf(in)) + " " + one(s.chance, way.NameOf(to), strings.ToLower(way.NameOf(to)), way.NameOf(to), "Eve")
	if s.chance.odds(250) {
		body = "/undo"
	}
	if s.sends(&writing{by: p, to: in.via, body: body}) && body != "/undo" && s.chance.odds(250) {
		s.soon(s.while(), func() { s.sends(&writing{by: p, to: in.via, body: "/undo"}) })
	}
}

// giver returns the phone that gave a customer away, or took that back, with the text that the claim is of; empty if it did neither.
func (s *schedule) giver(k conversation.Claim) (by sms.PhoneNumber, isUndo bool) {
	w := s.writingOf(k.MessageSid)
	if w == nil {
		return "", false
	}
	isUndo = w.body == "/undo"
	if !isUndo && !strings.HasPrefix(w.body, "/give ") {
		return "", false
	}
	return w.by.phone, isUndo
}

// mayPass reports whether a customer may go from the phone that has him to another one: that phone gives him away, or the one that gave him
// to that phone takes that back within the hour, and it has done nothing since.
func (s *schedule) mayPass(was, is conversation.Claim) bool {
	if g, isOrder := s.givings[s.ordered[is.MessageSid]]; isOrder {
		return g.from == was.Phone && g.to == is.Phone
	}
	by, isUndo := s.giver(is)
	if by == "" || !isUndo {
		return by != "" && by == was.Phone
	}
	giver, isTakenBack := s.giver(was)
	return giver == by && by == is.Phone && !isTakenBack && was.ActedAt.Equal(was.Since) && is.Since.Sub(was.Since) <= undoTime+seenSkew
}

// checkOwner holds a stage that is the owner's against those before it.
func (s *schedule) checkOwner(before, c conversation.Conversation, now time.Time) {
	if c.Spell.Step == before.Spell.Step || c.Spell.Stage != conversation.StageOwner {
		return
	}
	name, told := nameOf(c.Spell.MessageSid), 1
	for _, earlier := range s.states[c.Customer] {
		w := earlier.Spell
		isSame := w.MessageSid == c.Spell.MessageSid && w.Before == c.Spell.Before && w.Stage == conversation.StageOwner && w.Step < c.Spell.Step
		if isSame && w.OwnerTold == told {
			told++
		}
	}
	switch due := before.Spell.DueAt; {
	case told > maxOwnerTold:
		s.violated("the owner is told of %s %d times", name, told)
	case !s.truly():
	case now.Before(due):
		s.violated("the owner is told of %s %v early", name, due.Sub(now))
	case told < maxOwnerTold && s.Owner > 0 && !c.Spell.DueAt.IsZero() && c.Spell.DueAt.Sub(due) < ownerRest*s.AnswerTimeout:
		s.violated("the owner is told of %s again %v later", name, c.Spell.DueAt.Sub(due))
	}
}

// isOwners reports whether the text goes out again in a stage of the owner's.
func (s *schedule) isOwners(r ledger.Record) bool {
	return slices.ContainsFunc(s.states[r.Customer], func(c state) bool {
		return c.Spell.MessageSid == r.ParentSid && c.Spell.Step == r.Step() && c.Spell.Stage == conversation.StageOwner
	})
}

// checkGiven holds a text that goes to whom a customer was given to against who has him: no other phone, unless that was written while the
// claim was.
func (s *schedule) checkGiven(p *post, r ledger.Record, name string) {
	claimed := s.attemptOf(p).StartedAt
	var known []conversation.Claim // those that the sender may have known.
	for _, c := range s.states[r.Customer] {
		if c.at.Before(claimed.Add(-claimLength)) {
			known = nil
		}
		known = append(known, c.Claim)
	}
	isAnothers := func(k conversation.Claim) bool {
		isHeld := k.Phone != "" && k.EndedAt.IsZero() && claimed.Sub(k.ActedAt) < claimAge && s.wasThere(k.Phone, k.ActedAt)
		return isHeld && k.Phone != p.out.To
	}
	if !slices.ContainsFunc(known, func(k conversation.Claim) bool { return !isAnothers(k) }) && len(known) > 0 && s.truly() {
		s.violated("%s goes to %s, and %s has the customer", name, string(p.out.To), string(known[0].Phone))
	}
}
