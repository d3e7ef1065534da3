package ledger

import "time"

// Close holds a text until then: for ReasonClosed or ReasonUnverified, no phone may get it. No queue has it meanwhile: whoever writes that
// sees to it that somebody takes the text up again, see [Record.Open].
func (r Record) Close(reason Reason, until, now time.Time) (Record, error) {
	return r.Linger(reason, until, now)
}

// IsClosed reports whether the text is held because no phone may get it.
func (r Record) IsClosed() bool {
	return r.State == Queued && (r.Reason == ReasonClosed || r.Reason == ReasonUnverified)
}

// Open takes up again a text that was held because no phone might get it; with a reason, it is held for that until then from now on.
// changed is false if there is nothing to write.
func (r Record) Open(reason Reason, until, now time.Time) (opened Record, changed bool) {
	if reason == "" {
		until = now
	}
	if !r.IsClosed() || r.Reason == reason && r.NotBefore.Equal(Stamp(until)) {
		return r, false
	}
	r = r.copy(now)
	if r.Reason == ReasonClosed && reason != ReasonClosed {
		r.OpenedAt = Stamp(now)
	}
	r.Reason, r.NotBefore = reason, Stamp(until)
	return r, true
}
