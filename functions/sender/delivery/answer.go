package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// address decides what becomes of a text that a phone on duty wrote, and writes the decision into the text's record. A text that comes
// again finds it there.
func (h *Handler) address(ctx context.Context, j *job, hasLeft bool) verdict {
	if h.config.CaughtUp != nil && !h.config.CaughtUp() {
		// What the phone was sent by the relay that was lost is not noted yet.
		h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "answer waits: it is not known yet what the phone was sent", textAttrs(j.text, nil)...)
		return h.later(j.since(), nil)
	}
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(j.text)...)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	way, _ := route.Find(routes, j.text.TwilioNumber)
	phone, err := h.config.Conversations.GetPhone(ctx, keyOf(j.text, way.PhoneOf(j.text.Customer)))
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	others, err := elsewhere(ctx, h.config.Conversations, way.ThreadsKept(j.text.ReceivedAt), phone.PhoneKey)
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	a := answering{
		records: h.config.Ledger, text: j.text, at: j.text.ReceivedAt, phone: phone, elsewhere: others, way: way, hasLeft: hasLeft,
		now: h.config.Now(),
	}
	if !j.writtenAt.IsZero() {
		a.at = ledger.Stamp(j.writtenAt)
	}
	wanted, err := a.decide(ctx)
	if v := h.write(ctx, j, "answer", wanted, err); v.stops() {
		return v
	}
	j.author = phone
	h.config.Emit(count(telemetry.MetricAnswers, "Verdict", string(j.text.Answer.Verdict)))
	if j.text.State == ledger.Dropped {
		h.emitOutcome(j.text)
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "answer decided",
		append(textAttrs(j.text, nil), slog.String("verdict", string(j.text.Answer.Verdict)))...)
	return h.carryOut(ctx, j)
}

// addressLeft does the same for a phone that is in no route by what was remembered of the routes, though texts were sent to it: it may
// have come on duty a moment ago, or it has left.
func (h *Handler) addressLeft(ctx context.Context, j *job) verdict {
	h.config.Routes.Forget(plan.Numbers(j.text)...)
	p, err := h.planOnce(ctx, j)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	// What is too old to go to a customer is an answer as well, and the phone is told.
	if p.Drop != "" && p.Drop != ledger.ReasonExpired {
		return h.drop(ctx, j, p)
	}
	return h.address(ctx, j, !p.IsAnswer)
}

// addressLate does the same for a text that is too old to be sent, if a phone wrote it that is in no route: the phone is to be told.
func (h *Handler) addressLate(ctx context.Context, j *job, p plan.Plan) verdict {
	if j.text.Version > 0 || j.text.Manual || j.text.Destination != "" {
		return verdict{}
	}
	number, author := j.text.TwilioNumber, j.text.Customer
	_, phones, err := h.config.Conversations.Read(ctx, number, author, keysOf(number, author, p.Threads)...)
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	if slices.ContainsFunc(phones, func(author conversation.Phone) bool { return author.IsKnown(j.text.ReceivedAt) }) {
		return h.addressLeft(ctx, j)
	}
	return verdict{}
}

// answering is a text of a phone on duty that is being decided about.
type answering struct {
	records Records
	text    ledger.Record
	at      time.Time
	// phone is what is kept of the phone at the number that it wrote to, elsewhere at the route's other numbers.
	phone     conversation.Phone
	elsewhere []conversation.Phone
	way       route.Route
	hasLeft   bool
	now       time.Time
}

