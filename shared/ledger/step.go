package ledger

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
)

// Step is what a sender does next with a text that it received, decided by the text's record.
type Step int

const (
	// StepClaim is to make the next attempt.
	StepClaim Step = iota + 1
	// StepWait is to leave it for later; someone holds the claim, or what is next is not due.
	StepWait
	// StepDoubt is to record that the outcome of an attempt is unknown: the claim's holder died.
	StepDoubt
	// StepLook is to search Twilio's list for the message of an attempt whose outcome is unknown.
	StepLook
	// StepDone is to leave it for good: nothing is left to do, and a repeat ends here.
	StepDone
)

// Next says what to do with a text that the queue hands out now. With StepWait, until is when to look again.
// A record that was written later than now holds nobody back: the clock that wrote it was ahead, and so are its lease and its
// "not before". If the claim's holder is still at work, its message is found at Twilio, as after a crash.
func (r Record) Next(now time.Time) (step Step, until time.Time) {
	switch r.State {
	case "":
		return StepClaim, time.Time{}
	case Queued:
		return r.due(StepClaim, r.NotBefore, now)
	case Sending:
		if last, _ := r.Current(); last.Unknown() {
			return r.due(StepLook, r.NotBefore, now)
		}
		return r.due(StepDoubt, r.LeaseUntil, now)
	case Sent, Delivered, Undelivered, Failed, Uncertain, Dropped, Dead:
		return StepDone, time.Time{}
	default:
		return StepDone, time.Time{}
	}
}

// due returns the step, or to wait for it until it is due.
func (r Record) due(step Step, at, now time.Time) (Step, time.Time) {
	if now.Before(at) && !clock.Ahead(r.UpdatedAt, now) {
		return StepWait, at
	}
	return step, time.Time{}
}
