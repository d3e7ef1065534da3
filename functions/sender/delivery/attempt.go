package delivery

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

const (
	// leaseMargin is what a claim's lease leaves for writing down the outcome after the POST's own time is over.
	leaseMargin = 10 * time.Second
	// claimAge is how old a claim may be when its POST begins. A sender that was frozen for longer must not post: the lease
	// would end before the POST does, and another sender would look for the message too soon.
	claimAge = leaseMargin / 2
	// slotGrace is how late a text may use the send time that the pace limits reserved for it. After that it reserves another.
	slotGrace = 5 * time.Second
)

// attempt makes the text's next attempt, if the route, the account and the pace limits let it: a claim, then one POST.
func (h *Handler) attempt(ctx context.Context, j *job) verdict {
	// Its dead letter may be sent already, so it may only be buried.
	switch {
	case h.isExhausted(j.text):
		return h.bury(ctx, j, ledger.ReasonAttemptsExhausted)
	case j.text.Reason == ledger.ReasonExpiring:
		return h.bury(ctx, j, ledger.ReasonExpired)
	}
	if !j.text.Addressed() {
		// No route is looked up, because the text has no number or no sender.
		return h.drop(ctx, j, plan.Plan{})
	}
	p, err := h.plan(ctx, j)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	if p.Mark != nil {
		if v := h.markByWord(ctx, j, *p.Mark); v.stops() {
			return v
		}
	}
	if p.Keyword.Type != "" {
		var v verdict
		if p, v = h.hear(ctx, j, p); v.stops() {
			return v
		}
	}
	if p.IsAnswer {
		return h.address(ctx, j, false)
	}
	if p.Drop == ledger.ReasonExpired {
		if v := h.addressLate(ctx, j, p); v.stops() {
			return v
		}
	}
	if v := h.wait(ctx, j, p); v.stops() {
		return v
	}
	if p.Drop != "" || p.To == "" {
		return h.drop(ctx, j, p)
	}
	if v := h.gather(ctx, j); v.stops() {
		return v
	}
	p, v := h.introduce(ctx, j, p)
	if v.stops() {
		return v
	}
	if wait := h.halt.hold(h.config.Now()); wait > 0 {
		return h.held(ctx, j, p, wait)
	}
	if v = h.ask(ctx, j, p); v.stops() {
		return v
	}
	if v = h.pace(ctx, j, p); v.stops() {
		return v
	}
	return h.send(ctx, j, p)
}

// wait leaves a text for when somebody may get it.
func (h *Handler) wait(ctx context.Context, j *job, p plan.Plan) verdict {
	switch {
	case p.Drop != "":
	case p.HeldFor == ledger.ReasonUnverified && j.text.Manual:
		// An operator's text is no customer's, whose list it could be in.
		return again(h.within(p, retry.Spread(verifyDelay, h.config.Spread())))
	case !p.Holds.IsZero():
		return h.holdClosed(ctx, j, p)
	}
	return verdict{}
}

// markByWord marks a hop as opted out or in by its own STOP or START. A repeat changes nothing, because the hop may have changed
// its mind since.
func (h *Handler) markByWord(ctx context.Context, j *job, optedOut bool) verdict {
	var err error
	if j.text.Version == 0 {
		var known ledger.Record
		if known, err = h.recall(ctx, j.text); known.Version > 0 {
			j.text = known
			return decideAgain()
		}
	}
	if err == nil {
		err = h.config.Routes.MarkOptedOut(ctx, j.text.TwilioNumber, j.text.Customer, optedOut)
	}
	if err == nil && optedOut {
		err = h.tellOthers(ctx, j.text)
	}
	// A route that someone wrote by hand, without a version, cannot be marked. The text does not wait for that.
	if err != nil && !errors.Is(err, route.ErrConflict) {
		return h.notNow(ctx, j, "opt-out not marked", err)
	}
	return verdict{}
}

// held leaves the text for when the account may be usable again.
func (h *Handler) held(ctx context.Context, j *job, p plan.Plan, wait time.Duration) verdict {
	h.config.Emit(one(telemetry.MetricHalted))
	h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text held: the account is unusable", textAttrs(j.text, nil)...)
	// It does not come back before the next probe: the queue counts every receive, and other processes halt at other times.
	wait = max(wait, h.config.Policy.HaltDelay)
	return again(h.within(p, retry.Spread(wait, h.config.Spread())))
}

// isExhausted reports whether the text's last attempt failed and was the last one allowed at that phone. It is false if the phone
// was given up since, because the next phone is tried then.
func (h *Handler) isExhausted(r ledger.Record) bool {
	last, ok := r.Current()
	return ok && last.Outcome == fault.Transient.String() && r.HopOpen(last.To) && r.AttemptsSpentOn(last.To) >= h.config.Policy.MaxAttempts
}

