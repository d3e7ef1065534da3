package delivery

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// job is a message of a queue and the text that it moves: an inbound or manual text's own message, or a timer.
type job struct {
	record events.SQSMessage
	// text is the text as the ledger has it, or as it would be put there.
	text ledger.Record
	// optOutType is the inbound message's.
	optOutType string
	// due is when a timer was to look at the text, zero without one.
	due time.Time
	// isPhones is set if the message is a text as it came in. If a phone on duty wrote it, it only has to be decided here what becomes
	// of the text; a message of its own takes it to the customer.
	isPhones bool
	// writtenAt is when Twilio got the text, if that is known to be long before the front door got it.
	writtenAt time.Time
	// author is the phone that wrote the text, as far as it was read.
	author conversation.Phone
	// head is what the phone that is next is sent before the words, and what is written of that before the claim.
	head head
	// way is the text's route as it was last looked up for it, zero if it was not yet.
	way route.Route
	// first is the phone that has the text's conversation, as far as that was read: it is tried first.
	first sms.PhoneNumber
	// parent is the job of the text that goes to several phones at the same time, if this one's text is the one to one of them.
	parent *job
	// rung are the records of the text to the phones of its ring, nil if they were not worked on. isNewRing is set if there are none yet.
	rung      []ledger.Record
	isNewRing bool
	// isOver is set of a second part that is not to be sent any more, because its phone did not get the first part, or another one has it.
	isOver bool
	// moved is set once this job has changed the text.
	moved bool
}

// since returns when the text was last due: when it came in, was redriven, or had waited for long enough.
func (j *job) since() time.Time {
	since := j.text.DueSince()
	for _, later := range []time.Time{j.text.NotBefore, j.due} {
		if later.After(since) {
			since = later
		}
	}
	return since
}

// maxSteps bounds what one job does in a row; it comes back for the rest.
const maxSteps = 25

// text relays one text.
func (h *Handler) text(ctx context.Context, envelope queue.Envelope, record events.SQSMessage) verdict {
	j := &job{
		record: record, text: open(envelope, h.config.Retention), optOutType: envelope.Message.OptOutType,
		isPhones: envelope.Kind == queue.KindInbound, writtenAt: envelope.WrittenAt,
	}
	_, letter := lettersAttempts(record)
	_, ordered := orderOf(record)
	if attributeOf(record, AttributeOrder) == orderOpen {
		return h.takeUpHeld(ctx, j)
	}
	isOnRecord := ordered || envelope.Kind == queue.KindAnswer
	if letter || isOnRecord || looks(record) > 1 {
		// The message was received before, or is a dead letter, an order or an answer. Its record is read first, because a claim would
		// only fail.
		if known, err := h.recall(ctx, j.text); err != nil {
			h.config.Logger.LogAttrs(ctx, slog.LevelError, "record not read", textAttrs(j.text, err)...)
			return h.later(j.since(), err)
		} else if known.Version > 0 {
			j.text = known
		} else if isOnRecord {
			// The ledger has forgotten the text since, so nobody can say whether it was sent.
			h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "order for a text that is not on record", textAttrs(j.text, nil)...)
			return done()
		}
	}
	return h.advance(ctx, j)
}

// advance takes the text as far as it can go now, one step at a time. The ledger's record decides each step. It returns what
// happens to the message.
func (h *Handler) advance(ctx context.Context, j *job) verdict {
	for range maxSteps {
		if !h.hasTime(ctx) {
			return again(0)
		}
		switch {
		case j.isPhones && j.text.IsAnswer():
			return h.carryOut(ctx, j)
		case j.text.IsClosed():
			return h.keepClosed(ctx, j)
		}
		if len(j.text.Ring.Phones) > 0 && j.rung == nil {
			if v := h.ring(ctx, j); v.isFinal() {
				return v
			}
			continue
		}
		step, until := j.text.Next(h.config.Now())
		if j.isOver && j.text.State == ledger.Queued {
			return h.endRest(ctx, j)
		}
		var v verdict
		switch step {
		case ledger.StepClaim:
			v = h.attempt(ctx, j)
		case ledger.StepDoubt:
			v = h.doubt(ctx, j)
		case ledger.StepLook:
			v = h.look(ctx, j)
		case ledger.StepWait:
			v = again(until.Sub(h.config.Now()))
		case ledger.StepDone:
			v = h.finish(ctx, j)
		}
		if v.isDone() {
			v = h.conclude(ctx, j)
		}
		if v.isFinal() {
			return v
		}
	}
	return again(h.config.Policy.Base)
}

// finish acknowledges a text that needs nothing more. A dead text goes on if this message is its dead letter, moved back. A text
// that is uncertain or reached nobody goes on if this message is an operator's order.
func (h *Handler) finish(ctx context.Context, j *job) verdict {
	if attempts, letter := lettersAttempts(j.record); letter && j.text.State == ledger.Dead && !j.moved {
		if v := h.redrive(ctx, j, attempts); v.stops() {
			return v
		}
	}
	if o, ordered := orderOf(j.record); ordered && !j.moved {
		if v := h.resendOrdered(ctx, j, o); v.stops() {
			return v
		}
	}
	if !j.moved {
		h.config.Emit(one(telemetry.MetricDuplicates))
		h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "repeat ignored", textAttrs(j.text, nil)...)
	}
	return done()
}

// hasTime reports whether this invocation has enough time left for a call to Twilio and for recording its outcome.
func (h *Handler) hasTime(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || deadline.Sub(h.config.Now()) >= h.config.SendTimeout+recordTimeout)
}

// open returns the record of a text that the ledger has not seen yet.
func open(envelope queue.Envelope, retention time.Duration) ledger.Record {
	m := envelope.Message
	received := ledger.Stamp(envelope.ReceivedAt)
	return ledger.Record{
		MessageSid:   envelope.RelayID,
		Manual:       envelope.Kind == queue.KindManual,
		SeenSid:      envelope.SeenSid,
		Notice:       envelope.Kind == queue.KindNotice,
		ParentSid:    parentOf(envelope),
		TwilioNumber: m.To,
		Customer:     m.From,
		Destination:  destinationOf(envelope),
		Body:         m.Body,
		Media:        m.Media,
		ReceivedAt:   received,
		UpdatedAt:    received,
		ExpiresAt:    received.Add(retention).Unix(),
	}
}

// parentOf returns the text that the envelope's text is sent again for; empty if it is sent for itself.
func parentOf(envelope queue.Envelope) string {
	if envelope.Kind != queue.KindAgain {
		return ""
	}
	return ledger.ParentOf(envelope.RelayID)
}

// destinationOf returns the one phone that the envelope's text goes to; empty if the route says where.
func destinationOf(envelope queue.Envelope) sms.PhoneNumber {
	if envelope.Kind == queue.KindInbound {
		return ""
	}
	return envelope.Destination
}
