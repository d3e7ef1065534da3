package delivery

import (
	"context"
	"sort"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// commanding is a command of a phone on duty that is being carried out. Each may come again after a crash, and changes nothing then.
type commanding struct {
	h       *Handler
	j       *job
	command conversation.Command
	way     route.Route
	act     conversation.Act
	// about is the customer whom the command names.
	about conversation.Exchange
	// isGiven is set once the customer was given to another phone; given is the conversation then.
	isGiven bool
	given   conversation.Conversation
	// isVerified is set if the phone was verified by it, or before.
	isVerified bool
	// undo is what the phone can take back from now on, nil if that does not change.
	undo *conversation.Undo
}

// command does what a phone's command says, and tells the phone what came of it.
func (h *Handler) command(ctx context.Context, j *job) error {
	a := j.text.Answer
	if a.Verdict != ledger.AnswerCommand {
		return nil
	}
	command, _ := conversation.CommandOf(j.text.Body)
	way, err := h.wayOfJob(ctx, j)
	if err != nil {
		return err
	}
	c := &commanding{
		h: h, j: j, command: command, way: way, act: conversation.Act{Phone: a.Phone, MessageSid: j.text.MessageSid, At: a.At},
	}
	told, err := c.carryOut(ctx)
	if err != nil {
		return err
	}
	cause := j.text.MessageSid
	if c.isGiven {
		// The phone knows by this who has the customer.
		cause += hasSuffix
	}
	if err := h.notify(ctx, keyOf(j.text, a.Phone), cause, a.Tells+told); err != nil {
		return err
	}
	if c.isGiven {
		if err := h.tellClaim(ctx, c.given, way, ""); err != nil {
			return err
		}
	}
	if c.isVerified {
		if err := h.callUpAll(ctx, j.text.TwilioNumber); err != nil {
			return err
		}
	}
	return c.keepUndo(ctx)
}

// carryOut does what the command says, and returns what the phone is told.
func (c *commanding) carryOut(ctx context.Context) (told string, err error) {
	if code, ok := conversation.CodeOf(c.j.text.Body); ok {
		return c.verify(ctx, code)
	}
	switch c.command.Verb {
	case conversation.VerbHelp:
		return conversation.CommandHelp, nil
	case conversation.VerbOpen:
		return c.open(ctx)
	case conversation.VerbMine, conversation.VerbGive, conversation.VerbDone, conversation.VerbBlock:
		return c.ofCustomer(ctx)
	case conversation.VerbOff:
		return c.off(ctx)
	case conversation.VerbOn:
		return c.on(ctx, "you get customers' texts again whenever you are on duty.")
	case conversation.VerbUndo:
		return c.takeBack(ctx)
	}
	return conversation.UnknownCommand(c.j.text.Body), nil
}

// ofCustomer does what a command says about a customer.
func (c *commanding) ofCustomer(ctx context.Context) (told string, err error) {
	var ok bool
	if c.about, ok, err = c.h.exchangeOf(ctx, c.j, c.way, c.command.Tag); err != nil {
		return "", err
	}
	switch {
	case !ok:
		return c.command.Told("no customer of the last 7 days on this phone has that tag."), nil
	case c.command.Verb == conversation.VerbBlock:
		return c.block(ctx)
	case !c.way.KeepsClaims():
		return c.command.Told("this number does not keep who has a customer."), nil
	case c.command.Verb == conversation.VerbMine:
		return c.mine(ctx)
	case c.command.Verb == conversation.VerbGive:
		return c.give(ctx)
	}
	return c.done(ctx)
}

// exchangeOf returns what the phone that wrote was sent of the customer with the tag, from whichever number.
func (h *Handler) exchangeOf(ctx context.Context, j *job, way route.Route, tag conversation.Tag) (
	e conversation.Exchange, ok bool, err error,
) {
	at := j.text.Answer.At
	if e, ok = j.author.ByTag(tag, at); ok {
		return e, ok, nil
	}
	others, err := elsewhere(ctx, h.config.Conversations, way.ThreadsKept(j.text.ReceivedAt), j.author.PhoneKey)
	for _, other := range others {
		if e, ok = other.ByTag(tag, at); ok {
			return e, ok, nil
		}
	}
	return e, false, err
}

func (c *commanding) key() customerKey { return customerKey{c.j.text.TwilioNumber, c.about.Customer} }

// who is how the crew calls the command's customer.
func (c *commanding) who() string { return conversation.ShortName(c.about.Name, c.about.Customer) }

// mine takes a conversation that nobody has.
func (c *commanding) mine(ctx context.Context) (told string, err error) {
	now, by := c.h.config.Now, plan.ClaimingOf(c.way, c.h.config.Now())
	var before conversation.Conversation
	stored, isChanged, err := c.h.changeConversation(ctx, c.key(), func(s conversation.Conversation) (conversation.Conversation, bool) {
		before = s
		s, isTaken := s.Act(c.act, by, now())
		if !sms.Same(s.Claimer(by, now()), c.act.Phone) {
			return s, isTaken
		}
		s, isPostponed := s.Postpone(c.act, time.Duration(c.way.AnswerTimeout))
		return s, isTaken || isPostponed
	})
	if err != nil {
		return "", err
	}
	if isChanged {
		c.h.measureWait(before, stored)
	}
	if err := c.h.tellClaim(ctx, stored, c.way, c.act.Phone); err != nil {
		return "", err
	}
	switch claimer := stored.Claimer(by, now()); {
	case claimer == "":
		return c.command.Told("not done: you are not on duty."), nil
	case !sms.Same(claimer, c.act.Phone):
		return c.command.Told(nameOf(c.way, claimer) + " has " + c.who() + "."), nil
	}
	return c.command.Told("you have " + c.who() + "."), nil
}

// done ends a conversation until the customer writes again.
func (c *commanding) done(ctx context.Context) (told string, err error) {
	seen := conversation.Seen{At: c.act.At, Phone: c.act.Phone, MessageSid: c.act.MessageSid}
	stored, _, err := c.h.changeConversation(ctx, c.key(), func(s conversation.Conversation) (conversation.Conversation, bool) {
		return s.Finish(seen)
	})
	switch {
	case err != nil:
		return "", err
	case stored.IsOpen():
		return c.command.Told("a newer text of " + c.who() + " came in meanwhile, and waits."), nil
	}
	return c.command.Told(c.who() + " is done."), nil
}

// give hands a conversation over to another phone on duty, which gets the customer's newest text.
func (c *commanding) give(ctx context.Context) (told string, err error) {
	to, ok := c.way.PhoneNamed(c.command.Name)
	by := plan.ClaimingOf(c.way, c.h.config.Now())
	switch {
	case !ok:
		return c.command.Told("nobody here is called " + c.command.Name + ". " + c.names()), nil
	case sms.Same(to.Number, c.act.Phone):
		return c.command.Told("that is you: /mine " + string(c.command.Tag)), nil
	case !by.Rota.Has(to.Number):
		return c.command.Told(to.Name + " is not on duty."), nil
	}
	stored, _, err := c.h.changeConversation(ctx, c.key(), func(s conversation.Conversation) (conversation.Conversation, bool) {
		given, isChanged, ok := s.Give(c.act, to.Number, by, c.h.config.Now())
		c.isGiven = ok
		given, isPostponed := given.Postpone(c.act, time.Duration(c.way.AnswerTimeout))
		return given, isChanged || ok && isPostponed
	})
	if err != nil {
		return "", err
	}
	if !c.isGiven {
		return c.command.Told(nameOf(c.way, stored.Claimer(by, c.h.config.Now())) + " has " + c.who() + "."), nil
	}
	if err := c.handOver(ctx, to.Number); err != nil {
		return "", err
	}
	c.given, c.undo = stored, c.undoable()
	return c.command.Told(to.Name + " has " + c.who() + " now. /undo takes that back for an hour."), nil
}

// block keeps the customer's texts from all phones.
func (c *commanding) block(ctx context.Context) (told string, err error) {
	stored, _, err := c.h.changeConversation(ctx, c.key(), func(s conversation.Conversation) (conversation.Conversation, bool) {
		return s.Block(conversation.Blocked{On: true, Phone: c.act.Phone, Since: c.act.At})
	})
	switch {
	case err != nil:
		return "", err
	case !sms.Same(stored.Blocked.Phone, c.act.Phone):
		return c.command.Told(c.who() + " was blocked before."), nil
	}
	c.undo = c.undoable()
	return c.command.Told("no more texts of " + c.who() + " come to any phone. /undo takes that back for an hour."), nil
}

// undoable is the command as one that can be taken back.
func (c *commanding) undoable() *conversation.Undo {
	return &conversation.Undo{
		Verb: c.command.Verb, Tag: c.command.Tag, Customer: c.about.Customer, MessageSid: c.act.MessageSid, At: ledger.Stamp(c.act.At),
	}
}

// keepUndo notes what the phone can take back. It comes last: a command that is carried out again after a crash finds what it found before.
func (c *commanding) keepUndo(ctx context.Context) error {
	if c.undo == nil {
		return nil
	}
	stored, err := c.h.changePhone(ctx, c.j.author, func(p conversation.Phone) (conversation.Phone, bool) {
		isNew := p.Undo.MessageSid != c.undo.MessageSid && !p.Undo.At.After(c.act.At)
		p.Undo = *c.undo
		return p, isNew
	})
	c.j.author = stored
	return err
}

// takeBack takes the phone's last command back.
func (c *commanding) takeBack(ctx context.Context) (told string, err error) {
	last := c.j.author.Undo
	if last.IsOver(c.act.At) {
		return c.command.Told("there is nothing of the last hour to take back."), nil
	}
	if last.Verb == conversation.VerbOff {
		c.undo = &conversation.Undo{MessageSid: c.act.MessageSid, At: ledger.Stamp(c.act.At)}
		return c.on(ctx, "/off is taken back.")
	}
	c.about = conversation.Exchange{Customer: last.Customer, Tag: last.Tag}
	isDone := false
	_, _, err = c.h.changeConversation(ctx, c.key(), func(s conversation.Conversation) (back conversation.Conversation, changed bool) {
		if last.Verb == conversation.VerbGive {
			back, changed, isDone = s.TakeBack(c.act, last.MessageSid)
			return back, changed
		}
		isDone = sms.Same(s.Blocked.Phone, c.act.Phone)
		if !isDone {
			return s, false
		}
		return s.Block(conversation.Blocked{Phone: c.act.Phone, Since: c.act.At})
	})
	switch {
	case err != nil:
		return "", err
	case !isDone:
		return c.command.Told("somebody did something about " + string(last.Tag) + " since."), nil
	}
	c.undo = &conversation.Undo{MessageSid: c.act.MessageSid, At: ledger.Stamp(c.act.At)}
	return c.command.Told("/" + string(last.Verb) + " " + string(last.Tag) + " is taken back."), nil
}

// handOver sends the customer's newest text that the phone got to the one that has the customer now, and tells that one who gave him.
func (c *commanding) handOver(ctx context.Context, to sms.PhoneNumber) error {
	if sid := c.author().NewestOf(c.command.Tag); sid != "" {
		newest, err := c.h.config.Ledger.Get(ctx, sid)
		if err == nil {
			err = c.h.sendAgain(ctx, newest, ledger.GivenSid(ledger.ParentOf(sid), c.act.MessageSid), to, 1)
		}
		if err != nil {
			return err
		}
	}
	told := c.command.Told(nameOf(c.way, c.act.Phone) + " gave you " + c.who() + ".")
	return c.h.notify(ctx, conversation.PhoneKey{TwilioNumber: c.j.text.TwilioNumber, Phone: to}, c.act.MessageSid+".given", told)
}

func (c *commanding) author() conversation.Phone { return c.j.author }

// names lists whom a command can name.
func (c *commanding) names() string {
	names := make([]string, 0, len(c.way.Phones))
	for _, p := range c.way.Phones {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return "No phone here has a name."
	}
	return "There are " + strings.Join(names, ", ") + "."
}

// maxOpen is how many customers /open lists.
const maxOpen = 8

// open lists who waits, with those whose texts are held, the longest first, and who is on duty.
func (c *commanding) open(ctx context.Context) (told string, err error) {
	by, now := plan.ClaimingOf(c.way, c.h.config.Now()), c.h.config.Now()
	var waiting []conversation.Conversation
	err = conversation.Each(ctx, c.h.config.Customers, c.j.text.TwilioNumber, "", func(s conversation.Conversation) bool {
		if !s.WaitsSince().IsZero() {
			waiting = append(waiting, s)
		}
		return true
	})
	if err != nil {
		return "", err
	}
	// sort.Slice has no code of its own for each type: that would be 10 kB of the function.
	sort.Slice(waiting, func(i, k int) bool { return waiting[i].WaitsSince().Before(waiting[k].WaitsSince()) })
	var lines []string
	for _, s := range waiting[:min(len(waiting), maxOpen)] {
		line := string(s.Tag) + " " + conversation.ShortName(s.Name, s.Customer) + " " + conversation.For(now.Sub(s.WaitsSince()))
		if claimer := s.Claimer(by, now); claimer != "" {
			line += " (" + nameOf(c.way, claimer) + ")"
		}
		if len(s.Closed.Texts) > 0 {
			line += " (held)"
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	text := "nobody waits."
	if len(waiting) > maxOpen {
		lines = append(lines, "and others")
	}
	if len(lines) > 0 {
		text = strings.Join(lines, ", ") + "."
	}
	var duty []string
	for _, phone := range by.Rota.Phones {
		duty = append(duty, nameOf(c.way, phone))
	}
	return c.command.Told(text + " On duty: " + strings.Join(duty, ", ") + "."), nil
}
