package simulation_test

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
)

// more is what long texts say besides: with a header, it is too much for one message.
var more = strings.Repeat(" And is there a bell, or do we call?", 43) + " Thanks, and see you all later then"

// beLong makes, now and then, some of the texts so long that they go in two parts.
func (s *scenario) beLong(draw *rapid.T) {
	if rapid.IntRange(0, 9).Draw(draw, "long texts") < 9 {
		return
	}
	isLong := rapid.SampledFrom([]bool{true, false})
	for i := range s.Texts[:min(len(s.Texts), 6)] {
		s.Texts[i].Long = isLong.Draw(draw, "long")
	}
}

// firstOf returns the text that the second part is of.
func firstOf(sid string) string {
	first, _, _ := strings.Cut(sid, "/p")
	return first
}

// isOfLaterPhone reports whether it is the second part for a phone that got the first one after another phone: others went meanwhile.
func (s *schedule) isOfLaterPhone(p *post) bool {
	first := firstOf(p.ref.RelayID)
	if first == p.ref.RelayID {
		return false
	}
	i := slices.IndexFunc(s.posts, func(other *post) bool { return other.ref.RelayID == first && other.message != nil })
	return i >= 0 && s.posts[i].out.To != p.out.To
}

// isAfterDoubt reports whether it is the second part of a text that was given up as uncertain or dead for a while: others went meanwhile.
func (s *schedule) isAfterDoubt(sid string) bool {
	first := firstOf(sid)
	return first != sid && slices.ContainsFunc(s.changes, func(c change) bool {
		return c.record.MessageSid == first && (c.record.State == ledger.Uncertain || c.record.State == ledger.Dead)
	})
}

// checkSecond holds the POST of a second part against the first one: Twilio has taken that for the same phone.
func (s *schedule) checkSecond(p *post, r ledger.Record, name string) {
	isFirst := func(m *message) bool { return m.post.ref.RelayID == firstOf(r.MessageSid) && m.post.out.To == p.out.To }
	if r.SecondPart && !slices.ContainsFunc(s.messages, isFirst) && !s.hasTwins(firstOf(r.MessageSid)) {
		s.violated("%s was posted, and Twilio does not have the first part", name)
	}
}

func (s *schedule) hasTwins(sid string) bool { return len(s.twinsOf(s.current[sid])) > 1 }

// checkParts holds what became of second parts: each text that Twilio took and that did not fit has one, which ends as texts do.
func (s *schedule) checkParts() {
	for _, r := range s.current {
		if r.SecondPart {
			s.checkText(r)
			s.checkTruth(r)
			continue
		}
		accepted, ok := r.LastAccepted()
		isPart := func(c change) bool {
			return c.record.SecondPart && firstOf(c.record.MessageSid) == r.MessageSid && c.record.Destination == accepted.To
		}
		isOut := ok && (r.State == ledger.Sent || r.State == ledger.Delivered)
		if isOut && !accepted.Status.Lost() && plan.RestOf(r.AsSent(accepted), accepted.Header) != "" && !slices.ContainsFunc(s.changes, isPart) {
			s.violated("%s is %s, and has no second part for %s", nameOf(r.MessageSid), r.State, string(accepted.To))
		}
	}
}

// withParts returns the texts with their second parts at the first phone behind them.
func (s *schedule) withParts(order []string) []string {
	var all []string
	for _, sid := range order {
		all = append(all, sid)
		if second := sid + "/p2"; s.current[second].MessageSid != "" {
			all = append(all, second)
		}
	}
	return all
}
