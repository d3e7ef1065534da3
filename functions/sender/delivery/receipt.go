package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// receipt records what Twilio reports about a message sent earlier. If the text has to go to the next hop, a timer sends it there:
// sent from the receipts' group, it would hold up the later receipts that may stop it.
func (h *Handler) receipt(ctx context.Context, envelope queue.Envelope) verdict {
	r, err := h.config.Ledger.Get(ctx, envelope.RelayID)
	if errors.Is(err, ledger.ErrNotFound) {
		// The claim is written before the POST, so a receipt without a record belongs to a text that the ledger has forgotten.
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "receipt of an unknown text", receiptAttrs(envelope, nil)...)
		return done()
	}
	isNews := false
	if err == nil {
		var a application
		a, err = h.takeReceipt(ctx, r, *envelope.Receipt)
		r, isNews = a.record, a.isNews
	}
	last, _ := r.Current()
	mayHaveMoved := last.Number == envelope.Receipt.Attempt || envelope.Receipt.Status.Lost()
	if err == nil && r.State == ledger.Queued && r.AcceptedByTwilio() && mayHaveMoved {
		err = h.remind(ctx, r.MessageSid, last.Number, r.NotBefore)
	}
	if err == nil {
		err = errors.Join(h.tellLoss(ctx, r), h.settleRing(ctx, r))
	}
	if err == nil && hasRest(r) {
		// The text's own message may be gone: it was uncertain until now.
		err = h.remind(ctx, r.MessageSid, last.Number, h.config.Now())
	}
	if err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "receipt not applied", receiptAttrs(envelope, err)...)
		return h.later(envelope.ReceivedAt, err)
	}
	attrs := append(receiptAttrs(envelope, nil), slog.Bool("news", isNews), slog.String("state", string(r.State)))
	level := slog.LevelInfo
	if isNews && envelope.Receipt.Status.Lost() {
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(ctx, level, "receipt applied", attrs...)
	return done()
}

// takeReceipt applies a receipt. If no timer waits for the message any more, it sets one first: once the receipt is applied,
// nothing shows that a timer is missing.
func (h *Handler) takeReceipt(ctx context.Context, r ledger.Record, receipt sms.Receipt) (application, error) {
	isSet := receipt.Status.Final() && !receipt.Status.Lost()
	isUnawaited := func(r ledger.Record, number int) bool {
		if receipt.Status.Lost() {
			return leavesEarlier(r, number)
		}
		return isUnawaited(r, number)
	}
	for {
		if !isSet && isUnawaited(r, receipt.Attempt) {
			if err := h.awaitDelivery(ctx, r); err != nil {
				return application{record: r}, err
			}
			isSet = true
		}
		isMissing := false
		a, err := h.applyIf(ctx, r, receipt, func(r ledger.Record) bool {
			isMissing = !isSet && isUnawaited(r, receipt.Attempt)
			return !isMissing
		})
		if err != nil || !isMissing {
			return a, err
		}
		// It was given up while its receipt was in hand.
		r = a.record
	}
}

// leavesEarlier reports whether an earlier message is awaited once that of the attempt is lost, and the text rests until then. The timer of
// the earlier one may have come meanwhile, and found nothing to do because the later one was awaited.
func leavesEarlier(r ledger.Record, number int) bool {
	if r.State != ledger.Sent {
		return false
	}
	awaited := r.AwaitedAttempts()
	return len(awaited) > 1 && slices.ContainsFunc(awaited, func(a ledger.Attempt) bool { return a.Number == number })
}

// isUnawaited reports whether the attempt may have no timer that waits for its receipts. That is so if the text was given up, and
// if we did not know that Twilio has the message, because it was refused, say. An attempt that is under way, or being looked for,
// keeps its timer until it ends.
func isUnawaited(r ledger.Record, number int) bool {
	i := slices.IndexFunc(r.Attempts, func(a ledger.Attempt) bool { return a.Number == number })
	if i < 0 {
		return false
	}
	isNews, isLast := !r.Attempts[i].Accepted(), i == len(r.Attempts)-1
	switch r.State {
	case ledger.Uncertain:
		return true
	case ledger.Queued:
		return isNews || r.InDoubt() || r.RedrivenAfter > 0
	case ledger.Sending:
		return isNews && !isLast
	case ledger.Sent:
		return isNews
	case ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Dropped, ledger.Dead:
	}
	return false
}

// awaitDelivery restarts the delivery timer of a text we had given up, because a receipt says it is on its way. The timer goes off
// after this invocation has ended at the earliest: until the record is written, the text is still given up, and the timer would find
// nothing to do.
func (h *Handler) awaitDelivery(ctx context.Context, r ledger.Record) error {
	p, err := h.plan(ctx, &job{text: r})
	if err != nil || p.Drop != "" || p.DeliveryTimeout == 0 {
		return err
	}
	last, _ := r.Current()
	return h.remind(ctx, r.MessageSid, last.Number, h.config.Now().Add(max(p.DeliveryTimeout, LongestInvocation)))
}

// application is the result of applying a receipt: the record afterwards, and whether the receipt changed it.
type application struct {
	record ledger.Record
	isNews bool
}

// apply writes a receipt into the record and decides where the text goes if the message was not delivered.
func (h *Handler) apply(ctx context.Context, r ledger.Record, receipt sms.Receipt) (application, error) {
	return h.applyIf(ctx, r, receipt, func(ledger.Record) bool { return true })
}

