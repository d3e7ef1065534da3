package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var (
	_ conversation.Store   = (*Conversations)(nil)
	_ conversation.Lister  = (*Conversations)(nil)
	_ conversation.Actions = (*Conversations)(nil)
)

// Conversations keeps conversations, phones, tags and actions. It implements [conversation.Store], [conversation.Lister] and
// [conversation.Actions].
type Conversations struct{ db *DB }

// Conversations returns the database's conversations.
func (db *DB) Conversations() *Conversations { return &Conversations{db: db} }

// Get returns a conversation, see [conversation.Store].
func (c *Conversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	found := conversation.Conversation{TwilioNumber: number, Customer: customer}
	if err := c.get(ctx, number, conversation.Item(customer), &found); err != nil {
		return conversation.Conversation{}, err
	}
	if found.Version == 0 {
		return c.kept(ctx, found)
	}
	return found, nil
}

// GetPhone returns a phone, see [conversation.Store].
func (c *Conversations) GetPhone(ctx context.Context, key conversation.PhoneKey) (conversation.Phone, error) {
	var found conversation.Phone
	if err := c.get(ctx, key.TwilioNumber, key.Item(), &found); err != nil {
		return conversation.Phone{}, err
	}
	if found.Version == 0 {
		found.PhoneKey = key
	}
	return found, nil
}

// get reads an item into v, which stays as it is if there is none.
func (c *Conversations) get(ctx context.Context, number sms.PhoneNumber, key string, v any) error {
	var item string
	ok, err := c.db.reader.get(ctx, []any{&item},
		"SELECT conversation FROM conversations WHERE twilio_number = ? AND item = ?", string(number), key)
	if err != nil || !ok {
		return err
	}
	return decodeItem(item, v)
}

// decodeItem reads an item of the conversations' table. The error does not say what it holds.
func decodeItem(item string, v any) error {
	if err := json.Unmarshal([]byte(item), v); err != nil {
		return permanent("unreadable item in the conversations' table")
	}
	return nil
}

// Read returns a conversation and phones, see [conversation.Store].
func (c *Conversations) Read(
	ctx context.Context, number, customer sms.PhoneNumber, keys ...conversation.PhoneKey,
) (conversation.Conversation, []conversation.Phone, error) {
	found, err := c.Get(ctx, number, customer)
	if err != nil {
		return conversation.Conversation{}, nil, err
	}
	phones := make([]conversation.Phone, len(keys))
	for i, key := range keys {
		if phones[i], err = c.GetPhone(ctx, key); err != nil {
			return conversation.Conversation{}, nil, err
		}
	}
	return found, phones, nil
}

// TagUses returns the uses of all tags, see [conversation.Store].
func (c *Conversations) TagUses(ctx context.Context) ([]conversation.TagUse, error) {
	from, to := itemsWith(conversation.PrefixTag)
	var uses []conversation.TagUse
	err := c.db.reader.each(ctx, func(rows *sql.Rows) error {
		var use conversation.TagUse
		err := scanItem(rows, &use)
		uses = append(uses, use)
		return err
	}, "SELECT conversation FROM conversations WHERE twilio_number = ? AND item >= ? AND item < ?",
		string(conversation.TagsPartition), from, to)
	if err != nil {
		return nil, err
	}
	return uses, nil
}

// TagUsesOf returns the uses of those of the tags that were ever given out, in any order.
func (c *Conversations) TagUsesOf(ctx context.Context, tags []conversation.Tag) (uses []conversation.TagUse, err error) {
	for _, tag := range tags {
		var use conversation.TagUse
		if err := c.get(ctx, conversation.TagsPartition, conversation.TagUse{Tag: tag}.Item(), &use); err != nil {
			return nil, err
		}
		if use.Version > 0 {
			uses = append(uses, use)
		}
	}
	return uses, nil
}

// ListConversations returns conversations of a number, see [conversation.Lister].
func (c *Conversations) ListConversations(
	ctx context.Context, number, after sms.PhoneNumber, limit int,
) ([]conversation.Conversation, error) {
	from, to := itemsWith(conversation.PrefixConversation)
	last := ""
	if after != "" {
		last = conversation.Item(after)
	}
	var found []conversation.Conversation
	err := c.db.reader.each(ctx, func(rows *sql.Rows) error {
		var one conversation.Conversation
		err := scanItem(rows, &one)
		found = append(found, one)
		return err
	}, `SELECT conversation FROM conversations
		WHERE twilio_number = ? AND item > ? AND item >= ? AND item < ? ORDER BY item LIMIT ?`,
		string(number), last, from, to, min(max(limit, 1), conversation.MaxList))
	if err != nil {
		return nil, err
	}
	return found, nil
}

const listWaitingQuery = `
	SELECT conversation FROM conversations INDEXED BY conversations_waiting WHERE twilio_number = ? AND ` + waitingCondition

// ListWaiting returns the conversations of a number in which a customer waits for an answer, or texts are held, and perhaps some others,
// in the order of [conversation.Item]. It reads nothing of those who do not wait.
func (c *Conversations) ListWaiting(ctx context.Context, number sms.PhoneNumber) (found []conversation.Conversation, err error) {
	err = c.db.reader.each(ctx, func(rows *sql.Rows) error {
		var one conversation.Conversation
		err := scanItem(rows, &one)
		found = append(found, one)
		return err
	}, listWaitingQuery, string(number))
	return found, err
}

// ListPhones returns all phones of a number, see [conversation.Lister].
func (c *Conversations) ListPhones(ctx context.Context, number sms.PhoneNumber) ([]conversation.Phone, error) {
	from, to := itemsWith(conversation.PrefixPhone)
	var found []conversation.Phone
	err := c.db.reader.each(ctx, func(rows *sql.Rows) error {
		var one conversation.Phone
		err := scanItem(rows, &one)
		found = append(found, one)
		return err
	}, "SELECT conversation FROM conversations WHERE twilio_number = ? AND item >= ? AND item < ? ORDER BY item", string(number), from, to)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// itemsWith returns the range of the sort keys that begin with the prefix; to is the first one after it.
func itemsWith(prefix string) (from, to string) {
	last := len(prefix) - 1
	return prefix, prefix[:last] + string(prefix[last]+1)
}

// scanItem reads the item of a row into v.
func scanItem(rows *sql.Rows, v any) error {
	var item string
	if err := rows.Scan(&item); err != nil {
		return err
	}
	return decodeItem(item, v)
}
