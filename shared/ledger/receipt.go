package ledger

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Accept records that Twilio accepted the attempt's message as sid, and moves the text on if that attempt is the current one.
// changed is false if that is known already.
func (r Record) Accept(number int, sid string, status sms.Status, now time.Time) (accepted Record, changed bool) {
	accepted = r.copy(now)
	accepted.change(number, func(a *Attempt) { changed = a.accept(sid, status, now) })
	if !changed {
		return r, false
	}
	accepted.release(number, sid)
	return accepted.settle(number, Onward{}, now), true
}

// Apply records a receipt on the attempt it belongs to. If the receipt ends the current attempt undelivered, the text goes
// onward; otherwise it moves to where its attempts have brought it. changed is false if the receipt says nothing new: it
// came late, twice or out of order, or belongs to no attempt of this text.
func (r Record) Apply(receipt sms.Receipt, onward Onward, now time.Time) (applied Record, changed bool) {
	applied = r.copy(now)
	applied.change(receipt.Attempt, func(a *Attempt) { changed = a.apply(receipt, now) })
	if !changed {
		return r, false
	}
	applied.release(receipt.Attempt, receipt.Sid)
	return applied.settle(receipt.Attempt, onward, now), true
}

// AwaitedAttempt returns the attempt whose receipt a sent text waits for: the last one whose message Twilio has and that has no
// final status and was not given up. ok is false if there is no such attempt.
func (r Record) AwaitedAttempt() (attempt Attempt, ok bool) {
	all := r.AwaitedAttempts()
	if len(all) == 0 {
		return Attempt{}, false
	}
	return all[0], true
}

// AwaitedAttempts returns the attempt whose receipt a sent text waits for, and the earlier attempts for which that is true as
// well, the last one first.
func (r Record) AwaitedAttempts() []Attempt {
	if r.State != Sent {
		return nil
	}
	var all []Attempt
	for _, a := range slices.Backward(r.Attempts) {
		if a.underWay() && !a.Status.Final() {
			all = append(all, a)
		}
	}
	return all
}

// TimeOut stops waiting for the receipt of the awaited attempt, and for those of earlier ones, which are older: the next hop is due.
// If the outcome of a later attempt is unknown, the phone may have got that one, and the text is uncertain. changed is false if the
// text has moved on, waits for the receipt of another attempt, or was refused for good since.
func (r Record) TimeOut(number int, now time.Time) (late Record, changed bool) {
	awaited, ok := r.AwaitedAttempt()
	if !ok || awaited.Number != number || r.refusedForGood() {
		return r, false
	}
	to, reason := Queued, ReasonDeliveryTimeout
	if r.inDoubtAfter(number) {
		to, reason = Uncertain, ReasonUnknownOutcome
	}
	late, err := r.move(to, reason, now)
	if err != nil {
		return r, false
	}
	if to == Queued {
		late.NotBefore = late.UpdatedAt
	}
	for i := range late.Attempts {
		if a := &late.Attempts[i]; a.awaited() {
			a.HopDone = true
		}
	}
	return late, true
}

// inDoubtAfter reports whether the outcome of an attempt after that one is unknown.
func (r Record) inDoubtAfter(number int) bool {
	return slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return a.Number > number && a.Unknown() })
}

// refusedForGood reports whether Twilio refused an attempt for a reason that holds for every phone, since an operator last had the
// text sent again. Then no other attempt is made, whatever happens to an earlier message.
func (r Record) refusedForGood() bool {
	return slices.ContainsFunc(r.Attempts, func(a Attempt) bool {
		return a.Number > r.RedrivenAfter && a.Outcome == fault.Permanent.String() && !a.HopDone
	})
}

// release takes a message away from other attempts, because it belongs to the attempt of that number. A look had matched it with
// them; their outcome is unknown again. The attempts must be r's own.
func (r Record) release(number int, sid string) {
	for i := range r.Attempts {
		if a := &r.Attempts[i]; a.Number != number && a.Found && a.OutboundSid == sid {
			a.Outcome, a.OutboundSid, a.Status, a.ErrorCode, a.Found = fault.Unknown.String(), "", "", 0, false
		}
	}
}

