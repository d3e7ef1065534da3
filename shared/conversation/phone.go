package conversation

import (
	"cmp"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// maxFormer is how many former names of a customer are kept.
	maxFormer = 3
	// maxExchanges is how many conversations of a phone are kept, those with the newest texts.
	maxExchanges = 50
	// maxSent is how many texts sent to a phone are kept, for reactions to them.
	maxSent = 20
)

// PhoneKey names what one phone was sent from one number of the business.
type PhoneKey struct {
	// TwilioNumber is the number that the customers text.
	TwilioNumber sms.PhoneNumber
	// SendingNumber is the number that the phone's texts come from. It is empty if that is TwilioNumber itself.
	SendingNumber sms.PhoneNumber `json:",omitempty"`
	// Phone is the phone.
	Phone sms.PhoneNumber
}

// Sender returns the number that the phone's texts come from.
func (k PhoneKey) Sender() sms.PhoneNumber { return cmp.Or(k.SendingNumber, k.TwilioNumber) }

// Phone is what is kept about one phone and one number that its texts come from: the item "p#<sending number>#<phone>". The names
// are the table's attribute names.
type Phone struct {
	PhoneKey
	// Version counts the writes, from 1; 0 means that it is not stored yet.
	Version int64
	View
	// Sent are the last texts of customers that were sent to the phone, the oldest first.
	Sent []Sent `json:",omitempty"`
	// LastSids are the phone's last texts that were decided about, the latest decision last.
	LastSids []string `json:",omitempty"`
	// Removed is when an operator took the phone's right to answer away, zero if nobody did.
	Removed time.Time `json:",omitzero"`
	// RemovedBy is that operator; empty if an older version of the relay wrote it.
	RemovedBy string `json:",omitempty"`
	// Notices limits what the relay itself tells the phone.
	Notices Bucket `json:",omitzero"`
	// AskedAt is when a question about words of the phone was last sent to it, or last became needless before that.
	AskedAt time.Time `json:",omitzero"`
	// Hinted is set once the phone was told how to avoid questions.
	Hinted bool `json:",omitempty"`
	// AutoReplyToldAt is when the phone was last told that an automatic reply of it was not sent on.
	AutoReplyToldAt time.Time `json:",omitzero"`
	// Undo is what the phone can take back.
	Undo Undo `json:",omitzero"`
	// Untagged are the last texts of the phone that had no tag, as digests: one that comes twice is an automatic reply.
	Untagged []Said `json:",omitempty"`
}

// Sent is a text of a customer that was sent to a phone.
type Sent struct {
	MessageSid string
	Tag        Tag `json:",omitempty"`
}

// Said is a text that a phone wrote, without its words.
type Said struct {
	Digest string
	At     time.Time
}

// Bucket allows some events at once, and one more after each interval. The zero value is full.
type Bucket struct {
	// Until is when all that was taken has been made up for.
	Until time.Time
}

// Take takes one event, and reports whether the bucket of that many, with one more each interval, had one left.
func (b Bucket) Take(now time.Time, size int, interval time.Duration) (Bucket, bool) {
	if b.room(now, size, interval) < 1 {
		return b, false
	}
	return b.charge(1, now, size, interval), true
}

// room returns how many events the bucket allows at once.
func (b Bucket) room(now time.Time, size int, interval time.Duration) int {
	taken := b.from(now, size, interval).Sub(now)
	return max(0, size-int((taken+interval-1)/interval))
}

// charge takes events that happen in any case: if there are more of them than room, later ones wait longer.
func (b Bucket) charge(events int, now time.Time, size int, interval time.Duration) Bucket {
	until, longest := b.from(now, size, interval).Add(time.Duration(events)*interval), now.Add(time.Duration(size+1)*interval)
	if until.After(longest) {
		until = longest
	}
	return Bucket{Until: until.UTC()}
}

// from returns the time from which the next event is made up for. A time that no clock of ours can have written, unless it was far ahead,
// holds nobody back; another machine's clock may be ahead by less than the interval.
func (b Bucket) from(now time.Time, size int, interval time.Duration) time.Time {
	if b.Until.Before(now) || b.Until.After(now.Add(time.Duration(size+2)*interval)) {
		return now
	}
	return b.Until
}

