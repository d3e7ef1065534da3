// Package doubts writes down what an operator decides about a text that may or may not have been sent. It asks Twilio about a message that
// the operator has found there, and decides nothing itself.
package doubts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Ledger is what the decisions need of the ledger.
type Ledger interface {
	ledger.Store
	ledger.Lister
}

// Twilio reads one message. Errors are *fault.Error.
type Twilio interface {
	Fetch(ctx context.Context, messageSid string) (sms.Listed, error)
}

// Desk is where decisions are made.
type Desk struct {
	Ledger Ledger
	Queue  queue.Sender
	// Twilio is asked whether a message exists and belongs to the text; nil asks nobody.
	Twilio Twilio
	Now    func() time.Time
}

// Order is what an operator decided. Sent is the message that Twilio has, if that is the decision, of the attempt Attempt; 0 is the last
// attempt in doubt.
type Order struct {
	What    ledger.Verdict
	Sent    string
	Attempt int
}

// Means says what would happen to the text.
func (o Order) Means() string {
	switch o.What {
	case ledger.VerdictResend:
		return "would be sent again; if Twilio has the first message after all, the phone gets both"
	case ledger.VerdictSent:
		return "would be recorded as sent, as Twilio's message " + o.Sent
	case ledger.VerdictGiveUp, ledger.VerdictLetterDropped, ledger.VerdictForget:
	}
	return "would be given up: it stays uncertain, and relay uncertain ls no longer shows it"
}

// RefusedError is why a decision cannot be made.
type RefusedError struct {
	What, Hint string
	// IsMissing: the ledger has no such text.
	IsMissing bool
}

// Error says why.
func (r RefusedError) Error() string { return r.What }

// Find reads a text, and refuses it if it is not uncertain.
func (d Desk) Find(ctx context.Context, sid string) (ledger.Record, error) {
	r, err := d.Ledger.Get(ctx, sid)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return r, RefusedError{"the ledger has no text " + sid, "relay uncertain ls lists the texts that wait for a decision", true}
	case err != nil:
		return r, fmt.Errorf("read %s: %w", sid, err)
	case r.State != ledger.Uncertain:
		return r, notUncertain(r)
	}
	return r, nil
}

// notUncertain refuses a text that needs no decision.
func notUncertain(r ledger.Record) error {
	return RefusedError{
		What: fmt.Sprintf("%s is %s", r.MessageSid, cli.StateLine(r)),
		Hint: "only uncertain texts need a decision; relay explain state " + string(r.State) + " says what this state means",
	}
}

// undecided says why a decision changed nothing.
func undecided(r ledger.Record) error {
	if r.State == ledger.Uncertain {
		return RefusedError{What: fmt.Sprintf("%s is already %s", r.MessageSid, cli.StateLine(r))}
	}
	return notUncertain(r)
}

// Edit is a change of a record, see [auditlog.Change].
type Edit func(ledger.Record) (ledger.Record, bool, error)

// Edit returns what a decision changes in the text's record, unless it is to be sent again: that is an order, see [Desk.Resend].
func (d Desk) Edit(ctx context.Context, r ledger.Record, o Order, by ledger.Decision) (Edit, error) {
	if o.What == ledger.VerdictGiveUp {
		return func(r ledger.Record) (ledger.Record, bool, error) {
			r, changed := r.Abandon(by, d.Now())
			return r, changed, nil
		}, nil
	}
	receipt, err := d.receipt(ctx, r, o)
	if err != nil {
		return nil, err
	}
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Attest(receipt, by, d.Now())
		return r, changed, nil
	}, nil
}

// Of returns the text as it would be after the decision. The error says why the decision cannot be made.
func (e Edit) Of(r ledger.Record) (ledger.Record, error) {
	after, changed, err := e(r)
	if err == nil && !changed {
		err = undecided(r)
	}
	return after, err
}

// Write writes the decision into the ledger, unless the text has reached its end meanwhile.
func (d Desk) Write(ctx context.Context, r ledger.Record, edit Edit) (stored ledger.Record, err error) {
	decided := false
	stored, err = auditlog.Change(ctx, d.Ledger, r, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, decided, err = edit(r)
		return r, decided, err
	})
	switch {
	case err != nil:
		return stored, fmt.Errorf("write the decision about %s: %w", r.MessageSid, err)
	case !decided:
		return stored, undecided(stored)
	}
	if err := d.settleRing(ctx, stored); err != nil {
		return stored, fmt.Errorf("write what follows for %s: %w", stored.ParentSid, err)
	}
	return stored, nil
}

// Resend puts the order to send the text again on the queue, for the sender.
func (d Desk) Resend(ctx context.Context, r ledger.Record, by ledger.Decision) error {
	order, err := delivery.ResendOrder(r, by)
	if err == nil {
		err = d.Queue.Send(ctx, order)
	}
	if err != nil {
		return fmt.Errorf("order %s to be sent again: %w", r.MessageSid, err)
	}
	return nil
}
