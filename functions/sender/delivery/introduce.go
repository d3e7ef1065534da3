package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// head is what a phone on duty is sent before a customer's words, and what is written about that before the claim.
type head struct {
	// text is the header; empty for a text that has none.
	text string
	// copied is the customer's tag, if the relay that this one's data was copied from gave it: that one's header has it, too.
	copied conversation.Tag
	// phone is the item of the phone as it was read. exchange is what the text adds to it.
	phone    conversation.Phone
	exchange conversation.Exchange
	// isThread is set if phone is a thread that was chosen for the text's customer.
	isThread bool
	// isKept is set if phone is to be written. enteredAt is when, by the exchange, the text is sent. isCounted is set if the text takes a
	// place in what may go back and forth between the phone and its customer.
	isKept    bool
	isCounted bool
	enteredAt time.Time
	// readAt is when it was asked whether the text, which goes out again, is still to, or when it was noted that a customer is written to;
	// zero for every other text.
	readAt time.Time
}

// isStale reports whether the text may not be claimed any more: by what was noted, the phone would have had it long before it gets it; or
// somebody may have seen to the customer since it was asked.
func (at head) isStale(now time.Time) bool {
	return at.isKept && now.Sub(at.enteredAt) > claimAge || !at.readAt.IsZero() && now.Sub(at.readAt) > claimAge
}

// from is the further number of the route that the text is sent from, empty for its own: a customer sees no other.
func (j *job) from() sms.PhoneNumber {
	if j.text.IsAnswer() {
		return ""
	}
	return j.head.phone.SendingNumber
}

// briefTime is how long after the last text of a conversation the next one to the same phone has a brief header.
const briefTime = 12 * time.Hour

// keyOf is the key of what the phone was sent from the number that it wrote to, or that the text goes out from.
func keyOf(r ledger.Record, phone sms.PhoneNumber) conversation.PhoneKey {
	return conversation.PhoneKey{TwilioNumber: r.TwilioNumber, SendingNumber: r.Thread, Phone: phone}
}

// keysOf are the keys of what the phone is sent of the number, by its own number first, and then by each thread.
func keysOf(number, phone sms.PhoneNumber, threads []sms.PhoneNumber) []conversation.PhoneKey {
	keys := make([]conversation.PhoneKey, 0, 1+len(threads))
	for _, from := range append([]sms.PhoneNumber{""}, threads...) {
		keys = append(keys, conversation.PhoneKey{TwilioNumber: number, SendingNumber: from, Phone: phone})
	}
	return keys
}

// introduce finds out how the phone that is next tells the text's customer from others, and gives the customer a tag if he has none.
// It stops if the text turns out to be one that a phone on duty wrote, or if it has to wait.
func (h *Handler) introduce(ctx context.Context, j *job, p plan.Plan) (plan.Plan, verdict) {
	j.head = head{}
	switch {
	case j.text.Notice:
		return p, h.introduceNotice(ctx, j, p.To)
	case j.text.IsAnswer():
		return p, h.introduceAnswer(ctx, j)
	case j.text.Manual:
		return p, h.introduceOperator(ctx, j, p.To)
	case j.text.SecondPart:
		return p, h.introduceRest(ctx, j, p.To)
	}
	readAt := h.config.Now()
	keys := keysOf(j.text.TwilioNumber, p.To, p.Threads)
	own := len(keys)
	isNew := j.text.Version == 0 && j.text.ParentSid == ""
	if isNew && !sms.Same(j.text.Customer, p.To) {
		keys = append(keys, keysOf(j.text.TwilioNumber, j.text.Customer, p.Threads)...)
	}
	c, phones, err := h.config.Conversations.Read(ctx, j.text.TwilioNumber, j.text.Customer, keys...)
	if err != nil {
		return p, h.notNow(ctx, j, "conversation not read", err)
	}
	if slices.ContainsFunc(phones[own:], func(author conversation.Phone) bool { return author.IsKnown(j.text.ReceivedAt) }) {
		return p, h.addressLeft(ctx, j)
	}
	if isNew && c.Version == 0 && c.CanHaveTag() {
		// Nobody has heard of the customer: it may be a phone that came on duty a moment ago.
		h.config.Routes.Forget(plan.Numbers(j.text)...)
		if p, err = h.plan(ctx, j); err != nil {
			return p, h.notNow(ctx, j, "route not looked up", err)
		}
		if p.IsAnswer || p.Drop != "" || !sms.Same(p.To, keys[0].Phone) {
			return p, decideAgain()
		}
	}
	if v := h.heedCustomer(ctx, j, c, p); v.stops() {
		return p, v
	}
	if len(p.Ring) > 0 {
		return p, h.startRing(ctx, j, p)
	}
	phone := phones[0]
	if c.CanHaveTag() {
		phone = conversation.ChooseThread(phone, phones[1:own], j.text.Customer, h.config.Now())
	}
	isCounted := !phone.WasSent(j.text.MessageSid)
	if wait := phone.Pause(j.text.Customer, h.config.Now()); isCounted && wait > 0 {
		return p, h.pause(ctx, j, wait)
	}
	j.head = h.headOf(j.text, h.tagged(ctx, c), phone)
	j.head.copied = h.copiedTag(c)
	j.head.isCounted, j.head.isThread = isCounted, phone.SendingNumber != ""
	if j.text.ParentSid != "" {
		j.head.readAt = readAt
	}
	return p, verdict{}
}

