package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// The tables whose changes the change stream shows.
const (
	TableLedger        = "ledger"
	TableRouting       = "routing"
	TableConversations = "conversations"
)

// Change is one write of one item.
type Change struct {
	// SequenceNumber is a decimal number of fixed width. It grows from change to change, also over restarts.
	SequenceNumber string
	// Table is one of the three, Key the item's MessageSid or TwilioNumber. In the conversations' table it is the TwilioNumber, a space
	// and the sort key, see [Change.ConversationKey].
	Table string
	Key   string
	// At is when the write was made, to the millisecond.
	At time.Time
	// Old and New are the item's JSON before and after; nil if the item did not exist.
	Old, New json.RawMessage
	// Expired marks a removal by [DB.Expire].
	Expired bool
}

// ConversationKey returns the two keys of a change in the conversations' table: the Twilio number, and the sort key of its item.
func (c Change) ConversationKey() (number, item string) {
	for _, prefix := range []string{conversation.PrefixConversation, conversation.PrefixAction} {
		// No Twilio number has this in it.
		if number, rest, ok := strings.Cut(c.Key, " "+prefix); ok {
			return number, prefix + rest
		}
	}
	return c.Key, ""
}

// Changes is the change stream of the ledger, the routing table, the conversations and operators' actions: each write of an item leaves
// one change, which is committed with it or not at all. Phones and tags leave none: they change with almost every
// text, and nobody audits them.
// The stream is for one reader, who checkpoints what is done.
type Changes struct{ db *DB }

// Changes returns the database's change stream.
func (db *DB) Changes() *Changes { return &Changes{db: db} }

const changesQuery = `
SELECT id, at, table_name, item_key, old_item, new_item, expired FROM changes ORDER BY id LIMIT ?`

// Read returns up to limit changes after the checkpoint, oldest first, and waits up to wait for the first. None within
// wait is an empty slice and no error; if ctx ends while it waits, the error is Transient. Reading changes nothing:
// without a checkpoint in between, the next Read returns the same again.
func (c *Changes) Read(ctx context.Context, limit int, wait time.Duration) ([]Change, error) {
	var changes []Change
	err := c.db.await(ctx, c.db.changed, wait, func() (bool, error) {
		changes = nil
		err := c.db.reader.each(ctx, func(rows *sql.Rows) error {
			change, err := scanChange(rows)
			changes = append(changes, change)
			return err
		}, changesQuery, limit)
		return len(changes) > 0, err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

func scanChange(rows *sql.Rows) (Change, error) {
	var change Change
	var id, at int64
	var before, after *string
	if err := rows.Scan(&id, &at, &change.Table, &change.Key, &before, &after, &change.Expired); err != nil {
		return Change{}, err
	}
	change.SequenceNumber = fmt.Sprintf("%020d", id)
	change.At = time.UnixMilli(at).UTC()
	change.Old, change.New = rawMessage(before), rawMessage(after)
	return change, nil
}

func rawMessage(item *string) json.RawMessage {
	if item == nil {
		return nil
	}
	return json.RawMessage(*item)
}

// Checkpoint says that every change up to sequenceNumber is done: no Read returns it again.
func (c *Changes) Checkpoint(ctx context.Context, sequenceNumber string) error {
	id, err := strconv.ParseInt(sequenceNumber, 10, 64)
	if err != nil {
		return permanent("malformed sequence number")
	}
	return c.db.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, "DELETE FROM changes WHERE id <= ?", id)
		return err
	})
}

// Done returns the sequence number, as a number, up to which every change is done; 0 if there was none.
func (c *Changes) Done(ctx context.Context) (id int64, err error) {
	_, err = c.db.reader.get(ctx, []any{&id}, `
		SELECT coalesce((SELECT min(id) - 1 FROM changes), (SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)`)
	return id, err
}

// change is a Change still to be written.
type change struct {
	table, key string
	old, new   *string
	expired    bool
}

// change appends to the change stream, in the transaction of the change itself.
func (t *tx) change(ctx context.Context, c change) error {
	t.ring(t.db.changed)
	_, err := t.exec(ctx, `
		INSERT INTO changes (at, table_name, item_key, old_item, new_item, expired) VALUES (?, ?, ?, ?, ?, ?)`,
		t.now.UnixMilli(), c.table, c.key, c.old, c.new, c.expired)
	return err
}
