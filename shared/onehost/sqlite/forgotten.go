package sqlite

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// What is kept of customers who were forgotten is in the conversations' table, under no Twilio number: a version of this program that knows
// nothing of it leaves it alone.
const (
	forgottenPartition = "forgotten"
	forgottenKey       = "k#"
	prefixOrder        = "j#"
	prefixKept         = "o#"
)

// Forgotten keeps who was forgotten, without their numbers.
type Forgotten struct{ db *DB }

// Forgotten returns the database's forgotten customers.
func (db *DB) Forgotten() *Forgotten { return &Forgotten{db: db} }

// Kept is what still counts of a customer who was forgotten, by a hash of the numbers: the customer wants no texts, or nobody wants his.
type Kept struct {
	OptOut  conversation.OptOut  `json:",omitzero"`
	Blocked conversation.Blocked `json:",omitzero"`
}

// IsZero reports whether nothing is to be kept.
func (k Kept) IsZero() bool { return !k.OptOut.OptedOut && !k.Blocked.On }

// Key returns the random key of all hashes of forgotten customers; nil if none was ever made.
func (f *Forgotten) Key(ctx context.Context) ([]byte, error) {
	var item string
	found, err := f.db.reader.get(ctx, []any{&item}, "SELECT conversation FROM conversations WHERE twilio_number = ? AND item = ?",
		forgottenPartition, forgottenKey)
	if err != nil || !found {
		return nil, err
	}
	var key []byte
	return key, decodeItem(item, &key)
}

// MakeKey makes the key unless there is one, and returns it. wanted is what it is to be, nil for a random one.
func (f *Forgotten) MakeKey(ctx context.Context, wanted []byte) ([]byte, error) {
	if wanted == nil {
		wanted = make([]byte, sha256.Size)
		_, _ = rand.Read(wanted) // it never fails.
	}
	put, err := newItemPut(forgottenPartition, forgottenKey, 0, wanted)
	if err != nil {
		return nil, err
	}
	if err := f.db.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.putItems(ctx, []itemPut{put}) // A conflict is that there is one.
		return err
	}); err != nil {
		return nil, err
	}
	return f.Key(ctx)
}

