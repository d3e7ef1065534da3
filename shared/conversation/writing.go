package conversation

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// maxUntagged is how many digests of a phone's texts are kept, and untaggedAge for how long one counts.
	maxUntagged = 10
	untaggedAge = 24 * time.Hour
	// leastWords is how many words a text has that may be an automatic reply because it comes twice.
	leastWords = 4
	// maxWritten is how many texts of a phone are known again when they come twice. Those that are older than the last one by more than
	// repeatTime are taken for known once there are so many.
	maxWritten = 10
	repeatTime = 5 * time.Minute
	// replyTime is how soon after a text was sent to a phone no person answers.
	replyTime = 8 * time.Second
)

// unclearTag stands for a tag that is not known, which may be any one's.
const unclearTag Tag = "?"

// Writing is a text of a phone that was decided about, as the phone's item keeps it.
type Writing struct {
	MessageSid string
	// At is when the text came in.
	At time.Time
	// DecidedAt is when it was decided about. The phone is asked after that, see [Phone.Asked]. Now is when it is written down, which is
	// later after a crash.
	DecidedAt, Now time.Time
	Verdict        Verdict
	// Ends are the words, held until then, that it ends or releases. IsOver is set if the text's own words, that were held, are not any more.
	Ends   []string
	IsOver bool
	// To is the customer whom it went to, empty if it went to nobody. Texts is how many texts go to that customer because of it, each of
	// which takes its place in what may go back and forth. Tag is the customer's.
	To    sms.PhoneNumber
	Tag   Tag
	Texts int
	// Leading is the tag that the text begins with, valid or not; empty if there is none.
	Leading Tag
	// Named are the tags that the phone was asked about.
	Named []Tag
	// Digest is that of an untagged text, empty otherwise, see [Digest].
	Digest string
	// IsAutoReplyTold is set if the phone is told that its automatic reply was not sent on.
	IsAutoReplyTold bool
}

// Wrote returns p after the phone's text. changed is false if p knows it: a text may come twice. Texts need not be decided about in the
// order in which they came in: two front doors may stamp them, or one was missed for a while. Of one that is so old that nobody can say
// whether p knows it, nothing is kept but that the words which it ends are not held any more, and that it takes its place in what may go
// back and forth, maybe once more.
func (p Phone) Wrote(w Writing) (written Phone, changed bool) {
	if p.knows(w) {
		isEnded := p.Held.isEnded(w)
		if p = p.ending(w, isEnded); slices.Contains(p.LastSids, w.MessageSid) || w.Texts == 0 {
			return p, isEnded
		}
		return p.charged(w), true
	}
	if !w.Now.IsZero() {
		p.View = p.corrected(w.Now)
	}
	p.LastSids = append(slices.Clone(p.LastSids), w.MessageSid)
	p.LastSids = p.LastSids[max(0, len(p.LastSids)-maxWritten):]
	switch {
	case !w.At.Before(p.LastAt):
		p.LastAt, p.LastTo = w.At.UTC(), w.To
		if w.To != "" {
			p.LastTag = ""
		} else if w.Leading != "" {
			p.LastTag = w.Leading
		}
	case p.LastAt.Sub(w.At) <= bubbleTime && !sms.Same(p.LastTo, w.To):
		// Nobody can say which of the two was the last, and whom a further one is for.
		p.LastTo, p.LastTag = "", unclearTag
	}
	if w.To != "" {
		p = p.charged(w)
		for i, e := range p.Exchanges {
			if sms.Same(e.Customer, w.To) && w.At.After(e.AnsweredAt) {
				p.Exchanges[i].AnsweredAt = w.At.UTC()
			}
		}
		if !slices.ContainsFunc(p.Exchanges, func(e Exchange) bool { return sms.Same(e.Customer, w.To) }) {
			// By the tag, to a customer of another thread: the next words here may be for that one, too.
			p.Exchanges = append(p.Exchanges, Exchange{Customer: w.To, Tag: w.Tag, AnsweredAt: w.At.UTC()})
		}
	}
	if w.IsAutoReplyTold {
		p.AutoReplyToldAt = w.At.UTC()
	}
	isAsked := p.isBeingAsked(w.DecidedAt)
	held := p.Held.after(w, isAsked)
	p = p.ending(w, p.Held.isEnded(w))
	p.Held = held
	p.Confirmed = p.Confirmed || w.Verdict == Release && p.Owner != "" && sms.Same(w.To, p.Owner)
	p.Hinted = p.Hinted || w.Verdict == Ask && len(w.Named) > 0
	p.Untagged = slices.DeleteFunc(slices.Clone(p.Untagged), func(s Said) bool { return w.At.Sub(s.At) > untaggedAge })
	if w.Digest != "" {
		p.Untagged = append(p.Untagged, Said{Digest: w.Digest, At: w.At.UTC()})
		p.Untagged = p.Untagged[max(0, len(p.Untagged)-maxUntagged):]
	}
	return p, true
}

// charged returns p after the texts that go to a customer because of what the phone wrote took their place.
func (p Phone) charged(w Writing) Phone {
	p.Exchanges = slices.Clone(p.Exchanges)
	for i, e := range p.Exchanges {
		if sms.Same(e.Customer, w.To) && w.Texts > 0 {
			p.Exchanges[i].Texts = e.Texts.charge(w.Texts, w.Now, maxTexts, textInterval)
		}
	}
	return p
}

// ending returns p without held words, if the text ended them.
func (p Phone) ending(w Writing, isEnded bool) Phone {
	if !isEnded {
		return p
	}
	if p.Held.AskedAt.IsZero() {
		// The question about them may be on its way.
		p.AskedAt = w.DecidedAt.UTC()
	}
	p.Held = Held{}
	return p
}

