package delivery

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// awaitAnswer notes that the customer waits for an answer, from when Twilio took his text, and sets the timer after which the text goes
// out again. It comes before the text's message is done: a crash leaves a text whose message comes again.
func (h *Handler) awaitAnswer(ctx context.Context, j *job) error {
	if j.text.Manual {
		return h.seeReply(ctx, j)
	}
	r, err := h.ofPhones(ctx, j)
	if err != nil {
		return err
	}
	t, ok := takenOf(r)
	if !ok {
		return nil
	}
	way, err := h.wayOfJob(ctx, j)
	if err == nil {
		err = h.answerClosed(ctx, r, &way)
	}
	if err != nil || !way.KeepsClaims() {
		return err
	}
	var before conversation.Conversation
	customer := customerKey{r.TwilioNumber, r.Customer}
	c, isChanged, err := h.changeConversation(ctx, customer, func(c conversation.Conversation) (conversation.Conversation, bool) {
		before = c
		return c.Await(t, time.Duration(way.AnswerTimeout), h.config.Now())
	})
	if err != nil || !c.IsOpen() || c.Spell.Stage != "" || c.Spell.DueAt.IsZero() {
		return err
	}
	if isNoted := isChanged && before.Spell.DueAt.Equal(c.Spell.DueAt) && c.Spell.MessageSid != r.MessageSid; isNoted {
		// The timer of the text that came before is set.
		return nil
	}
	return h.remindOfStage(ctx, c.Spell)
}

// isCustomers reports whether the text is a customer's own words, and the customer can be answered: nobody can answer a short code.
func isCustomers(r ledger.Record) bool {
	if r.IsAnswer() || r.Notice || r.Manual || r.SecondPart || r.ParentSid != "" || r.Keyword != "" {
		return false
	}
	_, isReaction := sms.ReactionOf(r.Body)
	problem, _ := r.Customer.Problem()
	return !isReaction && problem == ""
}

// takenOf returns the customer's text as one that he waits for an answer to; ok is false if it is none, or if nobody can have it yet.
func takenOf(r ledger.Record) (t conversation.Taken, ok bool) {
	if !isCustomers(r) {
		return t, false
	}
	switch r.State {
	case ledger.Sent, ledger.Delivered, ledger.Uncertain:
	case ledger.Undelivered, ledger.Failed, ledger.Dead:
		t.IsLost = !r.Awaited()
	case "", ledger.Queued, ledger.Sending, ledger.Dropped:
		return t, false
	}
	t.MessageSid, t.At = r.MessageSid, r.UpdatedAt
	isFirst := true
	for _, a := range r.Attempts {
		if !a.Accepted() && !a.Unknown() {
			continue
		}
		if isFirst && a.Number > r.RedrivenAfter {
			// The claim's time does not change, whatever is learned later.
			t.At, isFirst = a.StartedAt, false
		}
		if !slices.ContainsFunc(t.Phones, func(p sms.PhoneNumber) bool { return sms.Same(p, a.To) }) {
			t.Phones = append(t.Phones, a.To)
		}
	}
	return t, true
}

// wayOf returns the route of the text's number; it is zero if there is none.
func (h *Handler) wayOf(ctx context.Context, r ledger.Record) (route.Route, error) {
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(r)...)
	way, _ := route.Find(routes, r.TwilioNumber)
	return way, err
}

// wayOfJob is wayOf for a text that is being worked on, whose route was looked up a moment ago.
func (h *Handler) wayOfJob(ctx context.Context, j *job) (route.Route, error) {
	if j.way.TwilioNumber != "" {
		return j.way, nil
	}
	return h.wayOf(ctx, j.text)
}

// customerKey is the key of a conversation.
type customerKey struct{ number, customer sms.PhoneNumber }

// changeConversation applies edit to what is stored of a conversation, see [auditlog.ChangeConversation].
func (h *Handler) changeConversation(
	ctx context.Context, key customerKey, edit func(conversation.Conversation) (conversation.Conversation, bool),
) (stored conversation.Conversation, isChanged bool, err error) {
	return auditlog.ChangeConversation(ctx, h.config.Conversations, key.number, key.customer, h.config.Now, edit)
}

// see notes that somebody saw to a customer: a phone by its text, which then has the conversation, unless another one has it. The others
// who were sent a text of the customer are told who it is.
func (h *Handler) see(ctx context.Context, j *job) error {
	a := j.text.Answer
	how, customer := h.seeing(j)
	if customer == "" {
		return nil
	}
	way, err := h.wayOfJob(ctx, j)
	if err != nil || !way.KeepsClaims() {
		return err
	}
	by := plan.ClaimingOf(way, h.config.Now())
	act := conversation.Act{Phone: a.Phone, MessageSid: j.text.MessageSid, At: a.At}
	key := customerKey{j.text.TwilioNumber, customer}
	var before conversation.Conversation
	c, isChanged, err := h.changeConversation(ctx, key, func(c conversation.Conversation) (conversation.Conversation, bool) {
		before = c
		c, hasActed := c.Act(act, by, h.config.Now())
		c, hasSeen := c.See(conversation.Seen{At: a.At, How: how, Phone: a.Phone, MessageSid: j.text.MessageSid})
		return c, hasActed || hasSeen
	})
	if err != nil {
		return err
	}
	if isChanged {
		h.measureWait(before, c)
	}
	return h.tellClaim(ctx, c, way, a.Phone)
}

