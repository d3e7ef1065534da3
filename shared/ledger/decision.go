package ledger

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Decision is what an operator decided about a text that the relay could not settle by itself.
type Decision struct {
	// What was decided.
	What Verdict
	// By names who decided, Note says why, in their own words.
	By   string
	Note string `json:",omitempty"`
	At   time.Time
}

// Verdict is what an operator may decide.
type Verdict string

const (
	// VerdictSent is that Twilio has a message of an uncertain text.
	VerdictSent Verdict = "sent"
	// VerdictResend is that an uncertain text is to be sent again, though it may have been sent.
	VerdictResend Verdict = "resend"
	// VerdictGiveUp is that nothing more is done about an uncertain text.
	VerdictGiveUp Verdict = "give_up"
	// VerdictLetterDropped is that the dead letter of a text was deleted.
	VerdictLetterDropped Verdict = "letter_dropped"
)

// Same reports whether both are the same decision.
func (d Decision) Same(other Decision) bool {
	return d.What == other.What && d.By == other.By && d.Note == other.Note && d.At.Equal(other.At)
}

// decided returns d as the record keeps it.
func decided(what Verdict, d Decision, now time.Time) Decision {
	d.What, d.At = what, Stamp(now)
	return d
}

// Attest takes an operator's word for it that Twilio has the message of an attempt in doubt, as the receipt says. The text moves
// to where that leaves it. Like a message that a look found, the attempt is marked Found, and a receipt of its own overrides
// it. changed is false if the text is not uncertain, or that attempt not in doubt.
func (r Record) Attest(receipt sms.Receipt, d Decision, now time.Time) (attested Record, changed bool) {
	if r.State != Uncertain {
		return r, false
	}
	attested = r.copy(now)
	attested.change(receipt.Attempt, func(a *Attempt) {
		if a.Unknown() && a.apply(receipt, now) {
			a.Found, changed = true, true
		}
	})
	if !changed {
		return r, false
	}
	attested.Decision = decided(VerdictSent, d, now)
	return attested.settle(receipt.Attempt, Onward{}, now), true
}

// Resend takes an uncertain text back to the queue, because an operator says so. attempts is how many there were when the
// operator looked: an order that comes twice sends once. The attempts so far do not count towards the most there may be, and
// the text's age counts from now. changed is false if the text has gone on since.
func (r Record) Resend(attempts int, d Decision, now time.Time) (resent Record, changed bool, err error) {
	if r.State != Uncertain || len(r.Attempts) != attempts {
		return r, false, nil
	}
	if resent, err = r.move(Queued, ReasonResendOrder, now); err != nil {
		return r, false, err
	}
	last, _ := resent.Current()
	resent.Redriven, resent.RedrivenAt, resent.NotBefore = last.Number, Stamp(now), Stamp(now)
	resent.Decision = decided(VerdictResend, d, now)
	return resent, true, nil
}

// Abandon writes down that an operator has looked at an uncertain text, and that nothing more is done about it. It stays
// uncertain, because it is: a receipt may still settle it, and an operator may still think better of it. changed is false if the
// text is not uncertain, or is given up already.
func (r Record) Abandon(d Decision, now time.Time) (abandoned Record, changed bool) {
	if r.State != Uncertain || r.Reason == ReasonGivenUp {
		return r, false
	}
	abandoned = r.copy(now)
	abandoned.Reason, abandoned.Decision = ReasonGivenUp, decided(VerdictGiveUp, d, now)
	return abandoned, true
}

// DropLetter writes down that an operator deleted the text's dead letter: it stays dead, and nothing brings it back. changed is
// false if the text is not dead, or if that was the last thing written of it: a letter may have copies.
func (r Record) DropLetter(d Decision, now time.Time) (dropped Record, changed bool) {
	last := r.Decision
	isLast := last.What == VerdictLetterDropped && last.At.Equal(r.UpdatedAt)
	if r.State != Dead || isLast && last.By == d.By && last.Note == d.Note {
		return r, false
	}
	dropped = r.copy(now)
	dropped.Decision = decided(VerdictLetterDropped, d, now)
	return dropped, true
}