// knows reports whether the text was written down before.
func (p Phone) knows(w Writing) bool {
	isOld := len(p.LastSids) == maxWritten && w.At.Before(p.LastAt.Add(-repeatTime))
	return isOld || slices.Contains(p.LastSids, w.MessageSid)
}

// Asked returns p once a question is sent to the phone. isNewest is set if it is about the words that are held. One about words that are
// not held any more may come late, when it is tried again: the person then reads it as the newest, and a tag alone may answer it.
func (p Phone) Asked(at time.Time, isNewest bool) Phone {
	p.AskedAt = at.UTC()
	switch {
	case isNewest:
		p.Held.AskedAt = at.UTC()
	case !p.Held.AskedAt.IsZero():
		p.Held.Named = nil
	case !p.Held.IsZero():
		p.Held.Replaces = true
	}
	return p
}

// isBeingAsked reports whether the phone has, or is about to get, a question that its owner may still answer.
func (p Phone) isBeingAsked(now time.Time) bool {
	return !p.Held.IsZero() && p.Held.AskedAt.IsZero() || !p.AskedAt.IsZero() && now.Sub(p.AskedAt) < readingTime
}

// isEnded reports whether the text ends the words.
func (h Held) isEnded(w Writing) bool {
	return slices.ContainsFunc(w.Ends, func(sid string) bool { return slices.Contains(h.MessageSids, sid) })
}

// after returns what is held after the phone's text. isAsked is set if the phone is being asked about other words. A text that comes once
// more, when it is not known any more, leaves as it is what came to be held since.
func (h Held) after(w Writing, isAsked bool) Held {
	isEnded := h.isEnded(w)
	switch {
	case w.Verdict == Ask && !w.IsOver && (h.IsZero() || isEnded):
		return Held{
			MessageSids: []string{w.MessageSid}, LastAt: w.At.UTC(), Named: w.Named,
			Replaces: isAsked,
		}
	case w.Verdict == Join && !w.IsOver && !h.IsZero():
		h.MessageSids = append(slices.Clone(h.MessageSids), w.MessageSid)
		if w.At.After(h.LastAt) {
			h.LastAt = w.At.UTC()
		}
		return h
	case isEnded:
		return Held{}
	case w.Verdict != Ignore && !h.AskedAt.IsZero() && w.At.After(h.AskedAt.Add(-skew)):
		// The person wrote something else since the question, so that a tag alone may be about that.
		h.Named = nil
	}
	return h
}

// Without returns p if the text, held until now, was ended.
func (p Phone) Without(messageSid string) (without Phone, changed bool) {
	if !slices.Contains(p.Held.MessageSids, messageSid) {
		return p, false
	}
	p.Held = Held{}
	return p, true
}

// Digest returns the digest by which a text of a phone is recognized when it comes again; empty if it is too short for that: people
// write "On my way" twice.
func Digest(key PhoneKey, body string) string {
	words := strings.Fields(strings.ToLower(body))
	if len(words) < leastWords {
		return ""
	}
	sum := sha256.Sum256([]byte(key.Item() + "\x00" + strings.Join(words, " ")))
	return hex.EncodeToString(sum[:8])
}

// IsAutomatic reports whether an untagged text of the phone was written by the phone itself: it came too soon for a person, or for the
// second time within a day. digest is the text's, see [Digest].
func (p Phone) IsAutomatic(digest string, at time.Time) bool {
	isRecent := func(s Said) bool { return s.Digest == digest && at.Sub(s.At) <= untaggedAge }
	if digest != "" && slices.ContainsFunc(p.Untagged, isRecent) {
		return true
	}
	return slices.ContainsFunc(p.Exchanges, func(e Exchange) bool { return !at.Before(e.SentAt) && at.Sub(e.SentAt) <= replyTime })
}

// The bound of what goes back and forth between a customer and a phone: so many texts at once, and one more after each interval.
const (
	maxTexts     = 40
	textInterval = 3 * time.Minute
)

// Pause returns how long texts between the phone and the customer have to wait, because so many went back and forth; 0 for not at all.
func (p Phone) Pause(customer sms.PhoneNumber, now time.Time) time.Duration {
	i := slices.IndexFunc(p.Exchanges, func(e Exchange) bool { return sms.Same(e.Customer, customer) })
	if i < 0 {
		return 0
	}
	return p.Exchanges[i].Texts.wait(now, maxTexts, textInterval)
}

// HasRoom reports whether so many texts between the phone and the customer may go at once.
func (p Phone) HasRoom(customer sms.PhoneNumber, texts int, now time.Time) bool {
	i := slices.IndexFunc(p.Exchanges, func(e Exchange) bool { return sms.Same(e.Customer, customer) })
	return i < 0 || p.Exchanges[i].Texts.room(now, maxTexts, textInterval) >= texts
}

// TakeText takes the place of one text between the phone and the customer. wait is how long it has to wait for one, 0 if it was taken.
func (p Phone) TakeText(customer sms.PhoneNumber, now time.Time) (taken Phone, wait time.Duration) {
	if wait = p.Pause(customer, now); wait > 0 {
		return p, wait
	}
	p.Exchanges = slices.Clone(p.Exchanges)
	for i, e := range p.Exchanges {
		if sms.Same(e.Customer, customer) {
			p.Exchanges[i].Texts, _ = e.Texts.Take(now, maxTexts, textInterval)
		}
	}
	return p, 0
}

// wait returns how long until the bucket has room for one event.
func (b Bucket) wait(now time.Time, size int, interval time.Duration) time.Duration {
	if b.room(now, size, interval) > 0 {
		return 0
	}
	return b.Until.Sub(now) - time.Duration(size-1)*interval
}
