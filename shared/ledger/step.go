package ledger

import "time"

// Step is what a sender that was handed a text may do, given what the ledger says of it.
type Step int

const (
	// StepClaim is to make the next attempt.
	StepClaim Step = iota + 1
	// StepWait is to leave it for later; someone holds the claim, or the next attempt is not due.
	StepWait
	// StepSettle is to find out what became of an attempt: the claim's holder died, and nobody knows whether its POST
	// reached Twilio.
	StepSettle
	// StepDone is to leave it for good: nothing is left to do, and a repeat ends here.
	StepDone
)

// Next says what to do with a text that the queue hands out now. With StepWait, until is when to look again.
func (r Record) Next(now time.Time) (step Step, until time.Time) {
	switch r.State {
	case "":
		return StepClaim, time.Time{}
	case Queued:
		if now.Before(r.NotBefore) {
			return StepWait, r.NotBefore
		}
		return StepClaim, time.Time{}
	case Sending:
		if now.Before(r.LeaseUntil) {
			return StepWait, r.LeaseUntil
		}
		return StepSettle, time.Time{}
	case Sent, Delivered, Undelivered, Failed, Uncertain, Dropped, Dead:
		return StepDone, time.Time{}
	default:
		return StepDone, time.Time{}
	}
}