// accept marks the attempt as accepted by Twilio as sid with status, and reports whether that was news. An attempt is one POST and
// has one sid, so another sid belongs to another attempt, unless the known one was only found among messages with the same words.
func (a *Attempt) accept(sid string, status sms.Status, now time.Time) bool {
	if a.OutboundSid != "" && a.OutboundSid != sid {
		if !a.Found {
			return false
		}
		a.Found, a.Status, a.ErrorCode = false, "", 0
	}
	news := !a.Accepted() || a.OutboundSid != sid || status.Supersedes(a.Status)
	a.Outcome, a.OutboundSid = OutcomeAccepted, sid
	if a.EndedAt.IsZero() {
		a.EndedAt = Stamp(now)
	}
	if status.Supersedes(a.Status) {
		a.Status = status
	}
	return news
}

// apply writes the receipt into the attempt and reports whether it was news.
func (a *Attempt) apply(receipt sms.Receipt, now time.Time) bool {
	if !a.accept(receipt.Sid, receipt.Status, now) {
		return false
	}
	if receipt.ErrorCode != 0 {
		a.ErrorCode = receipt.ErrorCode
	}
	return true
}

// settle moves the text after news about the attempt of that number, if the state machine allows it.
func (r Record) settle(number int, onward Onward, now time.Time) Record {
	if r.State.Final() {
		// This includes a dead text: an operator decides whether it is sent again.
		return r
	}
	last, _ := r.Current()
	about := r.Attempts[slices.IndexFunc(r.Attempts, func(a Attempt) bool { return a.Number == number })]
	isCurrent, givenUp, lost := last.Number == number, about.HopDone, about.Status.Lost()
	to, reason := r.rest()
	switch {
	case to == Delivered:
	case r.State == Sending && !isCurrent,
		r.State == Queued && (givenUp || lost && !isCurrent),
		r.State == Uncertain && givenUp && r.InDoubt():
		// Another attempt is open, looked for or due, or an operator has to look for it: only a delivery stops that.
		return r
	case r.State == Sent && lost && !givenUp && r.inDoubtAfter(number) && !r.underWay():
		// The phone may have got a later message, as when an earlier one times out.
		to, reason = Uncertain, ReasonUnknownOutcome
	case (isCurrent || r.State == Sent && to != Uncertain && !r.refusedForGood()) && !givenUp && lost && onward.To == Queued:
		// A sent text may have waited for an earlier attempt.
		if back, ok := r.goBack(number, onward, now); ok {
			return back
		}
	case r.State == Queued && lost && number <= r.RedrivenAfter && to != Sent:
		// An operator had it sent again since: that an earlier message is lost changes nothing.
		return r
	}
	if moved, err := r.move(to, reason, now); err == nil {
		return moved
	}
	return r
}

// goBack sends a text onward that Twilio had accepted and did not deliver. ok is false if another attempt's message is on its way,
// or if the text has ended.
func (r Record) goBack(number int, onward Onward, now time.Time) (back Record, ok bool) {
	back = r.copy(now)
	back.change(number, func(a *Attempt) { a.HopDone, a.Spared = onward.HopDone, onward.Spared })
	if back.underWay() {
		return r, false
	}
	if back.State != Queued {
		var err error
		if back, err = back.move(onward.To, onward.Reason, now); err != nil {
			return r, false
		}
	}
	back.Reason, back.NotBefore, back.Slot = onward.Reason, Stamp(onward.NotBefore), Slot{}
	return back, true
}

// rest returns the state that follows from the attempts if no further one is made.
func (r Record) rest() (State, Reason) {
	var last Attempt
	for _, a := range r.Attempts {
		if !a.Accepted() {
			continue
		}
		last = a
		if a.Status == sms.StatusDelivered || a.Status == sms.StatusRead {
			return Delivered, ""
		}
	}
	switch {
	case r.Awaited():
		return Sent, ""
	case r.InDoubt():
		return Uncertain, ReasonUnknownOutcome
	case last.Status == sms.StatusUndelivered:
		return Undelivered, ""
	default:
		return Failed, ReasonReceipt
	}
}

// awaited reports whether Twilio has accepted the attempt's message and not said that it is lost.
func (a Attempt) awaited() bool { return a.Accepted() && !a.Status.Lost() }

// Awaited reports whether Twilio has accepted a message for this text that may still be delivered.
func (r Record) Awaited() bool {
	return r.Folded.Awaited || slices.ContainsFunc(r.Attempts, Attempt.awaited)
}

// underWay reports whether such a message is on its way, and nobody has given it up.
func (a Attempt) underWay() bool { return a.awaited() && !a.HopDone }

// underWay reports whether a message of the text is on its way that nobody has given up.
func (r Record) underWay() bool { return slices.ContainsFunc(r.Attempts, Attempt.underWay) }
