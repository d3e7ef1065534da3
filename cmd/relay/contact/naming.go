package contact

import (
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// wanted is a name that a customer is to have at a number; an empty name is none.
type wanted struct {
	number, customer sms.PhoneNumber
	name             string
}

// action is what becomes of a customer's name.
type action string

const (
	added     action = "added"
	changed   action = "changed"
	removed   action = "removed"
	unchanged action = "unchanged"
)

// step is one customer's name before and after.
type step struct {
	action        action
	before, after conversation.Conversation
}

// stepTo returns what giving c the name means.
func stepTo(c conversation.Conversation, name string) step {
	s := step{action: changed, before: c, after: c}
	s.after.Name = name
	switch {
	case c.Name == name:
		s.action = unchanged
	case c.Name == "":
		s.action = added
	case name == "":
		s.action = removed
	}
	return s
}

// namingTries is how often a name is written while others write the same conversation.
const namingTries = 8

// naming writes names.
type naming struct {
	store conversation.Store
	now   func() time.Time
}

// plan returns what would be done.
func (n naming) plan(ctx context.Context, w wanted) (step, error) {
	c, err := n.store.Get(ctx, w.number, w.customer)
	return stepTo(c, w.name), err
}

// apply gives the customer the name. What others write about the customer meanwhile, such as a tag, stays.
func (n naming) apply(ctx context.Context, w wanted) (step, error) {
	var first step
	for try := range namingTries {
		s, err := n.plan(ctx, w)
		if err != nil {
			return s, err
		}
		if try == 0 {
			first = s
		}
		if s.action == unchanged {
			// After a first try that nobody confirmed, this is that try's.
			first.after = s.after
			return first, nil
		}
		stored, err := auditlog.PutConversation(ctx, n.store, s.before, s.after, n.now())
		switch {
		case err == nil:
			s.after = stored
			return s, nil
		case errors.Is(err, conversation.ErrConflict), fault.Of(err).Kind == fault.Unknown:
		default:
			return s, err
		}
	}
	return step{}, cli.ErrUnsettled
}
