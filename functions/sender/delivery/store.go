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

// maxPuts limits how often a write with an unknown outcome is tried.
const maxPuts = 5

// recall reads a text's record; version 0 if there is none.
func (h *Handler) recall(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	stored, err := h.config.Ledger.Get(ctx, r.MessageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Record{}, nil
	}
	return stored, err
}

// write stores a record that was decided, unless err says that it was not. what names the change for the log: "claim", say. The
// verdict stops if the record could not be written, or if someone else was quicker.
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

// put writes a record that was decided from the job's record, and puts what is stored then into the job. If someone else changed
// the record meanwhile, ok is false and the job has their record. If the ledger did not say whether a write happened, the write is
// tried again; the stored record then shows whether it did.
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

// isOurs reports whether the stored record is the result of writing wanted over before, when the ledger did not say whether the
// write happened. A claim has a mark of its own, so it is ours whatever was written since. Any other write is ours if the record is
// as wanted, one version later.
func isOurs(before, wanted, stored ledger.Record) bool {
	if wanted.Upcoming() > before.Upcoming() {
		claim, _ := wanted.Current()
		return stored.HeldBy(claim.ClaimID)
	}
	return stored.Version == wanted.Version+1 && stored.State == wanted.State && stored.UpdatedAt.Equal(wanted.UpdatedAt)
}

// recordTries is how often a write that must not be lost is tried in a row.
const recordTries = 3

// recordTimeout bounds those tries. They go on after the batch's context has ended, because what happened has to be recorded.
const recordTimeout = 5 * time.Second

// change applies edit to the record, in several tries.
func (h *Handler) change(ctx context.Context, r ledger.Record, edit ledger.Edit) (ledger.Record, error) {
	changed, _, err := h.changeOwn(ctx, r, edit)
	return changed, err
}

// changeOwn is change; mine is true if this call wrote the record as it is now. It is false if there was nothing to change, or if
// someone else was quicker.
func (h *Handler) changeOwn(ctx context.Context, r ledger.Record, edit ledger.Edit) (changed ledger.Record, mine bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	// If the ledger did not say whether a write happened, the next try may find that write.
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