// The bound of what the relay itself tells a phone: so many notices at once, and one more after each interval.
const (
	maxNotices     = 12
	noticeInterval = 5 * time.Minute
)

// TakeNotice takes room for one notice to the phone; ok is false if there is none.
func (p Phone) TakeNotice(now time.Time) (taken Phone, ok bool) {
	p.Notices, ok = p.Notices.Take(now, maxNotices, noticeInterval)
	return p, ok
}

// Receive returns p after a text of a customer is about to be sent to the phone. It is written before the text is claimed: a decision
// can never miss what the phone may have seen. A text that is tried again moves its exchange to the later time.
func (p Phone) Receive(e Exchange, messageSid string) Phone {
	p.Removed, p.RemovedBy, p.View = time.Time{}, "", p.corrected(e.SentAt)
	p = p.own(e)
	p.Exchanges = slices.Clone(p.Exchanges)
	at := slices.IndexFunc(p.Exchanges, func(old Exchange) bool { return sms.Same(old.Customer, e.Customer) })
	if at >= 0 {
		e.AnsweredAt, e.Texts, e.Former = p.Exchanges[at].AnsweredAt, p.Exchanges[at].Texts, p.Exchanges[at].formerFor(e.Name)
		if p.Exchanges[at].SentAt.After(e.SentAt) {
			e.SentAt = p.Exchanges[at].SentAt
		}
		p.Exchanges[at] = e
	} else {
		p.Exchanges = append(p.Exchanges, e)
	}
	p.Exchanges = slices.DeleteFunc(p.Exchanges, func(old Exchange) bool { return old.isPast(e.SentAt) })
	newestFirst(p.Exchanges)
	p.Exchanges = p.Exchanges[:min(len(p.Exchanges), maxExchanges)]
	if e.Customer == "" {
		return p
	}
	sent := make([]Sent, 0, len(p.Sent)+1)
	for _, s := range p.Sent {
		if s.MessageSid != messageSid {
			sent = append(sent, s)
		}
	}
	sent = append(sent, Sent{MessageSid: messageSid, Tag: e.Tag})
	p.Sent = sent[max(0, len(sent)-maxSent):]
	return p
}

// NewestOf returns the MessageSid of the newest text that was sent to the phone under the tag, empty if it is not known any more.
func (p Phone) NewestOf(tag Tag) string {
	for _, s := range slices.Backward(p.Sent) {
		if s.Tag == tag {
			return s.MessageSid
		}
	}
	return ""
}

// WasSent reports whether the text is one of the last that were sent to the phone.
func (p Phone) WasSent(messageSid string) bool {
	return slices.ContainsFunc(p.Sent, func(s Sent) bool { return s.MessageSid == messageSid })
}

// IsKnown reports whether the phone was sent anything that it can still answer at that time.
func (p Phone) IsKnown(at time.Time) bool {
	return slices.ContainsFunc(p.Exchanges, func(e Exchange) bool { return e.isAddressable(at) })
}

// Knows reports whether the phone was sent a text of the customer from this number.
func (p Phone) Knows(customer sms.PhoneNumber) bool {
	return slices.ContainsFunc(p.Exchanges, func(e Exchange) bool { return sms.Same(e.Customer, customer) && !e.SentAt.IsZero() })
}

// Resume returns p after an operator let the texts between it and the customer go on, though so many went back and forth. changed is
// false if none has to wait.
func (p Phone) Resume(customer sms.PhoneNumber, now time.Time) (resumed Phone, changed bool) {
	if p.Pause(customer, now) == 0 {
		return p, false
	}
	p.Exchanges = slices.Clone(p.Exchanges)
	for i, e := range p.Exchanges {
		if sms.Same(e.Customer, customer) {
			p.Exchanges[i].Texts = Bucket{}
		}
	}
	return p, true
}

// Remove returns p after an operator has ended what it may answer. It gets that back with the next text that it is sent. changed is
// false if that was done before.
func (p Phone) Remove(by string, now time.Time) (removed Phone, changed bool) {
	if !p.Removed.IsZero() {
		return p, false
	}
	p.Removed, p.RemovedBy = now.UTC().Truncate(time.Millisecond), by
	return p, true
}
