package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// timer looks at a text again, because its delivery timeout is over or a receipt sends it to the next hop. From then on the timer's
// message moves the text, as the text's own message did before.
func (h *Handler) timer(ctx context.Context, envelope queue.Envelope, record events.SQSMessage) verdict {
	due := timerOf(envelope, h.config.Now())
	if due.Opens {
		return h.opening(ctx, due, envelope)
	}
	if h.config.Now().Before(due.Due) && due.Stage == 0 {
		if h.delivered(ctx, envelope.RelayID) {
			return done()
		}
		if err := h.remind(ctx, envelope.RelayID, due.Attempt, due.Due); err != nil {
			h.config.Logger.LogAttrs(ctx, slog.LevelError, "timer not set again",
				slog.String("message_sid", envelope.RelayID), slog.String("error", err.Error()))
			return h.later(envelope.ReceivedAt, err)
		}
		return done()
	}
	if due.Stage > 0 {
		return h.stage(ctx, due, envelope)
	}
	r, err := h.config.Ledger.Get(ctx, envelope.RelayID)
	j := &job{record: record, text: r, due: due.Due}
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		j.text.MessageSid = envelope.RelayID
		return h.notNow(ctx, j, "record not read", err)
	}
	if r.IsHeld() {
		return h.endHold(ctx, j, envelope.Timer.Due)
	}
	hasRing := len(r.Ring.Phones) > 0
	if r.Upcoming() <= due.Attempt && !hasRing {
		// The claim that the timer was set for is being written, or never was.
		if left := h.config.SendTimeout + leaseMargin - h.config.Now().Sub(due.Due); left > 0 {
			return again(left)
		}
		return done()
	}
	if last, _ := r.Current(); r.State == ledger.Sending && last.Number == due.Attempt && !r.AcceptedByTwilio() && !hasRing {
		// The text's own message is working on it. After a ring, this timer may be in that one's place.
		return again(patience)
	}
	v := done()
	if (r.AcceptedByTwilio() || hasRing) && !h.needsNothing(r) {
		v = h.advance(ctx, j)
	}
	for asked := 0; v.isDone(); {
		// The awaited attempt is not the last: a later one was refused or lost, or its outcome is unknown. The later one's timer is
		// used for the earlier one.
		awaited, ok := j.text.AwaitedAttempt()
		if !ok || awaited.Number > due.Attempt || awaited.Number == asked {
			break
		}
		asked = awaited.Number
		v = h.timeOut(ctx, j, awaited)
	}
	if v.isDone() {
		// What comes after a text's end may have failed before, with this message.
		return h.conclude(ctx, j)
	}
	return v
}

// remind sets a timer: the text is looked at again when it is due. A queue delays a message for a limited time only, so a timer
// that is due later than that is set again when it comes.
func (h *Handler) remind(ctx context.Context, relayID string, attempt int, due time.Time) error {
	return h.setTimerOf(ctx, relayID, queue.Timer{Attempt: attempt, Due: due})
}

func (h *Handler) setTimerOf(ctx context.Context, relayID string, timer queue.Timer) error {
	now := h.config.Now()
	envelope := queue.Envelope{Version: queue.Version, Kind: queue.KindTimer, RelayID: relayID, ReceivedAt: now, Timer: &timer}
	message, err := envelope.Outgoing()
	if err != nil {
		return err
	}
	message.Delay = min(max(0, timer.Due.Sub(now)), queue.MaxDelay)
	return h.config.Timers.Send(ctx, message)
}

// timerOf returns the envelope's timer. If the clock that set it was ahead, the timer keeps its length and starts now.
func timerOf(envelope queue.Envelope, now time.Time) queue.Timer {
	timer := *envelope.Timer
	if clock.Ahead(envelope.ReceivedAt, now) {
		timer.Due = now.Add(timer.Due.Sub(envelope.ReceivedAt))
	}
	return timer
}

// delivered reports whether we know that a text has arrived, so that a timer that is not due yet need not be set again. It is false
// if the record cannot be read.
func (h *Handler) delivered(ctx context.Context, messageSid string) bool {
	r, err := h.config.Ledger.Get(ctx, messageSid)
	return err == nil && r.State == ledger.Delivered
}

// needsNothing reports whether the text needs nothing more for now.
func (h *Handler) needsNothing(r ledger.Record) bool {
	step, _ := r.Next(h.config.Now())
	return step == ledger.StepDone
}

