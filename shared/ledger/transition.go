package ledger

import (
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TransitionError is a change that the state machine does not have. It is a defect, or a record changed by hand.
type TransitionError struct{ From, To State }

// Error names both states.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("ledger: no transition from %q to %q", string(e.From), string(e.To))
}

// move returns r in state to, without the marks of the state it leaves.
func (r Record) move(to State, reason Reason, now time.Time) (Record, error) {
	if !r.State.MayBecome(to) {
		return r, &TransitionError{From: r.State, To: to}
	}
	r = r.copy(now)
	r.State, r.Reason = to, reason
	r.LeaseUntil, r.NotBefore, r.Slot = time.Time{}, time.Time{}, Slot{}
	return r, nil
}

// waiting is the error of a move to the state to unless the text waits for its next attempt: until an attempt has come to
// something, and once the text needs no other, nothing but that decides where it goes.
func (r Record) waiting(to State) error {
	if r.State != "" && r.State != Queued {
		return &TransitionError{From: r.State, To: to}
	}
	return nil
}

// Book puts the text off to the moment that the pace limits gave to its next attempt, which is to the phone to.
func (r Record) Book(at time.Time, to sms.PhoneNumber, now time.Time) (Record, error) {
	if err := r.waiting(Queued); err != nil {
		return r, err
	}
	r = r.copy(now)
	r.State, r.Reason, r.NotBefore, r.Slot = Queued, ReasonPace, Stamp(at), Slot{At: Stamp(at), To: to}
	return r, nil
}

// Expire writes down that a text became too old while trouble lasted. Whatever becomes of the trouble, or of the clock, the text is
// a dead letter then.
func (r Record) Expire(now time.Time) (Record, error) {
	if err := r.waiting(Queued); err != nil {
		return r, err
	}
	r = r.copy(now)
	r.State, r.Reason, r.NotBefore, r.Slot = Queued, ReasonExpiring, Stamp(now), Slot{}
	return r, nil
}

// Claim opens the next attempt, to the phone of the given hop, under the mark claimID. Until now+lease no one else
// touches the text. It is written before the POST: whoever cannot write it does not send.
func (r Record) Claim(claimID string, hop int, to sms.PhoneNumber, lease time.Duration, now time.Time) (Record, error) {
	r, err := r.move(Sending, "", now)
	if err != nil {
		return r, err
	}
	number := r.Upcoming()
	if last, ok := r.Current(); ok && last.traceless() && last.Number > r.RedrivenAfter {
		// Such tries may go on for days: only the last one is kept. Those before a redrive tell its letter from a later one.
		r.Attempts = r.Attempts[:len(r.Attempts)-1]
	}
	r.Attempts = append(r.Attempts, Attempt{Number: number, Hop: hop, To: to, ClaimID: claimID, StartedAt: Stamp(now)})
	r.LeaseUntil = Stamp(now.Add(lease))
	return r.fold(), nil
}

// Onward is where a text goes when an attempt has failed. To Apply the zero value says that no further attempt is due: the
// text rests where its attempts leave it.
type Onward struct {
	// To is Queued, Failed or, of an unknown outcome, Uncertain.
	To     State
	Reason Reason
	// NotBefore is when the next attempt is due, with Queued.
	NotBefore time.Time
	// HopDone ends the attempts at this phone.
	HopDone bool
	// Spared keeps an attempt whose message Twilio took from counting towards the most there may be.
	Spared bool
}

// End closes the attempt with the failure f and sends the text onward. A failure that comes late, while the attempt is looked
// for, ends the doubt, unless it is Unknown itself. If the text has moved on meanwhile (a receipt was quicker, or one of an
// earlier hop says delivered), only the attempt is closed, if it is still open. changed is false if there was nothing to close.
func (r Record) End(number int, f *fault.Error, onward Onward, now time.Time) (ended Record, changed bool, err error) {
	late := r.doubted(number) && f.Kind != fault.Unknown
	goes := late || r.open(number)
	ended = r.copy(now)
	if late {
		ended.change(number, func(a *Attempt) { a.Outcome = "" })
	}
	if !ended.close(number, f, now) {
		return r, false, nil
	}
	ended.change(number, func(a *Attempt) { a.HopDone = onward.HopDone })
	if goes {
		if ended, err = ended.goOnward(onward, now); err != nil {
			return r, false, err
		}
	}
	return ended, true, nil
}

