package sqlite

import (
	"context"
	"encoding/json"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Put stores the next version of a conversation, see [conversation.Store].
func (c *Conversations) Put(ctx context.Context, wanted conversation.Conversation) (conversation.Conversation, error) {
	put, err := putOfConversation(&wanted)
	if err != nil {
		return conversation.Conversation{}, err
	}
	if err := c.put(ctx, put); err != nil {
		return conversation.Conversation{}, err
	}
	return wanted, nil
}

// PutPhone stores the next version of a phone, see [conversation.Store].
func (c *Conversations) PutPhone(ctx context.Context, wanted conversation.Phone) (conversation.Phone, error) {
	read := wanted.Version
	wanted.Version++
	put, err := newItemPut(wanted.TwilioNumber, wanted.Item(), read, wanted)
	if err != nil {
		return conversation.Phone{}, err
	}
	if err := c.put(ctx, put); err != nil {
		return conversation.Phone{}, err
	}
	return wanted, nil
}

// PutTag stores the next versions of a conversation and of the use of its tag, see [conversation.Store].
func (c *Conversations) PutTag(
	ctx context.Context, wanted conversation.Conversation, use conversation.TagUse,
) (conversation.Conversation, error) {
	first, err := putOfConversation(&wanted)
	if err != nil {
		return conversation.Conversation{}, err
	}
	read := use.Version
	use.Version++
	second, err := newItemPut(conversation.TagsPartition, use.Item(), read, use)
	if err != nil {
		return conversation.Conversation{}, err
	}
	if err := c.put(ctx, first, second); err != nil {
		return conversation.Conversation{}, err
	}
	return wanted, nil
}

// itemPut is the write of one item over the version that was read, 0 if there was none.
type itemPut struct {
	number, key string
	read        int64
	item        string
}

func newItemPut(number sms.PhoneNumber, key string, read int64, v any) (itemPut, error) {
	item, err := json.Marshal(v)
	if err != nil {
		return itemPut{}, permanent("item of the conversations' table cannot be written as JSON")
	}
	return itemPut{number: string(number), key: key, read: read, item: string(item)}, nil
}

// PutAction stores what an operator did, see [conversation.Actions].
func (c *Conversations) PutAction(ctx context.Context, action conversation.Action) error {
	put, err := newItemPut(action.TwilioNumber, action.Item(), 0, action)
	if err != nil {
		return err
	}
	return c.db.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.putItems(ctx, []itemPut{put}) // A conflict is the same action again.
		return err
	})
}

// putOfConversation counts the conversation's version up.
func putOfConversation(wanted *conversation.Conversation) (itemPut, error) {
	read := wanted.Version
	wanted.Version++
	return newItemPut(wanted.TwilioNumber, conversation.Item(wanted.Customer), read, *wanted)
}

// put writes all items in one transaction, or none: the error is ErrConflict if one is stored in another version.
func (c *Conversations) put(ctx context.Context, puts ...itemPut) error {
	conflict := false
	if err := c.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		conflict, err = t.putItems(ctx, puts)
		return err
	}); err != nil {
		return err
	}
	if conflict {
		return conversation.ErrConflict
	}
	return nil
}

func (t *tx) putItems(ctx context.Context, puts []itemPut) (conflict bool, err error) {
	stored := make([]*string, len(puts))
	for i, p := range puts {
		var version int64
		_, err := t.get(ctx, []any{&version, &stored[i]},
			"SELECT version, conversation FROM conversations WHERE twilio_number = ? AND item = ?", p.number, p.key)
		if err != nil {
			return false, err
		}
		if version != p.read {
			return true, nil
		}
	}
	for i, p := range puts {
		if _, err := t.exec(ctx, `
			INSERT INTO conversations (twilio_number, item, version, conversation) VALUES (?, ?, ?, ?)
			ON CONFLICT (twilio_number, item) DO UPDATE SET version = excluded.version, conversation = excluded.conversation`,
			p.number, p.key, p.read+1, p.item); err != nil {
			return false, err
		}
		if !conversation.IsAudited(p.key) {
			continue
		}
		written := change{table: TableConversations, key: p.number + " " + p.key, old: stored[i], new: &p.item}
		if err := t.change(ctx, written); err != nil {
			return false, err
		}
	}
	return false, nil
}
