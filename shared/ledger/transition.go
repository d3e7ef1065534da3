package ledger

import (
	"fmt"
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
	r.LeaseUntil, r.NotBefore = time.Time{}, time.Time{}
	return r, nil
}

// Claim opens the next attempt, to the phone of the given hop, under the mark claimID. Until now+lease no one else
// touches the text. It is written before the POST: whoever cannot write it does not send.
func (r Record) Claim(claimID string, hop int, to sms.PhoneNumber, lease time.Duration, now time.Time) (Record, error) {
	r, err := r.move(Sending, "", now)
	if err != nil {
		return r, err
	}
	number := 1
	if last, ok := r.Current(); ok {
		number = last.Number + 1
		if !last.spent() {
			// While the account is unusable, tries may go on for days: only the last one is kept.
			r.Attempts = r.Attempts[:len(r.Attempts)-1]
		}
	}
	r.Attempts = append(r.Attempts, Attempt{Number: number, Hop: hop, To: to, ClaimID: claimID, StartedAt: Stamp(now)})
	r.LeaseUntil = Stamp(now.Add(lease))
	return r, nil
}

// Accept records that Twilio took the attempt's message under sid, and moves the text on if that attempt is the current
// one. changed is false if that is known already.
func (r Record) Accept(number int, sid string, status sms.Status, now time.Time) (accepted Record, changed bool) {
	accepted = r.copy(now)
	accepted.change(number, func(a *Attempt) { changed = a.accept(sid, status, now) })
	if !changed {
		return r, false
	}
	return accepted.settle(number, now), true
}

// accept marks the attempt as taken by Twilio under sid with status, and reports whether that was news. An attempt is
// one POST, so that another sid than the one known is none of its.
func (a *Attempt) accept(sid string, status sms.Status, now time.Time) bool {
	if a.OutboundSid != "" && a.OutboundSid != sid {
		return false
	}
	news := !a.Accepted() || status.Supersedes(a.Status)
	a.Outcome, a.OutboundSid = OutcomeAccepted, sid
	if a.EndedAt.IsZero() {
		a.EndedAt = Stamp(now)
	}
	if status.Supersedes(a.Status) {
		a.Status = status
	}
	return news
}

// settle moves the text to where the attempt's status has brought it, if that attempt is the current one and the
// state machine has the way.
func (r Record) settle(number int, now time.Time) Record {
	last, ok := r.Current()
	if !ok || last.Number != number {
		return r
	}
	to, reason := settledBy(last.Status)
	if moved, err := r.move(to, reason, now); err == nil {
		return moved
	}
	return r
}

// change applies edit to the attempt of that number, if there is one.
func (r Record) change(number int, edit func(*Attempt)) {
	for i := range r.Attempts {
		if r.Attempts[i].Number == number {
			edit(&r.Attempts[i])
		}
	}
}

// End closes the attempt with the failure f and moves the text to state with reason. For Queued, notBefore is when
// the next attempt is due. If a receipt was quicker and says that Twilio took the message, that stands and the
// record is returned as it is with changed false.
func (r Record) End(number int, f *fault.Error, to State, reason Reason, notBefore, now time.Time) (ended Record, changed bool, err error) {
	if !r.open(number) {
		return r, false, nil
	}
	r, err = r.move(to, reason, now)
	if err != nil {
		return r, false, err
	}
	r.change(number, func(a *Attempt) {
		a.EndedAt, a.Outcome = Stamp(now), f.Kind.String()
		a.ErrorCode, a.HTTPStatus = f.Code, f.HTTPStatus
		if f.Err != nil {
			a.Error = f.Err.Error()
		}
	})
	if to == Queued {
		r.NotBefore = Stamp(notBefore)
	}
	return r, true, nil
}

// open reports whether the attempt of that number is the current one and still without an outcome.
func (r Record) open(number int) bool {
	last, ok := r.Current()
	return ok && r.State == Sending && last.Number == number && last.Outcome == ""
}

// Drop ends the text unsent, for reason.
func (r Record) Drop(reason Reason, now time.Time) (Record, error) {
	return r.move(Dropped, reason, now)
}

// Die ends the text on the dead-letter queue, for reason.
func (r Record) Die(reason Reason, now time.Time) (Record, error) {
	return r.move(Dead, reason, now)
}
