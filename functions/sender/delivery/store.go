package delivery

import (
	"context"
	"errors"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

var errUnsettledWrite = errors.New("the ledger did not settle the write")

// maxPuts bounds how often a write whose outcome is unknown is tried.
const maxPuts = 5

// recall reads a text's record; version 0 if there is none.
func (h *Handler) recall(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	stored, err := h.Ledger.Get(ctx, r.MessageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Record{}, nil
	}
	return stored, err
}

// put writes a record that was decided on what the ledger said before, and the job goes on with what is stored then. If
// someone else has changed it since, ok is false and the record is theirs. A write of which the ledger did not say whether
// it happened is tried again; mine then tells from the stored record whether it did.
func (h *Handler) put(ctx context.Context, j *job, wanted ledger.Record, mine func(stored ledger.Record) bool) (ok bool, err error) {
	if wanted, err = auditlog.Seal(j.text, wanted); err != nil {
		return false, err
	}
	doubtful := false
	for range maxPuts {
		stored, err := h.store(ctx, wanted)
		switch {
		case err == nil:
			ok = true
		case errors.Is(err, ledger.ErrExists), errors.Is(err, ledger.ErrConflict):
			ok = doubtful && mine(stored)
		case fault.Of(err).Kind == fault.Unknown:
			doubtful = true
			continue
		default:
			return false, err
		}
		j.text, j.moved = stored, j.moved || ok
		return ok, nil
	}
	return false, errUnsettledWrite
}

// store writes a record, new or changed.
func (h *Handler) store(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if r.Version == 0 {
		return h.Ledger.Create(ctx, r)
	}
	return h.Ledger.Update(ctx, r)
}

// asWritten reports whether a stored record is the wanted one, one version later.
func asWritten(wanted ledger.Record) func(stored ledger.Record) bool {
	return func(stored ledger.Record) bool {
		return stored.Version == wanted.Version+1 && stored.State == wanted.State && stored.UpdatedAt.Equal(wanted.UpdatedAt)
	}
}

// recordTries is how often a write of the ledger that must not be lost is tried in a row.
const recordTries = 3

// recordTimeout bounds those tries. They go on when the batch's context ends: what happened has to be recorded.
const recordTimeout = 5 * time.Second

// change applies edit to the record, stubbornly.
func (h *Handler) change(ctx context.Context, r ledger.Record, edit func(ledger.Record) (ledger.Record, bool, error)) (ledger.Record, error) {
	changed, _, err := h.changeOwn(ctx, r, edit)
	return changed, err
}

// changeOwn is change, and mine tells whether the record is as this call wrote it. That is not so if there was nothing to change,
// or someone else was quicker.
func (h *Handler) changeOwn(ctx context.Context, r ledger.Record, edit func(ledger.Record) (ledger.Record, bool, error)) (changed ledger.Record, mine bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	// A write of which the ledger did not say whether it happened may be what the next try finds.
	var wanted []ledger.Record
	doubtful := false
	for range recordTries {
		edited := false
		changed, err = ledger.Change(ctx, h.Ledger, r, auditlog.Sealing(func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
			if r, edited, err = edit(r); edited {
				wanted = append(wanted, r)
			}
			return r, edited, err
		}))
		if err == nil {
			found := func(r ledger.Record) bool { return asWritten(r)(changed) }
			return changed, edited || doubtful && slices.ContainsFunc(wanted, found), nil
		}
		doubtful = doubtful || fault.Of(err).Kind == fault.Unknown
	}
	return r, false, err
}
