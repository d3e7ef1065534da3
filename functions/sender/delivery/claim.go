package delivery

import (
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// stepBury is a step beside the ledger's own: the attempts are used up, only the dead letter is missing.
const stepBury ledger.Step = -1

// stepTaken is what begin did, and what is next.
type stepTaken struct {
	next ledger.Step
	// until is set with StepWait.
	until time.Time
	// wrote means that begin itself changed the record.
	wrote bool
}

// maxBegins bounds how often begin starts over because someone else changed the record.
const maxBegins = 5

var errUnsettledClaim = errors.New("the ledger did not settle the claim")

// begin writes the claim (or the drop) that the plan asks for, if the ledger lets it. With StepClaim this sender holds
// the claim and must go on.
func (h *Handler) begin(ctx context.Context, envelope queue.Envelope, p plan) (ledger.Record, stepTaken, error) {
	claimID := h.NewClaimID()
	r := open(envelope, h.Retention)
	var doubtful ledger.Record
	for range maxBegins {
		step, until := r.Next(h.Now())
		if step != ledger.StepClaim {
			return r, stepTaken{next: step, until: until}, nil
		}
		if r.Spent() >= h.Policy.MaxAttempts {
			return r, stepTaken{next: stepBury}, nil
		}
		wanted, err := h.firstMove(r, p, claimID)
		if err != nil {
			return r, stepTaken{}, err
		}
		stored, err := h.store(ctx, wanted)
		switch {
		case err == nil, stored.HeldBy(claimID), isOwnDrop(stored, doubtful):
			return stored, stepTaken{next: afterFirstMove(stored), wrote: true}, nil
		case errors.Is(err, ledger.ErrExists), errors.Is(err, ledger.ErrConflict):
			r = stored
		case fault.Of(err).Kind == fault.Unknown:
			// It may be written. Written again, it is either new or found to be this sender's own.
			doubtful = wanted
		default:
			return r, stepTaken{}, err
		}
	}
	return r, stepTaken{}, errUnsettledClaim
}

// isOwnDrop reports whether the stored record is the drop that this sender wrote without learning of it.
func isOwnDrop(stored, doubtful ledger.Record) bool {
	return doubtful.State == ledger.Dropped && stored.State == ledger.Dropped &&
		stored.Version == doubtful.Version+1 && stored.UpdatedAt.Equal(doubtful.UpdatedAt)
}

// firstMove returns the record as the plan wants it: claimed or dropped.
func (h *Handler) firstMove(r ledger.Record, p plan, claimID string) (ledger.Record, error) {
	if p.drop != "" {
		return r.Drop(p.drop, h.Now())
	}
	return r.Claim(claimID, p.hop, p.to, h.SendTimeout+leaseMargin, h.Now())
}

func afterFirstMove(r ledger.Record) ledger.Step {
	if r.State == ledger.Sending {
		return ledger.StepClaim
	}
	return ledger.StepDone
}

// store writes a record, new or changed.
func (h *Handler) store(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if r.Version == 0 {
		return h.Ledger.Create(ctx, r)
	}
	return h.Ledger.Update(ctx, r)
}

// open returns the record of a text that the ledger has not seen yet.
func open(envelope queue.Envelope, retention time.Duration) ledger.Record {
	m := envelope.Message
	received := ledger.Stamp(envelope.ReceivedAt)
	return ledger.Record{
		MessageSid:   envelope.RelayID,
		Manual:       envelope.Kind == queue.KindManual,
		TwilioNumber: m.To,
		Customer:     m.From,
		Destination:  envelope.Destination,
		Body:         m.Body,
		Media:        m.Media,
		ReceivedAt:   received,
		UpdatedAt:    received,
		ExpiresAt:    received.Add(retention).Unix(),
	}
}
