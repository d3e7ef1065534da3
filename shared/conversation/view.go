package conversation

import (
	"slices"
	"sort"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// AddressTime is for how long a phone can address a conversation that it was sent a text of.
	AddressTime = 7 * 24 * time.Hour
	// DefaultAnswerWindow is for how long a conversation is in play on a phone by default, see [View.InPlay].
	DefaultAnswerWindow = 24 * time.Hour
	// readingTime is how long after a text was sent to a phone an answer may still be to the one before.
	readingTime = 90 * time.Second
	// pendingTime is for how long a text that a phone has not answered may be what its next answer is about.
	pendingTime = 4 * time.Hour
	// bubbleTime is how soon after the text before a further one belongs to it, and bubbleLead how long before that one nothing
	// else may have been sent to the phone.
	bubbleTime = time.Minute
	bubbleLead = 15 * time.Second
	// skew is how far apart the clocks may be that say when a text was sent and when an answer came in.
	skew = 5 * time.Second
)

// Exchange is what a phone was sent of one conversation, and what it wrote to it.
type Exchange struct {
	// Customer is empty for texts that an operator sent: nobody can answer those.
	Customer sms.PhoneNumber `json:",omitempty"`
	Tag      Tag             `json:",omitempty"`
	// Name is the customer's in the headers of the texts that were sent, empty without one. Former are the names that headers had before,
	// the newest first: a person may copy one of those texts.
	Name   string   `json:",omitempty"`
	Former []string `json:",omitempty"`
	// SentAt is when the newest text of the conversation was sent to the phone: claimed, whatever came of it. It is zero if none was sent
	// from this number, and the phone wrote here, by the tag, to a customer whose texts come from another one.
	SentAt time.Time
	// AnsweredAt is when the phone last wrote to it, zero if never.
	AnsweredAt time.Time `json:",omitzero"`
	// Texts limits what goes back and forth between the customer and the phone.
	Texts Bucket `json:",omitzero"`
}

// View is what one phone was sent from one number, and what it wrote there. A decision about an answer of the phone uses nothing else:
// what other phones were sent, its owner cannot have seen.
type View struct {
	// Exchanges has one for each conversation, in any order.
	Exchanges []Exchange `json:",omitempty"`
	// LastAt is when the phone's last text came in, LastTo the customer whom it went to, empty if it went to nobody. LastTag is the tag that
	// a text began with since one last went to somebody, valid or not; [unclearTag] if two texts came in at once for two customers.
	LastAt  time.Time       `json:",omitzero"`
	LastTo  sms.PhoneNumber `json:",omitempty"`
	LastTag Tag             `json:",omitempty"`
	// Held are the words that the phone was asked about, zero if there are none.
	Held Held `json:",omitzero"`
	// Owner is the customer who has the thread, if the number is one of a route's Threads; empty otherwise. OwnedSince is when he was
	// given it. Reassigned is set if another customer had it before, and Confirmed once the phone, asked there, has named the new one: until
	// then it may never have got his text, and show the one of before.
	Owner      sms.PhoneNumber `json:",omitempty"`
	OwnedSince time.Time       `json:",omitzero"`
	Reassigned bool            `json:",omitempty"`
	Confirmed  bool            `json:",omitempty"`
}

// Held are words of a phone when nobody knows whom they are for.
type Held struct {
	// MessageSids are the texts, the oldest first.
	MessageSids []string
	// AskedAt is when the question was sent to the phone, claimed, whatever came of it; zero if it was not yet. LastAt is when the last of
	// the texts came in.
	AskedAt, LastAt time.Time
	// Named are the tags that the question named.
	Named []Tag `json:",omitempty"`
	// Replaces is set if the phone was asked about other words shortly before, which these ended: for a while, a tag may still
	// answer that question.
	Replaces bool `json:",omitempty"`
}

// IsZero reports whether no words are held.
func (h Held) IsZero() bool { return len(h.MessageSids) == 0 }