// heedCustomer ends a text of a customer who is blocked, takes up what is held of him before a new one, and heeds who has the customer.
func (h *Handler) heedCustomer(ctx context.Context, j *job, c conversation.Conversation, p plan.Plan) verdict {
	switch {
	case c.Blocked.On && len(j.text.Attempts) == 0:
		return h.drop(ctx, j, plan.Plan{Drop: ledger.ReasonBlocked})
	case h.isBehindHeld(j, c.Closed):
		if v := h.takeUpHeld(ctx, j); !v.isDone() {
			return v
		}
		return decideAgain()
	}
	return h.heedClaim(ctx, j, c, p)
}

// introduceOperator prepares an operator's text. If it goes to a phone on duty, the phone's next words may be about it.
func (h *Handler) introduceOperator(ctx context.Context, j *job, to sms.PhoneNumber) verdict {
	routes, err := h.config.Routes.Lookup(ctx, plan.Numbers(j.text)...)
	if err != nil {
		return h.notNow(ctx, j, "route not looked up", err)
	}
	if way, _ := route.Find(routes, j.text.TwilioNumber); j.text.Destination != "" && !way.IsPhone(to) {
		return verdict{}
	}
	phone, err := h.config.Conversations.GetPhone(ctx, conversation.PhoneKey{TwilioNumber: j.text.TwilioNumber, Phone: to})
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	j.head = head{phone: phone, isKept: true}
	return verdict{}
}

// introduceRest prepares the second part of a text.
func (h *Handler) introduceRest(ctx context.Context, j *job, to sms.PhoneNumber) verdict {
	c, phones, err := h.config.Conversations.Read(ctx, j.text.TwilioNumber, j.text.Customer, keyOf(j.text, to))
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	j.head = h.headOf(j.text, c, phones[0])
	return verdict{}
}

// introduceNotice prepares a notice. If it asks whom words are for, a tag of the phone may answer it from then on.
func (h *Handler) introduceNotice(ctx context.Context, j *job, to sms.PhoneNumber) verdict {
	if j.text.IsAutoAnswer() {
		return verdict{}
	}
	phone, err := h.config.Conversations.GetPhone(ctx, keyOf(j.text, to))
	if err != nil {
		return h.notNow(ctx, j, "conversation not read", err)
	}
	j.head = head{phone: phone, isKept: conversation.Asks(j.text.Body)}
	return verdict{}
}

// asksNewest reports whether the notice asks about the words that are held of the phone.
func asksNewest(r ledger.Record, p conversation.Phone) bool {
	return !p.Held.IsZero() && noticeSid(p.TwilioNumber, p.Phone, p.Held.MessageSids[0]) == r.MessageSid
}

