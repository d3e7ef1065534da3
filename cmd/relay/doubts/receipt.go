package doubts

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// receipt turns what the operator says about the message into a receipt of the attempt in doubt.
func (d Desk) receipt(ctx context.Context, r ledger.Record, o Order) (sms.Receipt, error) {
	attempt, err := o.doubtful(r)
	if err != nil {
		return sms.Receipt{}, err
	}
	receipt := sms.Receipt{
		Sid: o.Sent, Status: sms.StatusQueued,
		CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Hop: attempt.Hop, Attempt: attempt.Number},
	}
	if d.Twilio == nil {
		return receipt, nil
	}
	found, err := d.Twilio.Fetch(ctx, o.Sent)
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.HTTPStatus == http.StatusNotFound {
		return receipt, RefusedError{
			What: "twilio has no message " + o.Sent, Hint: "check that the message belongs to the account in TWILIO_ACCOUNT_SID",
		}
	}
	if err != nil {
		return receipt, fmt.Errorf("ask Twilio about %s: %w", o.Sent, err)
	}
	if problem := notOf(found, r, attempt); problem != "" {
		return receipt, RefusedError{
			What: fmt.Sprintf("%s is not this text's message: %s", o.Sent, problem), Hint: "if you are sure, add --force",
		}
	}
	owner, err := reconcile.Owner(ctx, d.Ledger, r, attempt, o.Sent)
	if err != nil {
		return receipt, fmt.Errorf("read the conversation: %w", err)
	}
	if owner != "" {
		return receipt, RefusedError{
			What: fmt.Sprintf("according to the ledger, %s is the message of %s", o.Sent, owner),
			Hint: "two texts with the same words have one message each: look for the other one",
		}
	}
	receipt.Status, receipt.ErrorCode = found.Status, found.ErrorCode
	return receipt, nil
}

// doubtful returns the attempt in doubt that the message belongs to.
func (o Order) doubtful(r ledger.Record) (ledger.Attempt, error) {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		if a := r.Attempts[i]; a.Unknown() && (o.Attempt == 0 || o.Attempt == a.Number) {
			return a, nil
		}
	}
	if len(r.Ring.Phones) > 0 {
		return ledger.Attempt{}, RefusedError{
			What: r.MessageSid + " goes to several phones at the same time",
			Hint: "decide about the text to the phone in doubt: relay status " + r.MessageSid + " shows its id",
		}
	}
	return ledger.Attempt{}, RefusedError{What: fmt.Sprintf("%s has no attempt %d in doubt", r.MessageSid, o.Attempt)}
}

// notOf says why a message cannot belong to the attempt, "" if it can. It quotes neither numbers nor words.
func notOf(found sms.Listed, r ledger.Record, a ledger.Attempt) string {
	switch {
	case found.Direction != sms.DirectionAPI:
		return "the API did not send it"
	case !sms.Same(found.From, r.SentFrom(a)):
		return "it is from another number"
	case !sms.Same(found.To, a.To):
		return "it went to another phone"
	case !reconcile.Same(found.Body, plan.TextOf(r.AsSent(a), a.Header)):
		return "it says something else"
	}
	return ""
}
