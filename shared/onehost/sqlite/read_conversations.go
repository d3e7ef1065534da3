package sqlite

import (
	"context"
	"database/sql"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// StoredConversations reads the conversations of a database that it cannot write to.
type StoredConversations struct{ reader *reader }

// Conversations returns the database's conversations.
func (r *Reader) Conversations() StoredConversations { return StoredConversations{reader: r.reader} }

// Get returns the conversation of a customer at a Twilio number, or one of version 0.
func (c StoredConversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	return c.one(ctx, "SELECT conversation FROM conversations WHERE twilio_number = ? AND item = ?", string(number),
		conversation.Item(customer))
}

// Find returns the conversation with that ID, or one of version 0.
func (c StoredConversations) Find(ctx context.Context, id string) (conversation.Conversation, error) {
	from, to := itemsWith(conversation.PrefixConversation)
	return c.one(ctx, `SELECT conversation FROM conversations WHERE item >= ? AND item < ? AND json_extract(conversation, '$.ID') = ?`,
		from, to, id)
}

func (c StoredConversations) one(ctx context.Context, query string, args ...any) (found conversation.Conversation, err error) {
	var item string
	ok, err := c.reader.get(ctx, []any{&item}, query, args...)
	if err == nil && ok {
		err = decodeItem(item, &found)
	}
	return found, err
}

// Each calls visit for every conversation, in no order.
func (c StoredConversations) Each(ctx context.Context, visit func(conversation.Conversation)) error {
	from, to := itemsWith(conversation.PrefixConversation)
	return c.reader.each(ctx, func(rows *sql.Rows) error {
		var one conversation.Conversation
		err := scanItem(rows, &one)
		if err == nil {
			visit(one)
		}
		return err
	}, "SELECT conversation FROM conversations WHERE item >= ? AND item < ?", from, to)
}

// Unread calls visit for the ID of each conversation that has a change which the reader of the change stream has not done yet.
func (c StoredConversations) Unread(ctx context.Context, visit func(id string)) error {
	return c.reader.each(ctx, func(rows *sql.Rows) error {
		var id *string
		err := rows.Scan(&id)
		if err == nil && id != nil {
			visit(*id)
		}
		return err
	}, `SELECT json_extract(old_item, '$.ID') FROM changes WHERE table_name = ?1
		UNION SELECT json_extract(new_item, '$.ID') FROM changes WHERE table_name = ?1`, TableConversations)
}