// notNow leaves the text for later after a failure of ours that does not count as an attempt. what says what could not be done.
func (h *Handler) notNow(ctx context.Context, j *job, what string, err error) verdict {
	h.config.Logger.LogAttrs(ctx, slog.LevelError, "text left for later", append(textAttrs(j.text, err), slog.String("problem", what))...)
	return h.later(j.since(), err)
}

// drop ends a text that is not sent, because there is a reason against it or no hop is left. A text that became too old while
// trouble lasted becomes a dead letter instead, so that an operator sees it.
func (h *Handler) drop(ctx context.Context, j *job, p plan.Plan) verdict {
	if p.Drop == ledger.ReasonExpired && h.isTroubled(j.text) {
		return h.buryExpired(ctx, j)
	}
	var wanted ledger.Record
	var err error
	if p.Drop != "" {
		wanted, err = j.text.Drop(p.Drop, h.config.Now())
	} else {
		wanted, err = j.text.GiveUp(h.config.Now())
	}
	if v := h.write(ctx, j, "end", wanted, err); v.stops() {
		return v
	}
	h.emitOutcome(j.text)
	level := slog.LevelInfo
	if isForNobody(j.text.Reason) {
		level = slog.LevelWarn
	}
	h.config.Logger.LogAttrs(ctx, level, "text ended unsent", textAttrs(j.text, nil)...)
	return done()
}

// isForNobody reports whether a text that ended unsent for that reason should have reached someone: a number may be mistyped, a
// route forgotten, the pace too slow, or a clock wrong.
func isForNobody(reason ledger.Reason) bool {
	return slices.Contains([]ledger.Reason{ledger.ReasonNoRoute, ledger.ReasonInactive, ledger.ReasonNoAddress, ledger.ReasonExpired}, reason)
}

// isTroubled reports whether the text waits because of trouble that is not its own fault, and no phone can have it yet.
func (h *Handler) isTroubled(r ledger.Record) bool {
	if r.Awaited() || r.InDoubt() {
		return false
	}
	// While the account is unusable, most texts are held without an attempt of their own.
	return r.WaitsOut() || len(r.Attempts) == 0 && r.RedrivenAt.IsZero() && h.halt.isOn()
}

// pace reserves the time at which the attempt may be made. The text goes on at once if that time is now.
func (h *Handler) pace(ctx context.Context, j *job, p plan.Plan) verdict {
	now := h.config.Now()
	if !now.Before(p.Expires) {
		// What was read and written since the plan was made took so long that the text is too old by now.
		return decideAgain()
	}
	if slot := j.text.Slot; slot.To == p.To && slot.From == j.from() && !now.Before(slot.At) && now.Sub(slot.At) <= slotGrace {
		return verdict{}
	}
	at, err := h.config.Pace.Reserve(ctx, pace.Request{
		Number: cmp.Or(j.from(), j.text.TwilioNumber), To: p.To, Segments: plan.Segments(j.text, j.head.text),
		Limits: pace.Limits{Pair: h.config.PacePair, Number: p.Pace}, By: p.Expires,
	}, now)
	if f := fault.Of(err); err != nil && f.Kind == fault.Throttled && f.RetryAfter > 0 {
		// Another sender reserved a time at the same moment.
		return again(time.Duration(float64(f.RetryAfter) * (1 + h.config.Spread())))
	}
	if err != nil {
		return h.notNow(ctx, j, "pace not kept", err)
	}
	if !at.After(now) {
		return verdict{}
	}
	if at.After(p.Expires) {
		// No send time is left before the text is too old.
		p.Drop = ledger.ReasonExpired
		return h.drop(ctx, j, p)
	}
	return h.putOff(ctx, j, p.To, at)
}

// putOff records the reserved send time and leaves the text until then.
func (h *Handler) putOff(ctx context.Context, j *job, to sms.PhoneNumber, at time.Time) verdict {
	wanted, err := j.text.Book(ledger.Slot{At: at, From: j.from(), To: to}, h.config.Now())
	if v := h.write(ctx, j, "pace", wanted, err); v.stops() {
		return v
	}
	wait := at.Sub(h.config.Now())
	h.config.Emit(one(telemetry.MetricPaced), latency(telemetry.MetricPaceWait, wait))
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text paced",
		append(textAttrs(j.text, nil), slog.Any("next_destination", to), slog.Int64("wait_ms", wait.Milliseconds()))...)
	return again(wait)
}

