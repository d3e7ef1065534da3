package conversation

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Spell is the part of a conversation that begins with a customer's first unanswered text. It is open until somebody has seen to its
// newest text, see [Conversation.IsOpen].
type Spell struct {
	// MessageSid is the text that it began with, and its name. BeganAt is when Twilio took that text for a phone.
	MessageSid string
	BeganAt    time.Time
	// NewestSid is its newest text, NewestAt when Twilio took that. Texts counts them.
	NewestSid string
	NewestAt  time.Time
	Texts     int
	// Phones were sent a text of it.
	Phones []sms.PhoneNumber `json:",omitempty"`
	// Step counts the stages that have begun in the conversation, those of earlier spells too: a text may begin two spells, if an operator
	// has it sent again. Before is how many those are. Stage is the last of this spell, StagePhones are the phones that it texts.
	Step        int               `json:",omitempty"`
	Before      int               `json:",omitempty"`
	Stage       Stage             `json:",omitempty"`
	StagePhones []sms.PhoneNumber `json:",omitempty"`
	// DueAt is when the next stage begins if nobody has seen to the conversation by then; zero if there is no next stage.
	DueAt time.Time `json:",omitzero"`
	// OwnerTold counts the stages that were the owner's, UnansweredAt is when the first of them began: nobody else was left.
	OwnerTold    int       `json:",omitempty"`
	UnansweredAt time.Time `json:",omitzero"`
}

// Stage is whom a text goes out to again that nobody has answered in time.
type Stage string

// The stages, in their order.
const (
	// StageNext is the next phone of the route, StageAll all its phones that had nothing yet, StageOwner the owner.
	StageNext  Stage = "next"
	StageAll   Stage = "all"
	StageOwner Stage = "owner"
)

const (
	// maxOwnerTold is how often the owner is told about one spell, ownerRest how many timeouts there are between two times.
	maxOwnerTold = 3
	ownerRest    = 4
)

// Seen is the last time that somebody saw to a conversation. What Twilio took for a phone before it is seen to.
type Seen struct {
	At  time.Time
	How Seeing
	// Phone did it, or the operator By; both are empty if the customer opted out. MessageSid is the text with which it was done, if any.
	Phone      sms.PhoneNumber `json:",omitempty"`
	By         string          `json:",omitempty"`
	MessageSid string          `json:",omitempty"`
}

// Seeing is how somebody saw to a conversation.
type Seeing string

// The ways to see to a conversation.
const (
	// SeenAnswered: a phone wrote to the customer, or an operator did. SeenReacted: a phone reacted to a text of the customer.
	SeenAnswered Seeing = "answered"
	SeenReacted  Seeing = "reacted"
	// SeenDone: a phone or an operator said that nothing more is to be done. SeenOptedOut: the customer wants no more texts.
	// SeenBlocked: somebody wants no more texts of him.
	SeenDone     Seeing = "done"
	SeenOptedOut Seeing = "opted_out"
	SeenBlocked  Seeing = "blocked"
)

// Taken is a customer's text that Twilio has taken for a phone, or that reached nobody.
type Taken struct {
	MessageSid string
	// At is when Twilio took it first, Phones are those for which it did.
	At     time.Time
	Phones []sms.PhoneNumber
	// IsLost is set if no phone can have it any more.
	IsLost bool
}

// IsOpen reports whether the customer waits: nobody has seen to his newest text. The clocks of who took the text and of who saw to it
// may differ, and what comes within seconds of a text is hardly about it.
func (c Conversation) IsOpen() bool {
	return c.Spell.MessageSid != "" && c.Spell.NewestAt.After(c.Seen.At.Add(-skew))
}

// WaitsSince is since when the customer waits for an answer, or for a text that is held to go to a phone; zero if he does not.
func (c Conversation) WaitsSince() time.Time {
	since := c.Closed.Since
	if c.IsOpen() && (since.IsZero() || c.Spell.BeganAt.Before(since)) {
		since = c.Spell.BeganAt
	}
	return since
}

// Await returns c after Twilio has taken a text of the customer: he waits from then on. timeout is how long until the text goes out
// again, 0 for never. changed is false if there is nothing to note: the text was noted before, or seen to before it could be.
func (c Conversation) Await(t Taken, timeout time.Duration, now time.Time) (awaiting Conversation, changed bool) {
	s := c.Spell
	switch {
	case t.MessageSid == s.NewestSid, !t.At.After(s.NewestAt):
		if !c.IsOpen() {
			return c, false
		}
		s.Phones = union(s.Phones, t.Phones)
		changed = len(s.Phones) > len(c.Spell.Phones)
		c.Spell = s
		return c, changed
	case !t.At.After(c.Seen.At.Add(-skew)):
		return c, false
	case !c.IsOpen():
		s = Spell{MessageSid: t.MessageSid, BeganAt: stamp(t.At), Step: s.Step, Before: s.Step}
	}
	s.NewestSid, s.NewestAt, s.Texts, s.Phones = t.MessageSid, stamp(t.At), s.Texts+1, union(s.Phones, t.Phones)
	if timeout > 0 && s.Stage == "" {
		if s.DueAt.IsZero() {
			s.DueAt = s.NewestAt.Add(timeout)
		}
		if t.IsLost {
			s.DueAt = stamp(now)
		}
	}
	c.Spell = s
	return c, true
}

// See returns c after somebody has seen to it. changed is false if what is noted is as late.
func (c Conversation) See(s Seen) (seen Conversation, changed bool) {
	isOperators := s.How == SeenDone && s.By != "" // who sees the conversation as it is.
	return c.see(s, s.How.isFinal() || isOperators)
}

