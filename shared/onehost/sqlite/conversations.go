package sqlite

import (
	"context"
	"encoding/json"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var _ conversation.Store = (*Conversations)(nil)

// Conversations keeps the conversations. It implements [conversation.Store].
type Conversations struct{ db *DB }

// Conversations returns the database's conversations.
func (db *DB) Conversations() *Conversations { return &Conversations{db: db} }

// Get returns a conversation, see [conversation.Store].
func (c *Conversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	found := conversation.Conversation{TwilioNumber: number, Customer: customer}
	var item string
	ok, err := c.db.reader.get(ctx, []any{&item},
		"SELECT conversation FROM conversations WHERE twilio_number = ? AND item = ?", string(number), conversation.Item(customer))
	if err != nil || !ok {
		return found, err
	}
	if err := json.Unmarshal([]byte(item), &found); err != nil {
		return conversation.Conversation{}, permanent("unreadable conversation in the conversations' table")
	}
	return found, nil
}

// Put stores the next version of a conversation, see [conversation.Store].
func (c *Conversations) Put(ctx context.Context, wanted conversation.Conversation) (conversation.Conversation, error) {
	read := wanted.Version
	wanted.Version++
	item, err := json.Marshal(wanted)
	if err != nil {
		return conversation.Conversation{}, permanent("conversation cannot be written as JSON")
	}
	var refusal error
	if err := c.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		refusal, err = t.putConversation(ctx, read, wanted, string(item))
		return err
	}); err != nil {
		return conversation.Conversation{}, err
	}
	if refusal != nil {
		return conversation.Conversation{}, refusal
	}
	return wanted, nil
}

func (t *tx) putConversation(ctx context.Context, read int64, wanted conversation.Conversation, item string) (refusal, err error) {
	number, key := string(wanted.TwilioNumber), conversation.Item(wanted.Customer)
	var version int64
	_, err = t.get(ctx, []any{&version}, "SELECT version FROM conversations WHERE twilio_number = ? AND item = ?", number, key)
	if err != nil {
		return nil, err
	}
	if version != read {
		return conversation.ErrConflict, nil
	}
	_, err = t.exec(ctx, `
		INSERT INTO conversations (twilio_number, item, version, conversation) VALUES (?, ?, ?, ?)
		ON CONFLICT (twilio_number, item) DO UPDATE SET version = excluded.version, conversation = excluded.conversation`,
		number, key, wanted.Version, item)
	return nil, err
}
