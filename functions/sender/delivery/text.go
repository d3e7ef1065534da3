package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// leaseMargin is what a claim's lease leaves for writing down the outcome after the POST's own time is over.
const leaseMargin = 10 * time.Second

// text relays one text: plan, claim, POST, record.
func (h *Handler) text(ctx context.Context, envelope queue.Envelope, record events.SQSMessage) verdict {
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || (ok && deadline.Sub(h.Now()) < h.SendTimeout+recordTimeout) {
		// Too late in this invocation to begin a POST that could not be seen through.
		return again(0)
	}
	p, err := h.plan(ctx, envelope)
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "route not looked up", textAttrs(open(envelope, h.Retention), err)...)
		return h.later(record, err)
	}
	r, step, err := h.begin(ctx, envelope, p)
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "claim not written", textAttrs(r, err)...)
		return h.later(record, err)
	}
	switch step.next {
	case ledger.StepClaim:
		return h.post(ctx, r, envelope, record)
	case ledger.StepWait:
		return again(step.until.Sub(h.Now()))
	case ledger.StepSettle:
		return h.settle(ctx, r, record)
	case ledger.StepDone:
		return h.finish(ctx, r, step, record)
	case stepBury:
		return h.bury(ctx, r, record)
	default:
		return again(h.Policy.Base)
	}
}

// finish acknowledges a text that needs nothing more.
func (h *Handler) finish(ctx context.Context, r ledger.Record, step stepTaken, record events.SQSMessage) verdict {
	if _, redriven := record.MessageAttributes[AttributeReason]; redriven && r.State == ledger.Dead {
		return h.returnDeadLetter(ctx, r, record)
	}
	if !step.wrote {
		h.Emit(telemetry.Measurement{Name: telemetry.MetricDuplicates, Unit: telemetry.Count, Value: 1})
		h.Logger.LogAttrs(ctx, slog.LevelInfo, "repeat ignored", textAttrs(r, nil)...)
		return done()
	}
	h.Emit(count(telemetry.MetricOutcome, "State", string(r.State)), count(telemetry.MetricDropped, "Reason", string(r.Reason)))
	h.Logger.LogAttrs(ctx, slog.LevelInfo, "text dropped", textAttrs(r, nil)...)
	return done()
}

// post makes the claimed attempt and records what came of it.
func (h *Handler) post(ctx context.Context, r ledger.Record, envelope queue.Envelope, record events.SQSMessage) verdict {
	attempt, _ := r.Current()
	sendCtx, cancel := context.WithTimeout(ctx, h.SendTimeout)
	created, err := h.Messages.Create(sendCtx, h.outbound(envelope, attempt))
	cancel()
	if err != nil {
		return h.failed(ctx, r, attempt, fault.Of(err), record)
	}
	r, err = h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Accept(attempt.Number, created.Sid, created.Status, h.Now())
		return r, changed, nil
	})
	if err != nil {
		// The text is out, and the ledger does not know. It comes back when the lease is over; a receipt may settle
		// it earlier.
		h.Logger.LogAttrs(ctx, slog.LevelError, "acceptance not recorded", textAttrs(r, err)...)
		return again(r.LeaseUntil.Sub(h.Now()))
	}
	h.Emit(
		telemetry.Measurement{Name: telemetry.MetricRelayed, Unit: telemetry.Count, Value: 1},
		latency(telemetry.MetricRelayLatency, h.Now().Sub(r.ReceivedAt)),
	)
	h.Logger.LogAttrs(ctx, slog.LevelInfo, "text relayed", textAttrs(r, nil)...)
	return done()
}

// failed carries out what the policy decides about a failed attempt.
func (h *Handler) failed(ctx context.Context, r ledger.Record, attempt ledger.Attempt, f *fault.Error, record events.SQSMessage) verdict {
	decision := h.Policy.Decide(f, r.Spent(), h.Spread())
	end := endings(decision.Action)
	notBefore := h.Now().Add(decision.Delay)
	r, err := h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.End(attempt.Number, f, end.state, end.reason, notBefore, h.Now())
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "failure not recorded", textAttrs(r, err)...)
		return again(r.LeaseUntil.Sub(h.Now()))
	}
	h.Emit(count(telemetry.MetricTwilioFault, "Kind", f.Kind.String()))
	if last, _ := r.Current(); r.State != end.state || last.Number != attempt.Number {
		// A receipt was quicker, or the lease lapsed before Twilio answered and someone else has settled the text.
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "failure came late", textAttrs(r, f)...)
		return done()
	}
	switch decision.Action {
	case retry.Again:
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "attempt failed", textAttrs(r, f)...)
		return again(decision.Delay)
	case retry.Halt:
		h.Emit(telemetry.Measurement{Name: telemetry.MetricHalted, Unit: telemetry.Count, Value: 1})
		h.Logger.LogAttrs(ctx, slog.LevelError, "sending halted", textAttrs(r, f)...)
		return again(decision.Delay)
	case retry.Exhausted:
		return h.bury(ctx, r, record)
	case retry.Refused, retry.Settle:
		h.Emit(count(telemetry.MetricOutcome, "State", string(r.State)))
		h.Logger.LogAttrs(ctx, slog.LevelWarn, "text not relayed", textAttrs(r, f)...)
		return done()
	default:
		return again(h.Policy.Base)
	}
}

type ending struct {
	state  ledger.State
	reason ledger.Reason
}

// endings says in which state a failed attempt leaves the text. An exhausted text is queued until its dead letter is.
func endings(action retry.Action) ending {
	switch action {
	case retry.Refused:
		return ending{ledger.Failed, ledger.ReasonRefused}
	case retry.Settle:
		return ending{ledger.Uncertain, ledger.ReasonUnknownOutcome}
	case retry.Again, retry.Halt, retry.Exhausted:
		return ending{ledger.Queued, ""}
	default:
		return ending{ledger.Queued, ""}
	}
}

// settle parks a text whose sender died between its claim and Twilio's answer. If Twilio has the message, a receipt
// will say so.
func (h *Handler) settle(ctx context.Context, r ledger.Record, record events.SQSMessage) verdict {
	attempt, _ := r.Current()
	lapsed := &fault.Error{Kind: fault.Unknown, Err: errLapsedLease}
	r, err := h.change(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.End(attempt.Number, lapsed, ledger.Uncertain, ledger.ReasonLapsedLease, time.Time{}, h.Now())
	})
	if err != nil {
		h.Logger.LogAttrs(ctx, slog.LevelError, "lapsed lease not recorded", textAttrs(r, err)...)
		return h.later(record, err)
	}
	if r.State != ledger.Uncertain {
		return h.finish(ctx, r, stepTaken{}, record)
	}
	h.Emit(count(telemetry.MetricOutcome, "State", string(r.State)))
	h.Logger.LogAttrs(ctx, slog.LevelWarn, "lease lapsed", textAttrs(r, nil)...)
	return done()
}

var errLapsedLease = errors.New("the sender ended between its claim and Twilio's answer")
