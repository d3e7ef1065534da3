package ledger

import "time"

// Close holds a text until then, because nobody is on duty. No queue has it meanwhile: whoever writes that sees to it that somebody takes
// the text up again, see [Record.Open].
func (r Record) Close(until, now time.Time) (Record, error) {
	return r.Linger(ReasonClosed, until, now)
}

// IsClosed reports whether the text is held because nobody is on duty.
func (r Record) IsClosed() bool { return r.State == Queued && r.Reason == ReasonClosed }

// Open takes a text up again that was held because nobody was on duty; with until, it is held until then from now on. changed is false if
// there is nothing to write.
func (r Record) Open(until, now time.Time) (opened Record, changed bool) {
	if !r.IsClosed() || r.NotBefore.Equal(Stamp(until)) {
		return r, false
	}
	if r = r.copy(now); until.IsZero() {
		r.Reason, r.NotBefore, r.OpenedAt = "", Stamp(now), Stamp(now)
		return r, true
	}
	r.NotBefore = Stamp(until)
	return r, true
}