// headOf returns the header of a customer's text to a phone: the longest that the text leaves room for. An attempt that is made again
// has the header of the first.
func (h *Handler) headOf(r ledger.Record, c conversation.Conversation, phone conversation.Phone) head {
	at := head{phone: phone, exchange: conversation.Exchange{Customer: r.Customer, Tag: c.Tag, Name: c.Name}, isKept: true}
	if earlier, ok := r.HeaderTo(phone.SendingNumber, phone.Phone); ok && earlier != "" {
		at.text = earlier
		return at
	}
	isBrief := h.isBrief(r, c, phone)
	at.text = conversation.Header(c.Tag, c.Name, r.Customer, isBrief)
	if !plan.Fits(r, at.text) {
		at.text = conversation.Header(c.Tag, "", r.Customer, isBrief)
	}
	if !plan.Fits(r, at.text) {
		at.text = conversation.Header(c.Tag, "", r.Customer, true)
	}
	return at
}

// isBrief reports whether the phone was sent another text of the customer not long ago, under the same tag.
func (h *Handler) isBrief(r ledger.Record, c conversation.Conversation, phone conversation.Phone) bool {
	isOwn := slices.ContainsFunc(phone.Sent, func(s conversation.Sent) bool { return s.MessageSid == r.MessageSid })
	return !isOwn && slices.ContainsFunc(phone.Exchanges, func(e conversation.Exchange) bool {
		return sms.Same(e.Customer, r.Customer) && e.Tag == c.Tag && h.config.Now().Sub(e.SentAt) <= briefTime
	})
}

// maxWrites bounds how often what is kept of a phone is written while others change it, and how often a tag is looked for.
const maxWrites = 8

// crowdWait is how long a text waits that could not be noted because others were noted each time.
const crowdWait = time.Second

var errUnsettledPhone = errors.New("others changed what was sent to the phone each time")

// enter writes down, before the claim, that the phone is sent the text: whatever the phone answers then, the decision whom it is for
// takes the text into account.
func (h *Handler) enter(ctx context.Context, j *job, at hop) verdict {
	if err := h.noteWritten(ctx, j); err != nil {
		return h.notNow(ctx, j, "text to a customer not noted", err)
	}
	if !j.head.isKept {
		return verdict{}
	}
	key := conversation.PhoneKey{TwilioNumber: j.text.TwilioNumber, SendingNumber: at.from, Phone: at.phone}
	if !j.text.IsAnswer() && j.head.phone.PhoneKey != key && j.head.phone.Item() != key.Item() {
		// Another relay has sent it there.
		phone, err := h.config.Conversations.GetPhone(ctx, key)
		if err != nil {
			return h.notNow(ctx, j, "conversation not read", err)
		}
		j.head.phone, j.head.isThread = phone, false
	}
	isTaken, wait := false, time.Duration(0)
	_, err := h.changePhone(ctx, j.head.phone, func(p conversation.Phone) (edited conversation.Phone, changed bool) {
		j.head.enteredAt = h.config.Now()
		if isTaken = j.head.isThread && !sms.Same(p.Owner, j.text.Customer) && !p.IsFree(j.head.enteredAt); isTaken {
			return p, false
		}
		edited, changed, wait = j.entered(p)
		return edited, changed
	})
	if errors.Is(err, errUnsettledPhone) {
		// Other processes send to the phone, too, as fast as they can.
		h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "text waits: others send to the phone", textAttrs(j.text, nil)...)
		return again(retry.Spread(crowdWait, h.config.Spread()))
	}
	if err != nil {
		return h.notNow(ctx, j, "text to a phone not noted", err)
	}
	if isTaken {
		// Another customer's text was quicker.
		return decideAgain()
	}
	if wait > 0 {
		return h.pause(ctx, j, wait)
	}
	return verdict{}
}

// changePhone applies edit to what is kept of a phone and stores the result. If others were quicker, or the store did not say whether
// it was written, edit is applied to what is stored by then.
func (h *Handler) changePhone(
	ctx context.Context, p conversation.Phone, edit func(conversation.Phone) (conversation.Phone, bool),
) (conversation.Phone, error) {
	key := p.PhoneKey
	t, err := h.turns.take(ctx, key)
	if err != nil {
		return p, err
	}
	defer h.turns.leave(key, t)
	if t.last.Version > p.Version {
		p = t.last
	}
	t.last, err = h.putPhone(ctx, p, edit)
	return t.last, err
}