// decide returns the text's record with the decision.
func (a answering) decide(ctx context.Context) (ledger.Record, error) {
	if !a.way.Takes(a.text.ReceivedAt) {
		answer := a.answer(ledger.AnswerDropped, "")
		answer.Tells = conversation.NotSent(a.text.Body) + " This number is switched off."
		return a.text.Dismiss(answer, ledger.ReasonInactive, a.now)
	}
	if !a.hasLeft {
		_, isCode := conversation.CodeOf(a.text.Body)
		switch {
		case isCode && a.way.MayTextCode(a.phone.Phone, a.at):
			return a.instruct(ctx, conversation.Command{})
		case a.way.IsUnverified(a.phone.Phone):
			return a.ofUnverified()
		}
	}
	if reaction, ok := sms.ReactionOf(a.text.Body); ok && !a.hasLeft {
		about, err := a.acknowledged(ctx, reaction)
		switch {
		case err != nil:
			return a.text, err
		case about.MessageSid != "", reaction.Quote == "", conversation.QuotesOurs(reaction.Quote):
			return a.text.Dismiss(a.answer(ledger.AnswerDropped, string(about.Tag)), ledger.ReasonReaction, a.now)
		}
	}
	if command, ok := conversation.CommandOf(a.text.Body); ok && !a.hasLeft {
		return a.instruct(ctx, command)
	}
	view := a.phone.View
	if a.hasLeft && !a.phone.Removed.IsZero() {
		// An operator has ended what the phone may answer.
		view.Exchanges = nil
	}
	var others []conversation.Exchange
	for _, other := range a.elsewhere {
		if !a.hasLeft || other.Removed.IsZero() {
			others = append(others, other.Exchanges...)
		}
	}
	decided := conversation.Answer{
		Body: a.text.Body, NumMedia: len(a.text.Media), ReceivedAt: a.at, DecidedAt: a.now, View: view, Elsewhere: others,
		Window: a.way.InPlayTime(), HasLeft: a.hasLeft,
		IsAutomatic: a.phone.IsAutomatic(a.digest(), a.at) || conversation.IsAutoReply(a.text.Body),
	}.Address()
	answer := a.answer(verdictOf(decided.Verdict), string(decided.To.Tag))
	if decided.EndsHeld {
		answer.Ends = a.phone.Held.MessageSids
		first, err := a.firstHeld(ctx)
		if err != nil {
			return a.text, err
		}
		answer.Tells = conversation.NotSent(first) + " "
	}
	return a.record(answer, decided)
}

// instruct returns the text's record if it is a command. Words that are held end with it, as with any other text.
func (a answering) instruct(ctx context.Context, command conversation.Command) (ledger.Record, error) {
	answer := a.answer(ledger.AnswerCommand, string(command.Tag))
	if !a.phone.Held.IsZero() {
		first, err := a.firstHeld(ctx)
		if err != nil {
			return a.text, err
		}
		answer.Ends, answer.Tells = a.phone.Held.MessageSids, conversation.NotSent(first)+" "
	}
	return a.text.Dismiss(answer, ledger.ReasonInstruction, a.now)
}

// record returns the text's record with the decision about whom it is for.
func (a answering) record(answer ledger.Answer, d conversation.Addressed) (ledger.Record, error) {
	switch d.Verdict {
	case conversation.Send:
		answer.Words = d.Words
		reason, wait := ledger.Reason(""), a.pause(d.To.Customer)
		if wait > 0 {
			reason, answer.IsUncounted = ledger.ReasonPingPong, true
		}
		answer.Tells = trimmed(answer.Tells)
		return a.text.Send(answer, d.To.Customer, reason, a.now.Add(wait), a.now)
	case conversation.Ask:
		answer.Words = wordsOf(a.text.Body)
		answer.Tells += conversation.Question(answer.Words, d.Named, !a.phone.Hinted)
		for _, e := range d.Named {
			answer.Named = append(answer.Named, string(e.Tag))
		}
		return a.text.Hold(answer, a.now.Add(a.way.HoldAge()), a.now)
	case conversation.Join:
		answer.Words = a.text.Body
		return a.text.Hold(answer, a.now.Add(a.way.HoldAge()), a.now)
	case conversation.Tell, conversation.Release:
		isSent := d.Verdict == conversation.Release
		if isSent {
			answer.Releases = a.phone.Held.MessageSids
			answer.IsUncounted = !a.phone.HasRoom(d.To.Customer, len(answer.Releases), a.now)
		}
		answer.Tells += conversation.Whose(d.To, isSent, a.now)
		return a.text.Dismiss(answer, ledger.ReasonInstruction, a.now)
	case conversation.Ignore:
		if a.now.Sub(a.phone.AutoReplyToldAt) > autoReplyQuiet {
			answer.Tells = conversation.NotSent(a.text.Body) + " It looks like an automatic reply; with a tag it is sent."
		}
		return a.text.Dismiss(answer, ledger.ReasonAutoReply, a.now)
	case conversation.Refuse:
	}
	if !a.hasLeft {
		answer.Tells += conversation.NotSent(a.text.Body) + " It begins like a text of the relay."
		return a.text.Dismiss(answer, ledger.ReasonUnaddressed, a.now)
	}
	answer.Tells += conversation.NotOnDuty(a.text.Body)
	return a.text.Dismiss(answer, ledger.ReasonNotStaff, a.now)
}

