package sqlite

import (
	"context"
	"database/sql"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Item is one item of the conversations' table, see package conversation for what its sort key Item says it is.
type Item struct {
	TwilioNumber sms.PhoneNumber
	Item         string

	text string
}

// Decode reads the item into v, a pointer to what it is. The error does not say what it holds.
func (i Item) Decode(v any) error { return decodeItem(i.text, v) }

// Items returns at most limit items of the table in the order of their keys, those that come after the given one; the zero Item begins
// at the first. Fewer than limit are the last.
func (c *Conversations) Items(ctx context.Context, after Item, limit int) (items []Item, err error) {
	err = c.db.reader.each(ctx, func(rows *sql.Rows) error {
		var i Item
		err := rows.Scan(&i.TwilioNumber, &i.Item, &i.text)
		items = append(items, i)
		return err
	}, `SELECT twilio_number, item, conversation FROM conversations WHERE (twilio_number, item) > (?, ?)
		ORDER BY twilio_number, item LIMIT ?`, string(after.TwilioNumber), after.Item, limit)
	return items, err
}

// Counts are how many of each the database has. Kinds are the items of the conversations' table by the beginning of their sort keys,
// Queues the messages by queue.
type Counts struct {
	Texts, Routes int
	Kinds, Queues map[string]int
}

// Count counts what the database has.
func (db *DB) Count(ctx context.Context) (c Counts, err error) {
	into := []any{&c.Texts, &c.Routes}
	if _, err := db.reader.get(ctx, into, "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM routing)"); err != nil {
		return Counts{}, err
	}
	if c.Kinds, err = db.countBy(ctx, "SELECT substr(item, 1, 2), count(*) FROM conversations GROUP BY 1"); err != nil {
		return Counts{}, err
	}
	c.Queues, err = db.countBy(ctx, "SELECT queue, sum(depth) FROM queue_lanes GROUP BY 1")
	return c, err
}

func (db *DB) countBy(ctx context.Context, query string) (map[string]int, error) {
	counts := map[string]int{}
	err := db.reader.each(ctx, func(rows *sql.Rows) error {
		var name string
		var n int
		err := rows.Scan(&name, &n)
		counts[name] = n
		return err
	}, query)
	return counts, err
}