// corrected returns v without the times that a clock wrote which was ahead: what is written down next would count as older than them. Texts
// that were sent to the phone, or that it wrote, are of now at the latest, and its last text is not known.
func (v View) corrected(now time.Time) View {
	if clock.Ahead(v.LastAt, now) {
		v.LastAt, v.LastTo, v.LastTag = time.Time{}, "", ""
	}
	isAhead := func(e Exchange) bool { return clock.Ahead(e.SentAt, now) || clock.Ahead(e.AnsweredAt, now) }
	if !slices.ContainsFunc(v.Exchanges, isAhead) {
		return v
	}
	v.Exchanges = slices.Clone(v.Exchanges)
	for i, e := range v.Exchanges {
		if clock.Ahead(e.SentAt, now) {
			v.Exchanges[i].SentAt = now.UTC()
		}
		if clock.Ahead(e.AnsweredAt, now) {
			v.Exchanges[i].AnsweredAt = now.UTC()
		}
	}
	return v
}

// ByTag returns the exchange that a tag addresses from this phone at that time.
func (v View) ByTag(tag Tag, at time.Time) (Exchange, bool) {
	i := slices.IndexFunc(v.Exchanges, func(e Exchange) bool { return e.Tag == tag && e.isAddressable(at) })
	if i < 0 {
		return Exchange{}, false
	}
	return v.Exchanges[i], true
}

func (e Exchange) isAddressable(at time.Time) bool { return at.Sub(e.SentAt) <= AddressTime+skew }

// isAnswerable reports whether the customer can be answered at all: an operator and a short code cannot.
func (e Exchange) isAnswerable() bool {
	problem, _ := e.Customer.Problem()
	return problem == ""
}

// isPast reports whether the exchange plays no part in any decision at that time, or later.
func (e Exchange) isPast(at time.Time) bool {
	isOld := func(then time.Time) bool { return at.Sub(then) > AddressTime+time.Hour }
	return isOld(e.SentAt) && isOld(e.AnsweredAt)
}

// isAnswered reports whether the phone wrote to the conversation after the newest text of it.
func (e Exchange) isAnswered() bool { return e.AnsweredAt.After(e.SentAt.Add(skew)) }

// isInPlay reports whether an answer of the phone without a tag may be for the conversation.
func (e Exchange) isInPlay(at time.Time, window time.Duration) bool {
	window += skew
	wrote := !e.AnsweredAt.IsZero() && at.Sub(e.AnsweredAt) <= window
	return wrote || at.Sub(e.SentAt) <= window || e.isAddressable(at) && !e.isAnswered()
}

// isPending reports whether the next text of the phone may be about the newest text of the conversation, though it was just writing
// to another.
func (e Exchange) isPending(at time.Time) bool {
	return at.Sub(e.SentAt) <= pendingTime+skew && e.SentAt.After(e.AnsweredAt.Add(-readingTime-skew))
}

// InPlay returns the exchanges that an answer without a tag may be for at that time: those with a text that was sent to the phone
// within the window, those that the phone wrote to within it, and those with a text of the last seven days that the phone has not
// answered. The one with the newest text is first. In a thread it is that of
// its customer alone, unless the phone is asked there.
func (v View) InPlay(at time.Time, window time.Duration) []Exchange {
	if e, ok := v.owned(at); ok {
		return []Exchange{e}
	}
	var all []Exchange
	for _, e := range v.Exchanges {
		if e.isInPlay(at, window) {
			all = append(all, e)
		}
	}
	newestFirst(all)
	return all
}

// newestFirst sorts the exchanges, the one with the newest text first, and leaves those of one moment in their order. sort.SliceStable
// has no code of its own for each type: that would be 10 kB of each function.
func newestFirst(all []Exchange) {
	sort.SliceStable(all, func(i, k int) bool { return all[i].SentAt.After(all[k].SentAt) })
}

// furtherBubble returns the exchange that a text is a further part of: the phone's last text, a minute before at most, went to it;
// nothing of another conversation was sent to the phone since shortly before that; and no other is pending.
func (v View) furtherBubble(at time.Time) (Exchange, bool) {
	if v.LastTo == "" || at.Sub(v.LastAt) > bubbleTime || at.Before(v.LastAt.Add(-skew)) {
		return Exchange{}, false
	}
	var found Exchange
	for _, e := range v.Exchanges {
		switch {
		case sms.Same(e.Customer, v.LastTo):
			found = e
		case !e.SentAt.Before(v.LastAt.Add(-bubbleLead - skew)), e.isPending(at):
			return Exchange{}, false
		}
	}
	return found, found.Customer != ""
}
