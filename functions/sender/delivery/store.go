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
			ok = doubtful && writingOf(j.text, wanted).isOurs(stored)
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

// writing is what shows one try to write in the record that is stored later.
type writing struct {
	// claimID is that of the claim that it makes, empty if it makes none.
	claimID string
	// version is the record's once it is written, state and updatedAt are as in the record.
	version   int64
	state     ledger.State
	updatedAt time.Time
}

// writingOf is the try to write wanted over before.
func writingOf(before, wanted ledger.Record) writing {
	w := writing{version: wanted.Version + 1, state: wanted.State, updatedAt: wanted.UpdatedAt}
	if wanted.Upcoming() > before.Upcoming() {
		claim, _ := wanted.Current()
		w.claimID = claim.ClaimID
	}
	return w
}

// isOurs reports whether the stored record is the result of the try, when the ledger did not say whether the write happened. A claim has a
// mark of its own, so it is ours whatever was written since. Any other write is ours if the record is as wanted, one version later.
func (w writing) isOurs(stored ledger.Record) bool {
	if w.claimID != "" {
		return stored.HeldBy(w.claimID)
	}
	return stored.Version == w.version && stored.State == w.state && stored.UpdatedAt.Equal(w.updatedAt)
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
	var doubtful []writing
	for range recordTries {
		edited := false
		var last writing
		changed, err = auditlog.Change(ctx, h.config.Ledger, r, func(r ledger.Record) (wanted ledger.Record, _ bool, err error) {
			wanted, edited, err = edit(r)
			last = writingOf(r, wanted)
			return wanted, edited, err
		})
		if err == nil {
			found := func(w writing) bool { return w.isOurs(changed) }
			return changed, edited || slices.ContainsFunc(doubtful, found), nil
		}
		if edited && fault.Of(err).Kind == fault.Unknown {
			doubtful = append(doubtful, last)
		}
	}
	return r, false, err
}