// close writes down how the attempt failed, and reports whether it was still open. The attempts must be r's own.
func (r Record) close(number int, f *fault.Error, now time.Time) (closed bool) {
	r.change(number, func(a *Attempt) {
		if a.Outcome != "" {
			return
		}
		closed = true
		a.EndedAt, a.Outcome = Stamp(now), f.Kind.String()
		a.ErrorCode, a.HTTPStatus, a.Error = f.Code, f.HTTPStatus, ""
		if f.Err != nil {
			a.Error = shortened(f.Err.Error())
		}
	})
	return closed
}

// goOnward moves the text. One that is under way after all is not sent again, one that fails while an earlier hop may still
// deliver it rests as sent, and one of which an earlier POST may have been taken does not fail for certain.
func (r Record) goOnward(onward Onward, now time.Time) (Record, error) {
	switch {
	case r.underWay(), onward.To == Failed && r.Awaited():
		return r.move(Sent, "", now)
	case onward.To == Failed && r.InDoubt():
		return r.move(Uncertain, ReasonUnknownOutcome, now)
	}
	r, err := r.move(onward.To, onward.Reason, now)
	if err == nil && onward.To == Queued {
		r.NotBefore = Stamp(onward.NotBefore)
	}
	return r, err
}

// Drop ends the text unsent, for reason. One that a hop's phone may have got by now is not unsent: it rests where its
// attempts leave it.
func (r Record) Drop(reason Reason, now time.Time) (Record, error) {
	if err := r.waiting(Dropped); err != nil {
		return r, err
	}
	to, why := Dropped, reason
	if r.AcceptedByTwilio() || r.InDoubt() {
		to, why = r.rest()
	}
	if to != Sent && why == "" {
		why = reason
	}
	return r.move(to, why, now)
}

// GiveUp ends a text for which no hop is left, or that has nobody to go to because its addresses are missing.
func (r Record) GiveUp(now time.Time) (Record, error) {
	if err := r.waiting(Failed); err != nil {
		return r, err
	}
	if r.AcceptedByTwilio() || r.InDoubt() {
		return r.Drop("", now)
	}
	if !r.Addressed() {
		return r.move(Failed, ReasonNoAddress, now)
	}
	return r.move(Failed, ReasonRefused, now)
}

// Die ends the text on the dead-letter queue, for reason.
func (r Record) Die(reason Reason, now time.Time) (Record, error) {
	return r.move(Dead, reason, now)
}

// Redrive takes a dead text back, because an operator moved its dead letter back to the queue. attempts is how many the letter
// says that there were: only the letter of the text's last death brings it back, and only once. The attempts so far do not count
// towards the most there may be, and its age counts from now. A text that Twilio has after all is not sent again: a receipt may
// say so after its death, and then it moves to where its attempts leave it. changed is false if the letter is not that one, and
// if nobody knows of one of its attempts whether Twilio took it.
func (r Record) Redrive(attempts int, now time.Time) (redriven Record, changed bool, err error) {
	if r.State != Dead || r.Made() != attempts {
		return r, false, nil
	}
	to, reason := Queued, ReasonRedrive
	switch {
	case r.Awaited():
		to, reason = r.rest()
	case r.InDoubt():
		return r, false, nil
	}
	if redriven, err = r.move(to, reason, now); err != nil {
		return r, false, err
	}
	return redriven.startAgain(now), true, nil
}

// startAgain makes the attempts so far not count, and the text's age count from now, because an operator had it sent again; also
// where Twilio has it and is waited for: if that message is lost, the text goes on as one that is sent again.
func (r Record) startAgain(now time.Time) Record {
	last, _ := r.Current()
	r.RedrivenAfter, r.RedrivenAt = last.Number, Stamp(now)
	if r.State == Queued {
		r.NotBefore = Stamp(now)
	}
	return r
}

// InDoubt reports whether the text had an attempt of which nobody ever found out what became of it.
func (r Record) InDoubt() bool {
	return r.Folded.InDoubt || slices.ContainsFunc(r.Attempts, Attempt.Unknown)
}

// open reports whether the attempt of that number is the current one and still without an outcome.
func (r Record) open(number int) bool {
	last, ok := r.Current()
	return ok && r.State == Sending && last.Number == number && last.Outcome == ""
}

// change applies edit to the attempt of that number, if there is one.
func (r Record) change(number int, edit func(*Attempt)) {
	for i := range r.Attempts {
		if r.Attempts[i].Number == number {
			edit(&r.Attempts[i])
		}
	}
}
