// Package reconcile decides what Twilio's Messages list says about a POST whose answer was lost: its message is there, it is
// not there, or nobody can tell, because messages with the same words went to the same phone at about the same time. [Find]
// decides and reads nothing; a [Search] reads Twilio's list and the ledger first.
package reconcile

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Window returns the earliest and latest time, by Twilio's clock, at which the message of a POST begun at startedAt can have
// been created. span is how long the relay looks at the list before it gives a text up. With a span of two minutes, the window
// is half a minute before the POST, because clocks differ, and a minute and a half after it, because a POST can be slow. The
// next text of a conversation is not sent before the span is over, so the windows of two unknown POSTs with the same words do
// not overlap.
// longest is the longest time that a POST may have needed after startedAt. If the span is not much longer, windows may
// overlap, and texts with the same words are ambiguous more often.
func Window(startedAt time.Time, span, longest time.Duration) (from, to time.Time) {
	return startedAt.Add(-span / 4), startedAt.Add(max(span*3/4, longest))
}

// Question is all that is known about the lost POST.
type Question struct {
	// Message is what was posted, with NumMedia attachments, StartedAt when. With AnyHeader, its body may have begun with another
	// header of the same customer, and nothing is known about its attachments. The header has Tag, unless that is empty.
	Message   sms.Outbound
	NumMedia  int
	StartedAt time.Time
	AnyHeader bool
	Customer  sms.PhoneNumber
	Tag       conversation.Tag
	// Span is how long the relay looks at the list, Longest how long a POST may need, see [Window].
	Span, Longest time.Duration
	// Listed are messages from Twilio's list, among which the lost one would be.
	Listed []sms.Listed
	// Known has the MessageSids whose text the ledger knows.
	Known map[string]bool
	// Rivals are the start times of other POSTs with the same words to the same phone that may have created one of the messages:
	// their outcomes are not known either, or Twilio refused them for the moment, after which the message may still exist.
	Rivals []time.Time
}

// Verdict is what the list says.
type Verdict int

const (
	// Absent means that the message is not on the list. It may be later, for the list lags.
	Absent Verdict = iota + 1
	// Present means that the message is there.
	Present
	// Ambiguous means that there are messages like it, but fewer than POSTs that may have made them.
	Ambiguous
)

// String returns the verdict's name in lower case, as logs and metrics have it.
func (v Verdict) String() string {
	switch v {
	case Present:
		return "present"
	case Ambiguous:
		return "ambiguous"
	case Absent:
		return "absent"
	default:
		return "unknown"
	}
}

// Find answers the question. The message is set with Present. Identical texts are told apart by counting: if there are
// more messages than rivals, this POST made one of them, and the order of the POSTs says which.
func Find(q Question) (message sms.Listed, verdict Verdict) {
	var candidates []sms.Listed
	for _, m := range q.Listed {
		if q.isLike(m) && !q.Known[m.Sid] && q.within(q.StartedAt, m) {
			candidates = append(candidates, m)
		}
	}
	sort.Slice(candidates, func(i, k int) bool {
		a, b := candidates[i], candidates[k]
		return cmp.Or(a.DateCreated.Compare(b.DateCreated), cmp.Compare(a.Sid, b.Sid)) < 0
	})
	candidates = slices.CompactFunc(candidates, func(a, b sms.Listed) bool { return a.Sid == b.Sid })
	rivals, earlier := q.rivalsFor(candidates)
	switch {
	case len(candidates) == 0:
		return sms.Listed{}, Absent
	case len(candidates) <= rivals:
		return sms.Listed{}, Ambiguous
	default:
		return candidates[min(earlier, len(candidates)-1)], Present
	}
}

// isLike reports whether a listed message says the same to the same phone.
func (q Question) isLike(m sms.Listed) bool {
	return m.Direction == sms.DirectionAPI && sms.Same(m.From, q.Message.From) && sms.Same(m.To, q.Message.To) && q.hasWords(m.Body) &&
		q.hasMedia(m)
}

// hasMedia reports whether a listed message may have as many attachments as what was posted. Twilio fetches attachments after it has
// taken a message: until it is sent, one without any may still get them.
func (q Question) hasMedia(m sms.Listed) bool {
	isOpen := m.NumMedia == 0 && (!m.Status.Final() || m.Status.Lost())
	return q.AnyHeader || m.NumMedia == q.NumMedia || isOpen
}

// comparedLength is how much of two texts is compared whose headers may differ: a long text is cut to what fits behind its header.
const comparedLength = 1000

// hasWords reports whether a body may be what was posted.
func (q Question) hasWords(body string) bool {
	if !q.AnyHeader {
		return Same(body, q.Message.Body)
	}
	if !q.mayShow(conversation.ShownBy(body)) {
		return false
	}
	wanted, words := conversation.WithoutHeader(q.Message.Body), conversation.WithoutHeader(body)
	if sms.Length(wanted) > comparedLength && sms.Length(words) > comparedLength {
		wanted, _ = sms.Split(wanted, comparedLength)
		words, _ = sms.Split(words, comparedLength)
	}
	return Same(words, wanted)
}

// mayShow reports whether a header that shows this may be one of the customer's.
func (q Question) mayShow(tag conversation.Tag, customer sms.PhoneNumber) bool {
	switch {
	case customer != "" && q.Customer != "":
		return sms.Same(customer, q.Customer)
	case tag != "" && q.Tag != "":
		return tag == q.Tag
	}
	return true
}

// Same reports whether two bodies have the same words. Twilio may remove spaces at the ends.
func Same(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }

// rivalsFor counts the rivals that may have made one of the candidates, and those of them that began earlier.
func (q Question) rivalsFor(candidates []sms.Listed) (rivals, earlier int) {
	for _, startedAt := range q.Rivals {
		if !slices.ContainsFunc(candidates, func(m sms.Listed) bool { return q.within(startedAt, m) }) {
			continue
		}
		rivals++
		if startedAt.Before(q.StartedAt) {
			earlier++
		}
	}
	return rivals, earlier
}

// within reports whether the message may be that of a POST begun at startedAt. Twilio's dates are exact to the second.
func (q Question) within(startedAt time.Time, m sms.Listed) bool {
	from, to := Window(startedAt, q.Span, q.Longest)
	return !m.DateCreated.Before(from.Truncate(time.Second)) && !m.DateCreated.After(to)
}