// timeOut gives up on a message that was not delivered in time, and on the text's earlier ones. It asks Twilio about each of them
// before, because the message may have arrived and only its receipt may be lost.
func (h *Handler) timeOut(ctx context.Context, j *job, attempt ledger.Attempt) verdict {
	const unsettled = "delivery timeout not settled"
	p, err := h.plan(ctx, j)
	if err != nil {
		return h.notNow(ctx, j, unsettled, err)
	}
	if p.Drop != "" || p.DeliveryTimeout == 0 || !p.MayGoOn(j.text, attempt.To) {
		return done()
	}
	now := h.config.Now()
	if !p.Next(j.text, attempt.To) {
		// Nobody else is on duty before then.
		return again(p.Changes.Sub(now))
	}
	if early := attempt.StartedAt.Add(p.DeliveryTimeout).Sub(now); early > 0 && !clock.Ahead(attempt.StartedAt, now) {
		// The timer is older than the claim, because the first claim failed, or the route's delivery timeout was raised since.
		return again(early)
	}
	var found sms.Listed
	for _, awaited := range j.text.AwaitedAttempts() {
		if !h.hasTime(ctx) {
			return again(0)
		}
		if found, err = h.fetch(ctx, j, awaited); err != nil {
			return h.notNow(ctx, j, unsettled, err)
		}
		if last, ok := j.text.AwaitedAttempt(); !ok || last.Number != attempt.Number {
			return h.timedOut(ctx, j, found)
		}
	}
	if err := h.giveUp(ctx, j, attempt); err != nil {
		return h.notNow(ctx, j, unsettled, err)
	}
	return h.timedOut(ctx, j, found)
}

// giveUp records that the attempt's message, and the earlier ones, are not waited for any more.
func (h *Handler) giveUp(ctx context.Context, j *job, attempt ledger.Attempt) error {
	if _, isLate := j.text.TimeOut(attempt.Number, h.config.Now()); !isLate {
		// A later attempt was refused for every phone: the text waits for its receipts, and for nothing else.
		return nil
	}
	// The timer's message may have been delivered twice: the other worker may have deleted it when it is needed, because the text waits
	// for its next phone and this worker has stopped. If the new timer comes before the text has moved, it does the same as this one.
	due := h.config.Now().Add(h.config.SendTimeout + leaseMargin)
	if err := h.remind(ctx, j.text.MessageSid, attempt.Number, due); err != nil {
		return err
	}
	isLate := false
	stored, err := h.change(ctx, j.text, func(r ledger.Record) (_ ledger.Record, _ bool, err error) {
		r, isLate = r.TimeOut(attempt.Number, h.config.Now())
		return r, isLate, nil
	})
	j.text = stored
	if err == nil && isLate && j.text.State == ledger.Queued {
		h.config.Emit(count(telemetry.MetricCascaded, "Reason", string(ledger.ReasonDeliveryTimeout)))
	}
	return err
}

// timedOut goes on with a text once its timeout is settled. found is what Twilio said last.
func (h *Handler) timedOut(ctx context.Context, j *job, found sms.Listed) verdict {
	j.moved = true
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "delivery timeout",
		append(textAttrs(j.text, nil), slog.String("message_status", string(found.Status)))...)
	return h.advance(ctx, j)
}

// fetch asks Twilio what happened to an attempt's message, and applies a final status as a receipt that says so.
func (h *Handler) fetch(ctx context.Context, j *job, attempt ledger.Attempt) (found sms.Listed, err error) {
	fetchCtx, cancel := context.WithTimeout(ctx, h.config.SendTimeout)
	found, err = h.config.Messages.Fetch(fetchCtx, attempt.OutboundSid)
	cancel()
	if f := fault.Of(err); f.Kind == fault.Permanent && f.HTTPStatus == notFound && f.Code != 0 {
		// Twilio itself says that it does not know the message, so nobody will get it.
		return sms.Listed{}, nil
	}
	if err != nil || !found.Status.Final() {
		return found, err
	}
	a, err := h.apply(ctx, j.text, receiptOf(j.text, attempt, found))
	j.text = a.record
	return found, err
}

// notFound is the HTTP status of a message that Twilio does not have.
const notFound = 404

// patience is how long a timer waits for an attempt that is still open.
const patience = 30 * time.Second