// putPhone is changePhone for the one who has the phone's turn.
func (h *Handler) putPhone(
	ctx context.Context, p conversation.Phone, edit func(conversation.Phone) (conversation.Phone, bool),
) (conversation.Phone, error) {
	for range maxWrites {
		edited, changed := edit(p)
		if !changed {
			return p, nil
		}
		stored, err := h.config.Conversations.PutPhone(ctx, edited)
		switch {
		case err == nil:
			return stored, nil
		case errors.Is(err, conversation.ErrConflict), fault.Of(err).Kind == fault.Unknown:
		default:
			return p, err
		}
		if p, err = h.config.Conversations.GetPhone(ctx, p.PhoneKey); err != nil {
			return p, err
		}
	}
	return p, errUnsettledPhone
}

// tagged returns the customer with a tag. A text never waits for one: if there is no tag to have now, the customer has none, and the
// header shows the number alone.
func (h *Handler) tagged(ctx context.Context, c conversation.Conversation) conversation.Conversation {
	now := h.config.Now()
	if !c.NeedsTag(now) {
		return c
	}
	search := tagSearch{h: h, now: now}
	for range maxWrites {
		stored, err := search.take(ctx, c)
		if err == nil {
			return stored
		}
		read := c
		if isConflict := errors.Is(err, conversation.ErrConflict); isConflict || fault.Of(err).Kind == fault.Unknown {
			read, err = h.config.Conversations.Get(ctx, c.TwilioNumber, c.Customer)
		}
		if err != nil {
			h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "no tag given", slog.Any("conversation", c), slog.String("error", err.Error()))
			break
		}
		// If only the tag's use was changed, somebody else has the tag.
		search.isLost = read.Version == c.Version
		if c = read; !c.NeedsTag(now) {
			return c
		}
	}
	if now.Sub(c.TagUsedAt) > conversation.AddressTime/2 {
		c.Tag = ""
	}
	return c
}

// tagSearch looks for a tag.
type tagSearch struct {
	h   *Handler
	now time.Time
	// isLost is set once the customer's own tag is somebody else's.
	isLost bool
	// isRead is set once used has the tags in use, and those that were tried.
	isRead bool
	used   []conversation.TagUse
}

// take writes down the use of the customer's own tag, or gives him another one.
func (s *tagSearch) take(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
	use := c.KeptTag()
	if c.Tag == "" || s.isLost {
		var err error
		if use, err = s.next(ctx, c); err != nil {
			return c, err
		}
	}
	wanted, taken := c.Take(use, s.now)
	return auditlog.PutTag(ctx, s.h.config.Conversations, c, wanted, taken, s.now)
}

// next returns the tag to try next. Others look for one at the same time: not all should try the same one again.
func (s *tagSearch) next(ctx context.Context, c conversation.Conversation) (conversation.TagUse, error) {
	skipped := 0
	if s.isRead {
		skipped = int(s.h.config.Spread() * maxSkipped)
	} else {
		used, err := s.h.config.Conversations.TagUses(ctx)
		if err != nil {
			return conversation.TagUse{}, err
		}
		s.used, s.isRead = used, true
	}
	for {
		use, isShort, err := conversation.ChooseTag(s.used, s.now)
		if err != nil {
			return use, err
		}
		if isShort {
			s.h.config.Logger.LogAttrs(ctx, slog.LevelWarn, "tag given out after a short rest: most tags are in use", slog.Any("conversation", c))
		}
		s.used = append(slices.DeleteFunc(s.used, func(u conversation.TagUse) bool { return u.Tag == use.Tag }),
			conversation.TagUse{Tag: use.Tag, UsedAt: s.now})
		if skipped--; skipped < 0 {
			return use, nil
		}
	}
}

// maxSkipped bounds how many free tags are left out when others look for one, too.
const maxSkipped = 48
