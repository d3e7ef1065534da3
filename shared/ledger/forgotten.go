package ledger

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// sentAgo is how long after its last change a sent text counts as over: no receipt comes any more then.
const sentAgo = 3 * 24 * time.Hour

// isForgotten reports whether the words of the text are gone for good.
func (r Record) isForgotten() bool { return r.Decision.What == VerdictForget }

// IsForgotten reports whether the customer was forgotten, so that nothing that the text said is left.
func IsForgotten(r Record) bool { return r.isForgotten() }

// WhyKept says why the words of a text are still needed, empty if they are not: it is under way, or somebody has to decide about it.
type WhyKept string

// Why the words of a text are kept.
const (
	KeptUnderWay  WhyKept = "under_way"
	KeptUncertain WhyKept = "uncertain"
	KeptDead      WhyKept = "dead"
)

// WhetherKept says whether the words of the text are still needed at that time. A text that was sent, and of which no receipt says more, is
// over after three days.
func WhetherKept(r Record, now time.Time) WhyKept {
	switch {
	case r.isForgotten():
		return ""
	case r.State == Dead && r.Decision.What != VerdictLetterDropped:
		return KeptDead
	case r.State == Uncertain && r.Reason != ReasonGivenUp:
		return KeptUncertain
	case r.State == Sent && now.Sub(r.UpdatedAt) >= sentAgo, r.State.Final(), r.State == Uncertain:
		return ""
	default:
		return KeptUnderWay
	}
}

// Forget takes out of a text what it said, its attachments, what its messages began with, and the number of the customer but for its end,
// as the audit log has it. What became of the text stays, and nothing sends it again: not an order, and not a late receipt. The text must
// not be under way, see [WhetherKept]. changed is false if that was done before.
func Forget(r Record, customer sms.PhoneNumber, d Decision, now time.Time) (forgotten Record, changed bool) {
	if r.isForgotten() {
		return r, false
	}
	masked := func(number sms.PhoneNumber) sms.PhoneNumber {
		if sms.Same(number, customer) {
			return sms.Pseudonym(number)
		}
		return number
	}
	r = r.copy(now)
	r.Body, r.Media, r.Answer.Words, r.Answer.Tells = "", nil, "", ""
	r.Customer, r.Destination, r.Slot = masked(r.Customer), masked(r.Destination), Slot{}
	for i := range r.Attempts {
		a := &r.Attempts[i]
		a.Header, a.Media, a.To, a.HopDone = "", "", masked(a.To), true
	}
	r.Folded.Phones = slices.Clone(r.Folded.Phones)
	for i := range r.Folded.Phones {
		r.Folded.Phones[i].To = masked(r.Folded.Phones[i].To)
	}
	r.Decision = decided(VerdictForget, d, now)
	return r, true
}

// EndForgotten ends a text of a customer who was forgotten, because it came back with an older backup: what was to be sent was sent, or was
// given up, before the customer was forgotten. The error is a *TransitionError.
func EndForgotten(r Record, now time.Time) (Record, error) {
	switch r.State {
	case "", Queued:
		return r.move(Dropped, ReasonForgotten, now)
	case Sending:
		return r.move(Uncertain, ReasonGivenUp, now)
	case Uncertain:
		r = r.copy(now)
		r.Reason = ReasonGivenUp
		return r, nil
	case Sent, Delivered, Undelivered, Failed, Dropped, Dead:
		return r, nil
	default:
		return r, nil
	}
}