// send claims the text, posts it and records the result.
func (h *Handler) send(ctx context.Context, j *job, p plan.Plan) verdict {
	at := hop{p.To, p.Hop, j.from()}
	if v := h.enter(ctx, j, at); v.stops() {
		return v
	}
	if v := h.setTimer(ctx, j, p, p.To); v.stops() {
		return v
	}
	if j.head.isStale(h.config.Now()) {
		return decideAgain()
	}
	if !h.hasTime(ctx) {
		return again(0)
	}
	if wait := h.halt.probe(h.config.Now(), h.config.SendTimeout+leaseMargin); wait > 0 {
		return h.held(ctx, j, p, wait)
	}
	if j.text.Destination == "" && j.way.IsOff(p.To, h.config.Now()) {
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "text goes to a phone that is off duty: nobody else is left",
			append(textAttrs(j.text, nil), slog.Any("next_destination", p.To))...)
	}
	if _, v := h.claim(ctx, j, at); v.stops() {
		return v
	}
	return h.post(ctx, j, p)
}

// post makes the claimed attempt's POST.
func (h *Handler) post(ctx context.Context, j *job, p plan.Plan) verdict {
	attempt, _ := j.text.Current()
	if h.config.Now().Sub(attempt.StartedAt) > claimAge {
		return h.failed(ctx, j, p, attempt, &fault.Error{Kind: fault.NotSent, Err: errSlowClaim})
	}
	sendCtx, cancel := context.WithTimeout(ctx, h.config.SendTimeout)
	created, err := h.config.Messages.Create(sendCtx, h.outbound(j.text, attempt, p.Validity))
	cancel()
	if err != nil {
		f := fault.Of(err)
		h.halt.learn(f, h.config.Now(), h.config.Policy.HaltDelay)
		return h.failed(ctx, j, p, attempt, f)
	}
	h.halt.learn(nil, h.config.Now(), 0)
	isFirst := false
	stored, isMine, err := h.changeOwn(ctx, j.text, func(r ledger.Record) (ledger.Record, bool, error) {
		accepted, changed := r.Accept(attempt.Number, created.Sid, created.Status, h.config.Now())
		if changed {
			isFirst = !isAccepted(r, attempt.Number)
		}
		return accepted, changed, nil
	})
	if err != nil {
		// The text is out, and the ledger does not know. It comes back when the lease is over; a receipt or a look settles it.
		h.config.Logger.LogAttrs(ctx, slog.LevelError, "acceptance not recorded", textAttrs(j.text, err)...)
		return again(j.text.LeaseUntil.Sub(h.config.Now()))
	}
	j.text, j.moved = stored, true
	if isMine && isFirst {
		h.emitAccepted(j.text, created.NumSegments)
	}
	h.relayed(ctx, j.text)
	if p.Marked {
		h.markOptedOut(ctx, j.text.TwilioNumber, p.To, false)
	}
	return done()
}

// emitAccepted counts a message that Twilio has accepted, and its segments; segments is 0 if Twilio did not say how many. The code
// that records the acceptance counts it: after Twilio's answer, after a look, or after a receipt that came first.
func (h *Handler) emitAccepted(r ledger.Record, segments int) {
	if segments == 0 {
		last, _ := r.Current()
		segments = plan.Segments(r.AsSent(last), last.Header)
	}
	h.config.Emit(
		one(telemetry.MetricRelayed),
		telemetry.Measurement{Name: telemetry.MetricSegments, Unit: telemetry.Count, Value: float64(segments)},
	)
}

// isAccepted reports whether we know that Twilio accepted the message of the attempt with that number.
func isAccepted(r ledger.Record, number int) bool {
	return slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return a.Number == number && a.Accepted() })
}

// relayed logs a text that Twilio has just accepted, and measures how long that took.
func (h *Handler) relayed(ctx context.Context, r ledger.Record) {
	h.config.Emit(latency(telemetry.MetricRelayLatency, h.config.Now().Sub(readyAt(r))))
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text relayed", textAttrs(r, nil)...)
}

// markOptedOut changes a hop's opt-out mark. People and the choice of hops use it; if it cannot be written, the text goes on.
func (h *Handler) markOptedOut(ctx context.Context, number, hop sms.PhoneNumber, optedOut bool) {
	if err := h.config.Routes.MarkOptedOut(ctx, number, hop, optedOut); err != nil {
		h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "opt-out not marked",
			slog.Any("twilio_number", number), slog.Any("destination", hop), slog.String("error", err.Error()))
		return
	}
	if optedOut {
		h.config.Emit(one(telemetry.MetricOptedOut))
	}
}

var (
	errLapsedLease = errors.New("the sender ended between its claim and Twilio's answer")
	errSlowClaim   = errors.New("the claim took so long that too little of its lease was left")
)
