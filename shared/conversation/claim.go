package conversation

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Claim says which phone has a conversation: its person sees to the customer, and the others need not.
type Claim struct {
	// Phone has, or last had, the conversation; empty if none ever had.
	Phone sms.PhoneNumber `json:",omitempty"`
	// Since is when the phone took it, with the text MessageSid. ActedAt is when it last did something about the customer.
	Since      time.Time `json:",omitzero"`
	MessageSid string    `json:",omitempty"`
	ActedAt    time.Time `json:",omitzero"`
	// EndedAt is when somebody ended it; zero if nobody did.
	EndedAt time.Time `json:",omitzero"`
}

// Act is something that a phone did about a customer.
type Act struct {
	Phone sms.PhoneNumber
	// MessageSid is the text of the phone, At when it was written.
	MessageSid string
	At         time.Time
}

// Claiming says for how long a phone has a conversation after its own last act, and who can be texted now: whoever cannot has none.
type Claiming struct {
	Time time.Duration
	Rota Rota
}

// Claimer returns the phone that has the conversation, empty if none has.
func (c Conversation) Claimer(by Claiming, now time.Time) sms.PhoneNumber {
	k := c.Claim
	if k.Phone == "" || !k.EndedAt.IsZero() || now.Sub(k.ActedAt) >= by.Time || !by.Rota.Has(k.Phone) {
		return ""
	}
	return k.Phone
}

// Act returns c after a phone did something about the customer. If no phone has the conversation, this one has it from then on; if it has,
// it keeps it for longer. changed is false if there is nothing to note: another phone was quicker, or the act is an old one.
func (c Conversation) Act(a Act, by Claiming, now time.Time) (claimed Conversation, changed bool) {
	claimer := c.Claimer(by, now)
	switch {
	case sms.Same(claimer, a.Phone) && claimer != "":
		if !a.At.After(c.Claim.ActedAt) {
			return c, false
		}
		c.Claim.ActedAt = stamp(a.At)
		return c, true
	case claimer != "", !a.At.After(c.Claim.EndedAt), now.Sub(a.At) >= by.Time, !by.Rota.Has(a.Phone):
		return c, false
	}
	c.Claim = Claim{Phone: a.Phone, Since: stamp(a.At), MessageSid: a.MessageSid, ActedAt: stamp(a.At)}
	return c, true
}

// Give returns c with the claim of another phone, which the one that acts gives it. ok is false if a third one has the conversation, or
// the act is an old one. changed is false if there is nothing to write: it was given before.
func (c Conversation) Give(a Act, to sms.PhoneNumber, by Claiming, now time.Time) (given Conversation, changed, ok bool) {
	claimer := c.Claimer(by, now)
	switch {
	case c.Claim.MessageSid == a.MessageSid:
		return c, false, true
	case claimer != "" && !sms.Same(claimer, a.Phone), !a.At.After(c.Claim.EndedAt), claimer != "" && !a.At.After(c.Claim.ActedAt):
		return c, false, false
	}
	c.Claim = Claim{Phone: to, Since: stamp(a.At), MessageSid: a.MessageSid, ActedAt: stamp(a.At)}
	return c, true, true
}

// TakeBack returns c with the claim of the phone that gave it to another one by that text. ok is false if somebody did something since.
// changed is false if it was taken back before.
func (c Conversation) TakeBack(a Act, given string) (back Conversation, changed, ok bool) {
	switch {
	case c.Claim.MessageSid == a.MessageSid:
		return c, false, true
	case c.Claim.MessageSid != given, !c.Claim.ActedAt.Equal(c.Claim.Since), !c.Claim.EndedAt.IsZero():
		return c, false, false
	}
	c.Claim = Claim{Phone: a.Phone, Since: stamp(a.At), MessageSid: a.MessageSid, ActedAt: stamp(a.At)}
	return c, true, true
}

// Postpone returns c whose next stage begins no earlier than a timeout after an act: whoever takes a customer has that long to answer.
// changed is false if it begins later anyway.
func (c Conversation) Postpone(a Act, timeout time.Duration) (postponed Conversation, changed bool) {
	due := stamp(a.At.Add(timeout))
	if timeout == 0 || !c.IsOpen() || c.Spell.DueAt.IsZero() || !due.After(c.Spell.DueAt) {
		return c, false
	}
	c.Spell.DueAt = due
	return c, true
}

// Finish returns c after somebody said that nothing more is to be done: it is seen to, and no phone has it. changed is false if that is
// noted, or if somebody did something later.
func (c Conversation) Finish(s Seen) (finished Conversation, changed bool) {
	s.How = SeenDone
	c, changed = c.See(s)
	if changed && !s.At.Before(c.Claim.ActedAt) {
		c.Claim = c.Claim.ended(s.At)
	}
	return c, changed
}

// LetGo returns c after the phone that has the conversation went off duty by that act: no phone has it, and if the customer waits, the
// next stage begins at once. ok is false if it did not have it. changed is false if there is nothing to write: it let go before.
func (c Conversation) LetGo(a Act, by Claiming) (left Conversation, changed, ok bool) {
	k := c.Claim
	switch {
	case k.Phone == "" || !sms.Same(k.Phone, a.Phone) || a.At.Sub(k.ActedAt) >= by.Time || a.At.Before(k.Since):
		return c, false, false
	case !k.EndedAt.IsZero():
		return c, false, k.EndedAt.Equal(stamp(a.At))
	}
	c.Claim = k.ended(a.At)
	if due := stamp(a.At); c.IsOpen() && due.Before(c.Spell.DueAt) {
		c.Spell.DueAt = due
	}
	return c, true, true
}

func (k Claim) ended(now time.Time) Claim {
	if k.Phone != "" && k.EndedAt.IsZero() {
		k.EndedAt = stamp(now)
	}
	return k
}

// Equal reports whether both are the same, with times compared as moments.
func (k Claim) Equal(l Claim) bool {
	return k.Phone == l.Phone && k.Since.Equal(l.Since) && k.MessageSid == l.MessageSid && k.ActedAt.Equal(l.ActedAt) &&
		k.EndedAt.Equal(l.EndedAt)
}

// Status is where a conversation is.
type Status string

// The statuses.
const (
	// StatusOpen: the customer waits, and nobody has the conversation. StatusClaimed: he waits, and somebody has it.
	StatusOpen    Status = "open"
	StatusClaimed Status = "claimed"
	// StatusAnswered: a phone or an operator has answered the customer, or reacted. StatusDone: somebody ended it otherwise.
	StatusAnswered Status = "answered"
	StatusDone     Status = "done"
)

// Status returns where the conversation is; empty if the customer never waited, as far as is known.
func (c Conversation) Status(by Claiming, now time.Time) Status {
	switch {
	case c.IsOpen() && c.Claimer(by, now) != "":
		return StatusClaimed
	case c.IsOpen():
		return StatusOpen
	case c.Seen.How == SeenAnswered, c.Seen.How == SeenReacted:
		return StatusAnswered
	case c.Seen.How != "":
		return StatusDone
	}
	return ""
}

// IsUnanswered reports whether the customer waits though all phones of the route have had their time.
func (c Conversation) IsUnanswered() bool { return c.IsOpen() && !c.Spell.UnansweredAt.IsZero() }
