package conversations

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// waitingLister is a [Store] that finds those who wait without reading the others.
type waitingLister interface {
	// ListWaiting returns those of a number who wait for an answer, or have texts that are held, and perhaps some others.
	ListWaiting(ctx context.Context, number sms.PhoneNumber) ([]conversation.Conversation, error)
}

// mayWait returns the conversations of a number in which the customer may wait.
func (d Relay) mayWait(ctx context.Context, number sms.PhoneNumber) (found []conversation.Conversation, err error) {
	if some, isQuick := d.Conversations.(waitingLister); isQuick {
		return some.ListWaiting(ctx, number)
	}
	err = conversation.Each(ctx, d.Conversations, number, "", func(c conversation.Conversation) bool {
		found = append(found, c)
		return true
	})
	return found, err
}

// Waiting returns all who wait for an answer at a number, in the order of [Urgency]. Whose texts are held waits, too.
func (d Relay) Waiting(ctx context.Context, number sms.PhoneNumber) ([]Shown, error) {
	all := []Shown{}
	found, err := d.mayWait(ctx, number)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(c conversation.Conversation) bool { return c.WaitsSince().IsZero() })
	if len(found) == 0 {
		return all, nil
	}
	around, err := d.Look(ctx, number, found...)
	for _, c := range found {
		all = append(all, around.Show(c))
	}
	slices.SortFunc(all, Urgency)
	return all, err
}

// Urgency is the order of those who wait: the unanswered first, then the longest waiting first, then by their numbers.
func Urgency(x, y Shown) int {
	return cmp.Or(isLess(x.IsUnanswered(), y.IsUnanswered()), x.Since().Compare(y.Since()),
		strings.Compare(string(x.TwilioNumber), string(y.TwilioNumber)), strings.Compare(string(x.Customer), string(y.Customer)))
}

// isLess orders what is true before what is not.
func isLess(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// ErrNewerText means that the customer has written again since the person who is to decide has looked.
var ErrNewerText = errors.New("the customer wrote again meanwhile")

// Finish writes down that the operator has seen to the customer, up to the text that the operator has seen. The error is [ErrNewerText] if
// there is a newer one, and says otherwise what could not be read or written.
func (d Relay) Finish(
	ctx context.Context, number, customer sms.PhoneNumber, newestSeen, by string,
) (conversation.Conversation, error) {
	isNewer := false
	stored, _, err := auditlog.ChangeConversation(ctx, d.Conversations, number, customer, d.Now,
		func(c conversation.Conversation) (conversation.Conversation, bool) {
			if isNewer = c.Spell.NewestSid != newestSeen; isNewer || !c.IsOpen() {
				return c, false
			}
			return c.Finish(conversation.Seen{At: d.Now(), By: by})
		})
	if err == nil && isNewer {
		err = ErrNewerText
	}
	return stored, err
}
