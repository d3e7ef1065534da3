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

// waiting returns the error of a move to the state to, or nil if the text waits for its next attempt. In every other state only the
// outcome of an attempt decides where the text goes.
func (r Record) waiting(to State) error {
	if r.State != "" && r.State != Queued {
		return &TransitionError{From: r.State, To: to}
	}
	return nil
}

// Book puts the text off to the send time that the pace limits reserved for its next attempt.
func (r Record) Book(slot Slot, now time.Time) (Record, error) {
	if err := r.waiting(Queued); err != nil {
		return r, err
	}
	r = r.copy(now)
	r.State, r.Reason, r.NotBefore, r.Slot = Queued, ReasonPace, Stamp(slot.At), Slot{At: Stamp(slot.At), From: slot.From, To: slot.To}
	return r, nil
}

// Expire records that a text became too old while trouble lasted. From then on it becomes a dead letter, even if the trouble ends or
// the clock changes.
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
		// Such tries may go on for days, so only the last one is kept. Those before a redrive stay: they tell its letter from a later one.
		r.Attempts = r.Attempts[:len(r.Attempts)-1]
	}
	r.Attempts = append(r.Attempts, Attempt{
		Number: number, Hop: hop, To: to, Media: marksOf(r.Media), ClaimID: claimID, StartedAt: Stamp(now),
	})
	r.LeaseUntil = Stamp(now.Add(lease))
	return r.fold(), nil
}

// Onward is where a text goes when an attempt has failed. In a call of Apply, the zero value means that no further attempt is due:
// the text moves to the state that follows from its attempts.
type Onward struct {
	// To is Queued, Failed or, after an unknown outcome, Uncertain.
	To     State
	Reason Reason
	// NotBefore is when the next attempt is due, with Queued.
	NotBefore time.Time
	// HopDone ends the attempts at this phone.
	HopDone bool
	// Spared means that the attempt does not count towards the maximum, although Twilio accepted its message.
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

// close records how the attempt failed, and reports whether it was still open. The attempts must be r's own.
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

// goOnward moves the text, with three exceptions. A text that is on its way after all is not sent again. A text that fails while an
// earlier hop may still deliver it stays sent. A text that fails after an earlier POST with an unknown outcome is uncertain.
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

// Drop ends the text unsent, for reason. If a phone may have got it by now, it moves to the state that follows from its attempts.
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

// GiveUp ends a text that has no hop left, or that can go to nobody because an address is missing.
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

// Redrive takes a dead text back, because an operator moved its dead letter back to the queue. attempts is the number in the letter:
// only the letter of the text's last death brings it back, and only once. The attempts so far no longer count towards the maximum,
// and the text's age counts from now. If a receipt said after its death that Twilio has the text, it is not sent again: it moves to
// the state that follows from its attempts. changed is false if the letter is another one, if the outcome of an attempt is
// unknown, or if the text is forgotten.
func (r Record) Redrive(attempts int, now time.Time) (redriven Record, changed bool, err error) {
	if r.isForgotten() {
		return r, false, nil
	}
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

// startAgain makes the attempts so far not count, and the text's age count from now, because an operator had it sent again. It does
// so even if Twilio has the text: if that message is lost, the text goes on as one that is sent again.
func (r Record) startAgain(now time.Time) Record {
	last, _ := r.Current()
	r.RedrivenAfter, r.RedrivenAt = last.Number, Stamp(now)
	if r.State == Queued {
		r.NotBefore = Stamp(now)
	}
	return r
}

// InDoubt reports whether the outcome of one of the text's attempts is still unknown.
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