// HashOf returns the keyed hash of some numbers, the same for each spelling of them.
func HashOf(key []byte, numbers ...sms.PhoneNumber) string {
	sum := hmac.New(sha256.New, key)
	for _, number := range numbers {
		_, _ = fmt.Fprintf(sum, "%s\x00", number.Key())
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// PutOrder stores an order to forget a customer over the version that was read, 0 if there was none. The error is ErrConflict of package
// conversation if another version is stored.
func (f *Forgotten) PutOrder(ctx context.Context, id string, read int64, order any) error {
	put, err := newItemPut(forgottenPartition, prefixOrder+id, read, order)
	if err != nil {
		return err
	}
	return (&Conversations{f.db}).put(ctx, put)
}

// EachOrder calls visit for each order, as it was put.
func (f *Forgotten) EachOrder(ctx context.Context, visit func(version int64, order json.RawMessage) error) error {
	return f.each(ctx, "", visit)
}

// EachPending does the same for each that has no done_at.
func (f *Forgotten) EachPending(ctx context.Context, visit func(version int64, order json.RawMessage) error) error {
	return f.each(ctx, "AND json_extract(conversation, '$.done_at') IS NULL", visit)
}

func (f *Forgotten) each(ctx context.Context, only string, visit func(version int64, order json.RawMessage) error) error {
	from, to := itemsWith(prefixOrder)
	return f.db.reader.each(ctx, func(rows *sql.Rows) error {
		var version int64
		var item string
		if err := rows.Scan(&version, &item); err != nil {
			return err
		}
		return visit(version, json.RawMessage(item))
	}, "SELECT version, conversation FROM conversations WHERE twilio_number = ? AND item >= ? AND item < ? "+only+" ORDER BY item",
		forgottenPartition, from, to)
}

// kept returns the customer's conversation with what is kept by the hash, if the customer was forgotten. It is asked for customers of whom
// nothing else is stored.
func (c *Conversations) kept(ctx context.Context, found conversation.Conversation) (conversation.Conversation, error) {
	key, err := c.db.Forgotten().Key(ctx)
	if err != nil || key == nil {
		return found, err
	}
	var kept Kept
	err = c.get(ctx, forgottenPartition, prefixKept+HashOf(key, found.TwilioNumber, found.Customer), &kept)
	found.OptOut, found.Blocked = kept.OptOut, kept.Blocked
	return found, err
}

// Remove takes a conversation out of the table, with the customer out of the use of its tag, and keeps under the hash of the numbers what
// still counts. The error is ErrConflict if another version is stored. The audit log says that it was removed.
func (f *Forgotten) Remove(ctx context.Context, key []byte, c conversation.Conversation) error {
	what := Kept{OptOut: c.OptOut, Blocked: c.Blocked}
	kept, err := newItemPut(forgottenPartition, prefixKept+HashOf(key, c.TwilioNumber, c.Customer), 0, what)
	if err != nil {
		return err
	}
	conflict := false
	if err := f.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
		if conflict, err = t.removeConversation(ctx, c); err != nil || conflict {
			return err
		}
		// What was kept when the customer was forgotten before is out of date.
		query, args := "DELETE FROM conversations WHERE twilio_number = ? AND item = ?", []any{kept.number, kept.key}
		if !what.IsZero() {
			query = "INSERT OR REPLACE INTO conversations (twilio_number, item, version, conversation) VALUES (?, ?, 1, ?)"
			args = append(args, kept.item)
		}
		_, err = t.exec(ctx, query, args...)
		return err
	}); err != nil {
		return err
	}
	if conflict {
		return conversation.ErrConflict
	}
	return nil
}

func (t *tx) removeConversation(ctx context.Context, c conversation.Conversation) (conflict bool, err error) {
	number, item := string(c.TwilioNumber), conversation.Item(c.Customer)
	var version int64
	var stored string
	found, err := t.get(ctx, []any{&version, &stored},
		"SELECT version, conversation FROM conversations WHERE twilio_number = ? AND item = ?", number, item)
	if err != nil || !found || version != c.Version {
		return err == nil, err
	}
	if _, err := t.exec(ctx, "DELETE FROM conversations WHERE twilio_number = ? AND item = ?", number, item); err != nil {
		return false, err
	}
	if err := t.change(ctx, change{table: TableConversations, key: number + " " + item, old: &stored}); err != nil {
		return false, err
	}
	if c.Tag == "" {
		return false, nil
	}
	_, err = t.exec(ctx, `
		UPDATE conversations SET version = version + 1,
			conversation = json_set(conversation, '$.Version', version + 1, '$.Customer', ?)
		WHERE twilio_number = ? AND item = ? AND json_extract(conversation, '$.Customer') = ?`,
		string(sms.Pseudonym(c.Customer)), string(conversation.TagsPartition), conversation.PrefixTag+string(c.Tag), string(c.Customer))
	return false, err
}

// Fold brings everything into the database file at path, so that the file is all there is. Others may have it open; if one of them reads
// from the log for longer than a moment, it is an error.
func Fold(ctx context.Context, path string) error {
	return withFile(path, func(file *sql.DB) error {
		var busy, frames, folded int
		err := file.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &folded)
		if err == nil && busy != 0 {
			err = errors.New("the write-ahead log is still in use")
		}
		return err
	})
}

// FoldBeside brings what the log has into the database file at path while others have it open, and waits for nobody. The log is used from
// its beginning again if nobody reads from it. With package replica, it is for the time when that does not read the log.
func FoldBeside(ctx context.Context, path string) error {
	return withFile(path, func(file *sql.DB) error {
		var busy, frames, folded int
		return file.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &folded)
	})
}