// byOperator stands for whoever may call the operators' API: it does not know them by name.
const byOperator = "operator"

// seeReply notes that an operator has answered a customer, if Twilio has taken the text: nobody has the conversation for it. A text to a
// phone on duty is no answer.
func (h *Handler) seeReply(ctx context.Context, j *job) error {
	r := j.text
	if _, isTaken := r.LastAccepted(); r.Destination == "" || !isTaken {
		return nil
	}
	way, err := h.wayOfJob(ctx, j)
	if err != nil || !way.KeepsClaims() || way.IsPhone(r.Destination) {
		return err
	}
	var before conversation.Conversation
	key := customerKey{r.TwilioNumber, r.Destination}
	c, isChanged, err := h.changeConversation(ctx, key, func(c conversation.Conversation) (conversation.Conversation, bool) {
		before = c
		if c.Version == 0 {
			// He never wrote.
			return c, false
		}
		return c.Reply(conversation.Seen{At: r.ReceivedAt, By: byOperator, MessageSid: r.MessageSid}, r.SeenSid)
	})
	if isChanged {
		h.measureWait(before, c)
	}
	return err
}

// measureWait measures how long a customer waited until somebody had him, and until he was answered.
func (h *Handler) measureWait(before, c conversation.Conversation) {
	if !before.IsOpen() {
		return
	}
	if before.Claim.MessageSid != c.Claim.MessageSid {
		h.config.Emit(latency(telemetry.MetricTimeToClaim, c.Claim.Since.Sub(c.Spell.BeganAt)))
	}
	if !c.IsOpen() && c.Seen.How == conversation.SeenAnswered {
		h.config.Emit(latency(telemetry.MetricTimeToAnswer, c.Seen.At.Sub(c.Spell.BeganAt)))
	}
}

// seeing returns how the phone's text sees to which customer; empty if it sees to none.
func (h *Handler) seeing(j *job) (how conversation.Seeing, customer sms.PhoneNumber) {
	a := j.text.Answer
	switch {
	case a.Verdict == ledger.AnswerSent, a.Verdict == ledger.AnswerReleased:
		return conversation.SeenAnswered, h.customerOf(j)
	case j.text.Reason == ledger.ReasonReaction && a.Tag != "":
		e, _ := j.author.ByTag(conversation.Tag(a.Tag), a.At)
		return conversation.SeenReacted, e.Customer
	}
	return "", ""
}

// hasSuffix is what the cause of the notice about who has a conversation ends in.
const hasSuffix = ".has"

// tellClaim tells those who were sent a text of the customer since he waits, and the phone that was slower, who has the conversation: once
// for each claim and phone.
func (h *Handler) tellClaim(ctx context.Context, c conversation.Conversation, way route.Route, slower sms.PhoneNumber) error {
	claimer := c.Claimer(plan.ClaimingOf(way, h.config.Now()), h.config.Now())
	if claimer == "" || c.Tag == "" {
		return nil
	}
	for _, phone := range append(slices.Clone(c.Spell.Phones), slower) {
		if phone == "" || sms.Same(phone, claimer) || way.IsOptedOut(phone) || !way.IsPhone(phone) {
			continue
		}
		to := conversation.PhoneKey{TwilioNumber: c.TwilioNumber, Phone: phone}
		if err := h.notify(ctx, to, c.Claim.MessageSid+hasSuffix, conversation.Has(nameOf(way, claimer), c.Tag)); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is how the crew calls the person with the phone.
func nameOf(way route.Route, phone sms.PhoneNumber) string {
	return conversation.ShortName(way.NameOf(phone), phone)
}

// heedClaim decides again about a text whose conversation another phone has than the one that is next, and ends one that goes out again
// though somebody has seen to the customer.
func (h *Handler) heedClaim(ctx context.Context, j *job, c conversation.Conversation, p plan.Plan) verdict {
	if c.Claim.Phone == "" && j.text.ParentSid == "" {
		return verdict{}
	}
	way, err := h.wayOfJob(ctx, j)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	claimer := c.Claimer(plan.ClaimingOf(way, h.config.Now()), h.config.Now())
	switch {
	case j.text.IsGiven():
		if claimer != "" && !sms.Same(claimer, p.To) {
			return h.endUnwanted(ctx, j)
		}
	case j.text.IsRung():
		isRung := false
		if claimer != "" && !sms.Same(claimer, p.To) {
			isRung, err = h.isRung(ctx, j, claimer)
		}
		if err != nil {
			return h.notNow(ctx, j, "record not read", err)
		}
		if isRung {
			return h.endUnwanted(ctx, j)
		}
	case j.text.ParentSid != "":
		if !c.Wants(j.text.ParentSid, j.text.Step(), claimer, p.To) {
			return h.endUnwanted(ctx, j)
		}
	case claimer != j.first:
		j.first = claimer
		return decideAgain()
	}
	return verdict{}
}

// endUnwanted ends a text that does not go out again any more, because somebody saw to the customer.
func (h *Handler) endUnwanted(ctx context.Context, j *job) verdict {
	wanted, err := j.text.Drop(ledger.ReasonAnswered, h.config.Now())
	if v := h.write(ctx, j, "end", wanted, err); v.stops() {
		return v
	}
	h.emitOutcome(j.text)
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text ended unsent", textAttrs(j.text, nil)...)
	return done()
}
