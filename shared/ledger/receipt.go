package ledger

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Apply records a receipt on the attempt it belongs to, and moves the text on if that attempt is the current one.
// changed is false if the receipt says nothing new: it came late, twice or out of order, or belongs to no attempt of
// this text.
func (r Record) Apply(receipt sms.Receipt, now time.Time) (applied Record, changed bool) {
	applied = r.copy(now)
	applied.change(receipt.Attempt, func(a *Attempt) { changed = a.apply(receipt, now) })
	if !changed {
		return r, false
	}
	return applied.settle(receipt.Attempt, now), true
}

// apply takes the receipt over into the attempt and reports whether it was news.
func (a *Attempt) apply(receipt sms.Receipt, now time.Time) bool {
	if !receipt.Status.Supersedes(a.Status) || !a.accept(receipt.Sid, receipt.Status, now) {
		return false
	}
	if receipt.ErrorCode != 0 {
		a.ErrorCode = receipt.ErrorCode
	}
	return true
}

// settledBy maps Twilio's status of the outbound message to the state of the text.
func settledBy(status sms.Status) (State, Reason) {
	switch status {
	case sms.StatusDelivered, sms.StatusRead:
		return Delivered, ""
	case sms.StatusUndelivered:
		return Undelivered, ""
	case sms.StatusFailed, sms.StatusCanceled:
		return Failed, ReasonReceipt
	case sms.StatusAccepted, sms.StatusScheduled, sms.StatusQueued, sms.StatusSending, sms.StatusSent,
		sms.StatusPartiallyDelivered, sms.StatusReceiving, sms.StatusReceived:
		return Sent, ""
	default:
		return Sent, ""
	}
}