// applyIf is apply, but it changes the record only if may allows it for the record as it is then.
func (h *Handler) applyIf(
	ctx context.Context, r ledger.Record, receipt sms.Receipt, may func(ledger.Record) bool,
) (application, error) {
	f, p, err := h.lossOf(ctx, r, receipt)
	if err != nil {
		return application{record: r}, err
	}
	before, isNews, isFirst := r, false, false
	applied, isMine, err := h.changeOwn(ctx, r, func(r ledger.Record) (ledger.Record, bool, error) {
		before, isNews = r, false
		if !may(r) {
			return r, false, nil
		}
		if r, isNews = h.applyLoss(r, receipt, f, p); isNews {
			isFirst = !isAccepted(before, receipt.Attempt)
		}
		return r, isNews, nil
	})
	if err != nil {
		return application{record: r}, err
	}
	if isMine && isFirst {
		h.emitAccepted(applied, 0)
	}
	if isNews && f != nil && f.Kind == fault.Quota {
		h.config.Emit(one(telemetry.MetricQuota))
	}
	if isNews && f != nil && f.Kind == fault.OptedOut {
		h.markOptedOut(ctx, r.TwilioNumber, toOf(applied, receipt.Attempt), true)
	}
	if isNews && applied.State != before.State {
		h.emitMove(applied)
	}
	return application{applied, isNews}, nil
}

// applyLoss returns the record with the receipt, and whether that changed it. If the message was not delivered because of its
// attachments, the text goes on without them.
func (h *Handler) applyLoss(r ledger.Record, receipt sms.Receipt, f *fault.Error, p plan.Plan) (applied ledger.Record, isNews bool) {
	withoutMedia := h.lostItsMedia(r, toOf(r, receipt.Attempt), f)
	applied, isNews = r.Apply(receipt, h.afterLoss(r, receipt, f, p), h.config.Now())
	if isNews && withoutMedia {
		applied = applied.WithMedia(media.LeaveAll(applied.Media))
	}
	return applied, isNews
}

// lossOf classifies a receipt that reports a message as not delivered, and looks up where its text may go next. f is nil for
// every other receipt.
func (h *Handler) lossOf(ctx context.Context, r ledger.Record, receipt sms.Receipt) (f *fault.Error, p plan.Plan, err error) {
	if !receipt.Status.Lost() {
		return nil, plan.Plan{}, nil
	}
	p, err = h.plan(ctx, &job{text: r})
	return h.config.ReceiptFault(receipt.Status, receipt.ErrorCode), p, err
}

// afterLoss returns where a text goes after a message that was not delivered: to the next hop, to the same one later, or nowhere
// (the zero value).
func (h *Handler) afterLoss(r ledger.Record, receipt sms.Receipt, f *fault.Error, p plan.Plan) ledger.Onward {
	if f == nil || p.Drop != "" {
		return ledger.Onward{}
	}
	to := toOf(r, receipt.Attempt)
	if h.lostItsMedia(r, to, f) && h.config.Now().Before(p.Expires) {
		return ledger.Onward{To: ledger.Queued, NotBefore: h.config.Now()}
	}
	decision := h.decide(r, to, f)
	due := h.config.Now().Add(decision.Delay)
	// Twilio had the message, so a throttled one counts as an attempt. A quota or a suspension is not the text's fault.
	isSpared := f.Kind == fault.Quota || f.Kind == fault.Fatal
	switch decision.Answer {
	case retry.NextHop:
		if p.Next(r, to) {
			return ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonNextHop, NotBefore: h.config.Now(), HopDone: true}
		}
	case retry.Retry, retry.Wait, retry.Halt:
		if (isSpared || r.AttemptsSpentOn(to) < h.config.Policy.MaxAttempts) && due.Before(p.Expires) {
			return ledger.Onward{To: ledger.Queued, NotBefore: due, Spared: isSpared}
		}
	case retry.Failed, retry.Sent, retry.Unknown:
	}
	return ledger.Onward{}
}

// receiptOf returns what Twilio answered about an attempt's message, in the form of a receipt.
func receiptOf(r ledger.Record, attempt ledger.Attempt, found sms.Listed) sms.Receipt {
	return sms.Receipt{
		Sid: found.Sid, Status: found.Status, ErrorCode: found.ErrorCode,
		CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Hop: attempt.Hop, Attempt: attempt.Number},
	}
}

// toOf returns the phone of an attempt.
func toOf(r ledger.Record, number int) sms.PhoneNumber {
	for _, a := range r.Attempts {
		if a.Number == number {
			return a.To
		}
	}
	return ""
}

// emitMove measures a text that a receipt has moved to another state.
func (h *Handler) emitMove(r ledger.Record) {
	switch r.State {
	case ledger.Queued:
		h.config.Emit(count(telemetry.MetricCascaded, "Reason", string(sms.StatusUndelivered)))
		return
	case ledger.Delivered:
		h.config.Emit(latency(telemetry.MetricDeliveryLatency, h.config.Now().Sub(readyAt(r))))
	case ledger.Sending, ledger.Sent, ledger.Undelivered, ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead:
	}
	h.emitOutcome(r)
}

// emitOutcome counts a text by the state that it moved to.
func (h *Handler) emitOutcome(r ledger.Record) {
	h.config.Emit(count(telemetry.MetricOutcome, "State", string(r.State)))
	if r.State == ledger.Dropped {
		h.config.Emit(count(telemetry.MetricDropped, "Reason", string(r.Reason)))
	}
	if r.ReachedNobody() {
		h.config.Emit(one(telemetry.MetricReachedNobody))
	}
}
