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
	// VerdictResend is that a text is to be sent again: one that reached nobody, or an uncertain one, which may have been sent.
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

// Order is an operator's order to send a text again. It is about the text as the operator saw it: if it was sent again since, or
// tried once more, the order is void.
type Order struct {
	// Attempts is how many there were, RedrivenAt when an operator last had the text sent again; zero if nobody had.
	Attempts   int
	RedrivenAt time.Time
	// Decision says who gives the order, and why.
	Decision Decision
}

// Order returns the order to send the text again, as it is now.
func (r Record) Order(d Decision) Order {
	return Order{Attempts: r.Made(), RedrivenAt: r.RedrivenAt, Decision: d}
}

// Resend takes a text back to the queue because an operator says so: one that is uncertain, or one that ended undelivered, failed
// or dropped. The attempts so far do not count towards the most there may be, and the text's age counts from now. One that had
// ended is sent along its route from the first phone on, as if no phone had refused or missed it; an uncertain one goes on where
// it was. An ended text that Twilio has after all is not sent again: it moves to where its attempts leave it. changed is false if
// the text has gone on since the order, which so sends once however often it comes, or is in another state.
func (r Record) Resend(o Order, now time.Time) (resent Record, changed bool, err error) {
	if !r.State.Resendable() || r.Made() != o.Attempts || !r.RedrivenAt.Equal(o.RedrivenAt) {
		return r, false, nil
	}
	to, reason := Queued, ReasonResendOrder
	if r.State != Uncertain {
		switch {
		case r.Awaited():
			to, reason = r.rest()
		case r.InDoubt():
			return r, false, nil
		}
	}
	if resent, err = r.move(to, reason, now); err != nil {
		return r, false, err
	}
	resent.Decision = decided(VerdictResend, o.Decision, now)
	if to == Queued && r.State != Uncertain {
		resent = resent.reopenHops()
	}
	resent = resent.startAgain(now)
	if !resent.RedrivenAt.After(r.RedrivenAt) {
		// An order is known by this time, also if the clock was ahead when the text was last sent again.
		resent.RedrivenAt = r.RedrivenAt.Add(time.Millisecond)
	}
	return resent, true, nil
}

// reopenHops lets every phone be tried again. The attempts must be r's own.
func (r Record) reopenHops() Record {
	for i := range r.Attempts {
		r.Attempts[i].HopDone = false
	}
	r.Folded = r.Folded.reopened()
	return r
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