// Reply is See after an operator has written to the customer, and had seen that text of his; an empty one is not known.
func (c Conversation) Reply(s Seen, seenSid string) (seen Conversation, changed bool) {
	s.How = SeenAnswered
	return c.see(s, seenSid != "" && seenSid == c.Spell.NewestSid)
}

// see notes that somebody has seen to the conversation. isAll: the customer's texts are over, or all are seen, whenever Twilio took the
// last one.
func (c Conversation) see(s Seen, isAll bool) (seen Conversation, changed bool) {
	s.At = stamp(s.At)
	if isAll && !s.At.After(c.Spell.NewestAt.Add(skew)) {
		s.At = c.Spell.NewestAt.Add(skew + time.Millisecond)
	}
	if !s.At.After(c.Seen.At) {
		return c, false
	}
	c.Seen = s
	return c, true
}

func (s Seeing) isFinal() bool { return s == SeenOptedOut || s == SeenBlocked }

// Rota is who can be texted at a moment.
type Rota struct {
	// Phones are those of the route, in the order in which they are tried. Owner is the owner's, empty if he cannot be texted.
	Phones []sms.PhoneNumber
	Owner  sms.PhoneNumber
	// OwnerIsOff: the owner is off duty, and is only told what nobody else takes care of.
	OwnerIsOff bool
	// Rings: all phones get a text at the same time, at first too.
	Rings bool
}

// Has reports whether the phone can have a customer.
func (r Rota) Has(phone sms.PhoneNumber) bool {
	return !r.OwnerIsOff && sms.Same(r.Owner, phone) || contains(r.Phones, phone)
}

// Wants reports whether what goes out again in the stage with that number, of the spell of that name, is still to: the customer waits, and
// no other phone than to has the conversation.
func (c Conversation) Wants(spell string, step int, claimer, to sms.PhoneNumber) bool {
	return c.IsOpen() && c.Spell.MessageSid == spell && step > c.Spell.Before && (claimer == "" || sms.Same(claimer, to))
}

// Awaits reports whether the stage with that number of the spell is still to begin, or is the last that has begun.
func (c Conversation) Awaits(spell string, step int) bool {
	isNow := c.Spell.Step == step || c.Spell.Step == step-1 && !c.Spell.DueAt.IsZero()
	return c.IsOpen() && c.Spell.MessageSid == spell && step > c.Spell.Before && isNow
}

// Escalate returns c with the spell's next stage: the next phone that had nothing of it, then all of those, then the owner. If a text goes
// to all phones at the same time at first, the stages begin with all of those. If nobody is left for a stage, the next one begins at once.
// Whoever has the conversation has it no longer.
func (c Conversation) Escalate(r Rota, timeout time.Duration, now time.Time) Conversation {
	s := c.Spell
	fresh := slices.DeleteFunc(slices.Clone(r.Phones), func(p sms.PhoneNumber) bool { return contains(s.Phones, p) })
	s.Step, s.DueAt = s.Step+1, stamp(now.Add(timeout))
	switch {
	case s.Stage == "" && len(fresh) > 0 && !r.Rings:
		s.Stage, s.StagePhones = StageNext, fresh[:1]
	case s.Stage != StageAll && s.Stage != StageOwner && len(fresh) > 0:
		s.Stage, s.StagePhones = StageAll, fresh
	default:
		s.Stage, s.StagePhones, s.OwnerTold = StageOwner, nil, s.OwnerTold+1
		if r.Owner != "" {
			s.StagePhones = []sms.PhoneNumber{r.Owner}
		}
		if s.UnansweredAt.IsZero() {
			s.UnansweredAt = stamp(now)
		}
		s.DueAt = stamp(now.Add(ownerRest * timeout))
		if s.OwnerTold == maxOwnerTold || r.Owner == "" {
			s.DueAt = time.Time{}
		}
	}
	s.Phones = union(s.Phones, s.StagePhones)
	c.Spell = s
	c.Claim = c.Claim.ended(now)
	return c
}

// Equal reports whether both are the same, with times compared as moments.
func (s Spell) Equal(t Spell) bool {
	return s.MessageSid == t.MessageSid && s.BeganAt.Equal(t.BeganAt) && s.NewestSid == t.NewestSid && s.NewestAt.Equal(t.NewestAt) &&
		s.Texts == t.Texts && slices.Equal(s.Phones, t.Phones) && s.Step == t.Step && s.Before == t.Before && s.Stage == t.Stage &&
		slices.Equal(s.StagePhones, t.StagePhones) && s.DueAt.Equal(t.DueAt) && s.OwnerTold == t.OwnerTold &&
		s.UnansweredAt.Equal(t.UnansweredAt)
}

// Equal reports whether both are the same, with times compared as moments.
func (s Seen) Equal(t Seen) bool {
	return s.At.Equal(t.At) && s.How == t.How && s.Phone == t.Phone && s.By == t.By && s.MessageSid == t.MessageSid
}

// stamp returns t as it is kept: UTC, to the millisecond.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Rest returns c without a next stage.
func (c Conversation) Rest() Conversation {
	c.Spell.DueAt = time.Time{}
	return c
}

// union returns all phones of both, those of a first.
func union(a, b []sms.PhoneNumber) []sms.PhoneNumber {
	all := slices.Clone(a)
	for _, phone := range b {
		if !contains(all, phone) {
			all = append(all, phone)
		}
	}
	return all
}

func contains(phones []sms.PhoneNumber, phone sms.PhoneNumber) bool {
	return slices.ContainsFunc(phones, func(p sms.PhoneNumber) bool { return sms.Same(p, phone) })
}
