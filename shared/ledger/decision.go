package ledger

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Decision is what an operator decided about a text that the relay could not settle by itself.
type Decision struct {
	// The decisions.
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
	// VerdictForget is that the customer is forgotten, see [Forget]: nothing that the text said is left, and it is never sent again.
	VerdictForget Verdict = "forget"
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

// Attest records an operator's word that Twilio has the message of an attempt in doubt, as the receipt says. The text moves to the
// state that follows from it. The attempt is marked Found, like a message that a look found, and a receipt from Twilio overrides
// it. changed is false if the text is not uncertain, or if the outcome of that attempt is not unknown.
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

// Order is an operator's order to send a text again. It is about the text as the operator saw it: if the text was sent again or
// tried again since, the order is void.
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

// Resend takes a text back to the queue because an operator ordered it: an uncertain text, or one that ended undelivered, failed
// or dropped. The attempts so far no longer count towards the maximum, and the text's age counts from now. An ended text is sent
// along its route from the first phone on, as if no phone had refused or missed it; an uncertain one goes on where it was. An
// ended text that Twilio has after all is not sent again: it moves to the state that follows from its attempts. changed is false
// if the text has gone on since the order, is in another state, or is forgotten. So an order sends once, however often it comes.
func (r Record) Resend(o Order, now time.Time) (resent Record, changed bool, err error) {
	if !r.State.Resendable() || r.isForgotten() || r.Made() != o.Attempts || !r.RedrivenAt.Equal(o.RedrivenAt) {
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
	resent.Ring.IsOver = resent.Ring.IsOver || to == Queued && len(resent.Ring.Phones) > 0
	resent = resent.startAgain(now)
	if !resent.RedrivenAt.After(r.RedrivenAt) {
		// This time identifies an order, so it has to grow even if the clock was ahead when the text was last sent again.
		resent.RedrivenAt = r.RedrivenAt.Add(time.Millisecond)
	}
	return resent, true, nil
}

// reopenHops allows attempts at every phone again. The attempts must be r's own.
func (r Record) reopenHops() Record {
	for i := range r.Attempts {
		r.Attempts[i].HopDone = false
	}
	r.Folded = r.Folded.reopened()
	return r
}

// Abandon records that an operator has looked at an uncertain text, and that nothing more is done about it. The text stays
// uncertain: a receipt may still settle it, and an operator may still decide otherwise. changed is false if the text is not
// uncertain, or is given up already.
func (r Record) Abandon(d Decision, now time.Time) (abandoned Record, changed bool) {
	if r.State != Uncertain || r.Reason == ReasonGivenUp {
		return r, false
	}
	abandoned = r.copy(now)
	abandoned.Reason, abandoned.Decision = ReasonGivenUp, decided(VerdictGiveUp, d, now)
	return abandoned, true
}

// DropLetter records that an operator deleted the text's dead letter: the text stays dead, and nothing brings it back. changed is
// false if the text is not dead, or if this was the last change of its record: a letter may have copies.
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
