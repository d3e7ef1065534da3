package conversation

import (
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Answer is a text of a phone on duty, and all that decides whom it is for.
type Answer struct {
	// Body are its words, NumMedia counts its pictures and other media.
	Body     string
	NumMedia int
	// ReceivedAt is when the front door took it, DecidedAt is now. They are apart after a delay or an outage.
	ReceivedAt, DecidedAt time.Time
	// View is the phone's at the number that it wrote to, as it is now. Elsewhere are its exchanges at the other numbers of the route: a
	// tag addresses those, too.
	View      View
	Elsewhere []Exchange
	// Window is for how long a conversation is in play, zero for [DefaultAnswerWindow].
	Window time.Duration
	// HasLeft is set if the phone is in no route of the number any more: it can answer what it was sent, with tags only.
	HasLeft bool
	// IsAutomatic is set if the phone wrote the text by itself, unless it begins with a tag.
	IsAutomatic bool
}

// Verdict is what becomes of an answer.
type Verdict int

const (
	// Ask holds the words and asks the phone whom they are for. It is the zero value, the most careful one.
	Ask Verdict = iota
	// Send passes the words on to the customer.
	Send
	// Join holds the words with those that the phone was asked about already.
	Join
	// Tell tells the phone whose tag it sent, and sends nothing to the customer.
	Tell
	// Release does as Tell, and sends the held words to the customer.
	Release
	// Refuse drops the words, and the phone is told: it is not on duty any more, and they have no valid tag; or they begin like what
	// the relay writes to phones.
	Refuse
	// Ignore drops the words: the phone wrote them by itself.
	Ignore
)

// Addressed is the decision about an answer.
type Addressed struct {
	Verdict Verdict
	// To is the conversation, with Send, Tell and Release.
	To Exchange
	// Words are what the customer gets, with Send: the body without the tag, or the header of ours, that it begins with.
	Words string
	// Named are the conversations that the question names, with Ask: the newest first, three at most.
	Named []Exchange
	// EndsHeld is set if words are held that this text ends: the phone is told that they were not sent.
	EndsHeld bool
}

const (
	// maxNamed is how many conversations a question names.
	maxNamed = 3
	// decidedLate is how long after it came in an answer is decided about by what was in play both then and now.
	decidedLate = 2 * time.Minute
)

// Address decides whom an answer is for. Where there is doubt, it is for nobody, and the phone is asked: an answer to the wrong
// person cannot be taken back. Without a tag it is sent only if a single conversation is in play on the phone, or if it is a further
// part of what the phone has just written.
func (a Answer) Address() Addressed {
	tag, words, isTagged := Leading(a.Body)
	elsewhere := View{Exchanges: a.Elsewhere}
	to, isKnown := a.View.ByTag(tag, a.ReceivedAt)
	if !isKnown {
		to, isKnown = elsewhere.ByTag(tag, a.ReceivedAt)
	}
	isKnown = isKnown && tag.IsValid()
	if isKnown {
		words = to.withoutHeader(words)
	}
	if looksInternal(words) || a.View.quotesHeader(words) || elsewhere.quotesHeader(words) {
		return Addressed{Verdict: Refuse, EndsHeld: !a.View.Held.IsZero()}
	}
	isLone := strings.TrimSpace(words) == "" && a.NumMedia == 0
	switch {
	case isTagged && isKnown && isLone:
		return a.lone(to)
	case isTagged && isKnown:
		return Addressed{Verdict: Send, To: to, Words: words, EndsHeld: !a.View.Held.IsZero()}
	case a.HasLeft:
		return Addressed{Verdict: Refuse, EndsHeld: !a.View.Held.IsZero()}
	case isTagged:
		return a.ask()
	case a.IsAutomatic:
		return Addressed{Verdict: Ignore}
	case a.joins():
		return Addressed{Verdict: Join}
	}
	if to, ok := a.untagged(); ok {
		return Addressed{Verdict: Send, To: to, Words: a.Body, EndsHeld: !a.View.Held.IsZero()}
	}
	return a.ask()
}

// lone decides about a tag without words. It sends the held words if it answers the question about them: the question was sent before,
// named the tag, and is the only one that the person can have read.
func (a Answer) lone(to Exchange) Addressed {
	held := a.View.Held
	isNamed := slices.Contains(held.Named, to.Tag)
	switch {
	case held.IsZero() || !isNamed:
		return Addressed{Verdict: Tell, To: to, EndsHeld: !held.IsZero()}
	case held.AskedAt.IsZero(), a.ReceivedAt.Before(held.AskedAt):
		return Addressed{Verdict: Tell, To: to}
	case held.Replaces && a.ReceivedAt.Sub(held.AskedAt) < readingTime:
		return Addressed{Verdict: Tell, To: to}
	}
	return Addressed{Verdict: Release, To: to}
}

// joins reports whether the text is a further part of the words that are held: it came within a minute, and nothing new was sent to
// the phone since shortly before them.
func (a Answer) joins() bool {
	held := a.View.Held
	isNew := func(e Exchange) bool { return !e.SentAt.Before(held.LastAt.Add(-bubbleLead - skew)) }
	since := a.ReceivedAt.Sub(held.LastAt)
	return !held.IsZero() && since <= bubbleTime && since >= -skew && !slices.ContainsFunc(a.View.Exchanges, isNew)
}

// untagged returns the conversation that a text without a tag is for.
func (a Answer) untagged() (Exchange, bool) {
	to, ok := a.candidate()
	if !ok || a.View.wroteElsewhere(to, a.ReceivedAt) {
		return Exchange{}, false
	}
	return to, true
}

// candidate returns the conversation that a text without a tag is for, unless it belongs to the text before it.
func (a Answer) candidate() (Exchange, bool) {
	if a.View.Owner != "" {
		return a.View.owned(a.ReceivedAt)
	}
	window := a.Window
	if window == 0 {
		window = DefaultAnswerWindow
	}
	isLate := a.DecidedAt.Sub(a.ReceivedAt) > decidedLate
	inPlay := a.View.InPlay(a.ReceivedAt, window)
	if len(inPlay) == 1 && !isLate {
		return inPlay[0], inPlay[0].isAnswerable()
	}
	if isLate {
		now := a.View.InPlay(a.DecidedAt, window)
		if len(inPlay) == 1 && len(now) == 1 && sms.Same(inPlay[0].Customer, now[0].Customer) {
			return now[0], now[0].isAnswerable()
		}
		return Exchange{}, false
	}
	return a.View.furtherBubble(a.ReceivedAt)
}

// ask holds the words.
func (a Answer) ask() Addressed {
	named := slices.DeleteFunc(slices.Clone(a.View.Exchanges), func(e Exchange) bool {
		return e.Tag == "" || !e.isAddressable(a.ReceivedAt)
	})
	newestFirst(named)
	return Addressed{Named: named[:min(len(named), maxNamed)], EndsHeld: !a.View.Held.IsZero()}
}
