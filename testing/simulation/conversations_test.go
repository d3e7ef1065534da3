package simulation_test

import (
	"context"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// conversationsDoor is the conversations as processes see them.
type conversationsDoor struct{ *schedule }

func (d conversationsDoor) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	c := call{op: "conversations.Get", read: true, what: func() string { return string(customer) }}
	return through(ctx, d.schedule, c, func(*actor) (conversation.Conversation, error) {
		return d.conversations.Get(ctx, number, customer)
	})
}

func (d conversationsDoor) Put(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
	asked := call{op: "conversations.Put", what: func() string { return string(c.Customer) }}
	return through(ctx, d.schedule, asked, d.writing(func() (conversation.Conversation, error) { return d.conversations.Put(ctx, c) }))
}

// writing notes what was written.
func (d conversationsDoor) writing(
	write func() (conversation.Conversation, error),
) func(*actor) (conversation.Conversation, error) {
	return func(a *actor) (conversation.Conversation, error) {
		stored, err := write()
		if err == nil {
			d.knew(a, stored)
			d.noteConversation(stored)
		}
		return stored, err
	}
}

func (d conversationsDoor) GetPhone(ctx context.Context, key conversation.PhoneKey) (conversation.Phone, error) {
	c := call{op: "conversations.GetPhone", read: true, what: func() string { return string(key.Phone) }}
	return through(ctx, d.schedule, c, func(*actor) (conversation.Phone, error) { return d.conversations.GetPhone(ctx, key) })
}

func (d conversationsDoor) PutPhone(ctx context.Context, p conversation.Phone) (conversation.Phone, error) {
	c := call{op: "conversations.PutPhone", what: func() string { return fmt.Sprintf("%s v%d", string(p.Phone), p.Version+1) }}
	return through(ctx, d.schedule, c, func(*actor) (conversation.Phone, error) { return d.conversations.PutPhone(ctx, p) })
}

// readConversation is what one Read returns.
type readConversation struct {
	conversation.Conversation

	phones []conversation.Phone
}

func (d conversationsDoor) Read(
	ctx context.Context, number, customer sms.PhoneNumber, keys ...conversation.PhoneKey,
) (conversation.Conversation, []conversation.Phone, error) {
	what := func() string { return fmt.Sprintf("%s and %d phones", string(customer), len(keys)) }
	c := call{op: "conversations.Read", read: true, what: what}
	read, err := through(ctx, d.schedule, c, func(*actor) (readConversation, error) {
		found, phones, err := d.conversations.Read(ctx, number, customer, keys...)
		return readConversation{found, phones}, err
	})
	return read.Conversation, read.phones, err
}

func (d conversationsDoor) PutTag(
	ctx context.Context, c conversation.Conversation, t conversation.TagUse,
) (conversation.Conversation, error) {
	asked := call{op: "conversations.PutTag", what: func() string { return fmt.Sprintf("%s %s", string(c.Customer), t.Tag) }}
	return through(ctx, d.schedule, asked, d.writing(func() (conversation.Conversation, error) { return d.conversations.PutTag(ctx, c, t) }))
}

func (d conversationsDoor) TagUses(ctx context.Context) ([]conversation.TagUse, error) {
	c := call{op: "conversations.TagUses", read: true, what: func() string { return "" }}
	return through(ctx, d.schedule, c, func(*actor) ([]conversation.TagUse, error) { return d.conversations.TagUses(ctx) })
}

func (d conversationsDoor) ListConversations(
	ctx context.Context, number, after sms.PhoneNumber, limit int,
) ([]conversation.Conversation, error) {
	c := call{op: "conversations.ListConversations", read: true, what: func() string { return string(after) }}
	return through(ctx, d.schedule, c, func(*actor) ([]conversation.Conversation, error) {
		return d.conversations.ListConversations(ctx, number, after, limit)
	})
}

func (d conversationsDoor) ListPhones(ctx context.Context, number sms.PhoneNumber) ([]conversation.Phone, error) {
	c := call{op: "conversations.ListPhones", read: true, what: func() string { return string(number) }}
	return through(ctx, d.schedule, c, func(*actor) ([]conversation.Phone, error) { return d.conversations.ListPhones(ctx, number) })
}

func (d conversationsDoor) PutAction(ctx context.Context, a conversation.Action) error {
	c := call{op: "conversations.PutAction", what: func() string { return a.ID }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		d.ordered[a.MessageSid] = a.By
		return none{}, d.conversations.PutAction(ctx, a)
	})
	return err
}
