package delivery

import (
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
)

// offHelp says what can follow the command.
const offHelp = "not done: say for how long, as /off 2h, or until when, as /off 18:00, at most 7 days."

// off takes the phone off duty for a time. Who waits for it goes on to others.
func (c *commanding) off(ctx context.Context) (told string, err error) {
	until, ok := c.way.ReadOff(c.command.Time, c.act.At)
	if !ok {
		return c.command.Told(offHelp), nil
	}
	stored, alone, err := c.markOff(ctx, until)
	switch {
	case err != nil:
		return "", err
	case !alone.IsZero():
		return c.command.Told("not done: nobody else is on duty " + c.moment("then", "on ", alone) + ". Ask somebody to take over first."), nil
	case !stored.IsOff(c.act.Phone, c.h.config.Now()):
		return c.command.Told("not done. Try again, or ask the office."), nil
	}
	c.way = stored
	if err := c.letGo(ctx); err != nil {
		return "", err
	}
	c.undo = c.undoable()
	return c.command.Told("you get no customers' texts " +
		c.moment("for "+route.Duration(until.Sub(c.act.At)).String(), "until ", until) +
		". /on ends that, and so does /undo for an hour."), nil
}

// on puts the phone on duty again.
func (c *commanding) on(ctx context.Context, text string) (told string, err error) {
	stored, _, err := c.markOff(ctx, time.Time{})
	switch {
	case err != nil:
		return "", err
	case stored.IsOff(c.act.Phone, c.h.config.Now()) || stored.TwilioNumber == "":
		return c.command.Told("not done. Try again, or ask the office."), nil
	}
	return c.command.Told(text), nil
}

// markOff writes until when the phone is off. If others write the route each time, it returns a zero route.
func (c *commanding) markOff(ctx context.Context, until time.Time) (stored route.Route, alone time.Time, err error) {
	stored, alone, err = c.h.config.Routes.MarkOff(ctx, c.j.text.TwilioNumber, c.act.Phone, c.act.At, until, c.h.config.Now())
	if errors.Is(err, route.ErrConflict) {
		err = nil
	}
	return stored, alone, err
}

// moment writes a time by the clocks of the route, after a word, or something else if it has none.
func (c *commanding) moment(without, word string, at time.Time) string {
	place, err := c.way.Place()
	if err != nil || c.way.TimeZone == "" {
		return without
	}
	return word + at.In(place).Format("Mon 15:04")
}

// letGo ends all that the phone has: the texts of customers who wait go on to others at once.
func (c *commanding) letGo(ctx context.Context) error {
	if !c.way.KeepsClaims() {
		return nil
	}
	by := plan.ClaimingOf(c.way, c.h.config.Now())
	var mine []conversation.Conversation
	err := conversation.Each(ctx, c.h.config.Customers, c.j.text.TwilioNumber, "", func(s conversation.Conversation) bool {
		if _, _, ok := s.LetGo(c.act, by); ok {
			mine = append(mine, s)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, s := range mine {
		isLeft := false
		key := customerKey{c.j.text.TwilioNumber, s.Customer}
		s, _, err := c.h.changeConversation(ctx, key, func(s conversation.Conversation) (left conversation.Conversation, changed bool) {
			left, changed, isLeft = s.LetGo(c.act, by)
			return left, changed
		})
		if err != nil {
			return err
		}
		if isLeft && s.IsOpen() {
			if err := c.goOn(ctx, s, by); err != nil {
				return err
			}
		}
	}
	return nil
}

// goOn brings a customer's newest text to another phone: by the next stage, or, on a route without stages, to the first phone on duty.
func (c *commanding) goOn(ctx context.Context, s conversation.Conversation, by conversation.Claiming) error {
	if !s.Spell.DueAt.IsZero() {
		return c.h.remindOfStage(ctx, s.Spell)
	}
	if c.way.AnswerTimeout > 0 || len(by.Rota.Phones) == 0 {
		return nil
	}
	newest, err := c.h.config.Ledger.Get(ctx, s.Spell.NewestSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = c.h.sendAgain(ctx, newest, ledger.GivenSid(s.Spell.NewestSid, c.act.MessageSid), by.Rota.Phones[0], s.Spell.Texts)
	}
	return err
}
