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
	stored, err := h.config.Ledger.Get(ctx, r.MessageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Record{}, nil
	}
	return stored, err
}

// write puts a record that was decided, unless err says that it was not. what is in the record: an end, say. It stops if that could not
// be written, or someone else was quicker.
func (h *Handler) write(ctx context.Context, j *job, what string, wanted ledger.Record, err error) verdict {
	if err != nil {
		return h.notNow(ctx, j, what+" not decided", err)
	}
	ok, err := h.put(ctx, j, wanted)
	switch {
	case err != nil:
		return h.notNow(ctx, j, what+" not written", err)
	case !ok:
		return decideAgain()
	}
	return verdict{}
}

// put writes a record that was decided on what the ledger said before, and the job goes on with what is stored then. If
// someone else has changed it since, ok is false and the record is theirs. A write of which the ledger did not say whether
// it happened is tried again; the stored record then tells whether it did.
func (h *Handler) put(ctx context.Context, j *job, wanted ledger.Record) (ok bool, err error) {
	doubtful := false
	for range maxPuts {
		stored, err := auditlog.Put(ctx, h.config.Ledger, j.text, wanted)
		switch {
		case err == nil:
			ok = true
		case errors.Is(err, ledger.ErrExists), errors.Is(err, ledger.ErrConflict):
			ok = doubtful && isOurs(j.text, wanted, stored)
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

// writing is one try to write.
type writing struct{ before, wanted ledger.Record }

// isOurs reports whether the stored record is what came of writing wanted over before, where the ledger did not say whether that
// happened. A claim that it opened has a mark of its own, and is ours whatever was written since. Any other write is ours if the
// record is as wanted, one version later.
func isOurs(before, wanted, stored ledger.Record) bool {
	if wanted.Upcoming() > before.Upcoming() {
		claim, _ := wanted.Current()
		return stored.HeldBy(claim.ClaimID)
	}
	return stored.Version == wanted.Version+1 && stored.State == wanted.State && stored.UpdatedAt.Equal(wanted.UpdatedAt)
}

// recordTries is how often a write of the ledger that must not be lost is tried in a row.
const recordTries = 3

// recordTimeout bounds those tries. They go on when the batch's context ends: what happened has to be recorded.
const recordTimeout = 5 * time.Second

// change applies edit to the record, stubbornly.
func (h *Handler) change(ctx context.Context, r ledger.Record, edit ledger.Edit) (ledger.Record, error) {
	changed, _, err := h.changeOwn(ctx, r, edit)
	return changed, err
}

// changeOwn is change, and mine tells whether the record is as this call wrote it. That is not so if there was nothing to change,
// or someone else was quicker.
func (h *Handler) changeOwn(ctx context.Context, r ledger.Record, edit ledger.Edit) (changed ledger.Record, mine bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	// A write of which the ledger did not say whether it happened may be what the next try finds.
	var writes []writing
	doubtful := false
	for range recordTries {
		edited := false
		changed, err = auditlog.Change(ctx, h.config.Ledger, r, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
			before := r
			if r, edited, err = edit(r); edited {
				writes = append(writes, writing{before, r})
			}
			return r, edited, err
		})
		if err == nil {
			found := func(w writing) bool { return isOurs(w.before, w.wanted, changed) }
			return changed, edited || doubtful && slices.ContainsFunc(writes, found), nil
		}
		doubtful = doubtful || fault.Of(err).Kind == fault.Unknown
	}
	return r, false, err
}