// pause is how long an answer to the customer has to wait, because so many texts went back and forth.
func (a answering) pause(customer sms.PhoneNumber) time.Duration {
	wait := a.phone.Pause(customer, a.now)
	if !a.phone.Knows(customer) {
		for _, other := range a.elsewhere {
			wait = max(wait, other.Pause(customer, a.now))
		}
	}
	return wait
}

// elsewhere returns what is kept of the phone at the other numbers of its route, those threads and its own.
func elsewhere(
	ctx context.Context, store conversation.Store, threads []sms.PhoneNumber, own conversation.PhoneKey,
) ([]conversation.Phone, error) {
	keys := slices.DeleteFunc(keysOf(own.TwilioNumber, own.Phone, threads), func(k conversation.PhoneKey) bool {
		return k.Item() == own.Item()
	})
	if len(keys) == 0 {
		return nil, nil
	}
	_, phones, err := store.Read(ctx, own.TwilioNumber, own.Phone, keys...)
	return phones, err
}

// autoReplyQuiet is how long a phone is not told again that an automatic reply of it was not sent on.
const autoReplyQuiet = 24 * time.Hour

func (a answering) answer(v ledger.AnswerVerdict, tag string) ledger.Answer {
	return ledger.Answer{Phone: a.phone.Phone, At: a.at, Verdict: v, Tag: tag}
}

// digest is that of the text, empty if it begins with a tag.
func (a answering) digest() string { return digestOf(a.phone.PhoneKey, a.text.Body) }

func digestOf(key conversation.PhoneKey, body string) string {
	if _, _, isTagged := conversation.Leading(body); isTagged {
		return ""
	}
	return conversation.Digest(key, body)
}

// wordsOf are the words that a customer gets of a text that begins with no tag of a customer of the phone: a tag that is valid is a
// mistake of the person's, and anything else is a word like others.
func wordsOf(body string) string {
	if tag, words, isTagged := conversation.Leading(body); isTagged && tag.IsValid() {
		return words
	}
	return body
}

func trimmed(tells string) string {
	if tells == "" {
		return ""
	}
	return tells[:len(tells)-1]
}

// firstHeld returns the first words that are held for the phone.
func (a answering) firstHeld(ctx context.Context) (string, error) {
	r, err := a.records.Get(ctx, a.phone.Held.MessageSids[0])
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil
	}
	return r.Body, err
}

// acknowledged returns the text, among the last that were sent to the phone, that the reaction is about; zero if there is none.
func (a answering) acknowledged(ctx context.Context, reaction sms.Reaction) (conversation.Sent, error) {
	for i := len(a.phone.Sent) - 1; i >= 0 && reaction.Quote != ""; i-- {
		sent := a.phone.Sent[i]
		r, err := a.records.Get(ctx, sent.MessageSid)
		if errors.Is(err, ledger.ErrNotFound) {
			continue
		}
		if err != nil {
			return conversation.Sent{}, err
		}
		if header, ok := r.HeaderTo(a.phone.SendingNumber, a.phone.Phone); ok && reaction.IsAbout(plan.TextOf(r, header)) {
			return sent, nil
		}
	}
	return conversation.Sent{}, nil
}

// verdictOf names a decision as the ledger does.
func verdictOf(v conversation.Verdict) ledger.AnswerVerdict {
	switch v {
	case conversation.Send:
		return ledger.AnswerSent
	case conversation.Join:
		return ledger.AnswerJoined
	case conversation.Tell:
		return ledger.AnswerTold
	case conversation.Release:
		return ledger.AnswerReleased
	case conversation.Refuse, conversation.Ignore:
		return ledger.AnswerDropped
	case conversation.Ask:
	}
	return ledger.AnswerHeld
}
