package sqlite

import (
	"context"
	"database/sql"
)

// indexBatch is how many texts one call of IndexWords looks at, and so for how long other writes wait for it.
const indexBatch = 50

const (
	toIndexQuery = `SELECT id, message_sid FROM texts_to_index ORDER BY id DESC LIMIT ?`
	toIndexDone  = `DELETE FROM texts_to_index WHERE id = ?`
)

// newIDQuery gives a text its id, unless it has one, or has no words; wordsQuery puts its words under the id.
func newIDQuery() string {
	return of("ledger", `INSERT INTO text_ids (id, message_sid)
		SELECT coalesce((SELECT max(id) + 1 FROM text_ids WHERE id BETWEEN `+idOf+` AND `+idOf+` + `+idSpan+`), `+idOf+`), message_sid
		FROM ledger WHERE message_sid = ?1 AND `+wordsOf+` <> '' AND NOT EXISTS (
			SELECT 1 FROM text_ids AS other WHERE other.id BETWEEN `+idOf+` AND `+idOf+` + `+idSpan+` AND other.message_sid = ?1)
		RETURNING id`)
}

func wordsQuery() string {
	return of("ledger", `INSERT INTO text_words (rowid, words, people)
		SELECT ?1, `+wordsOf+`, `+peopleOf+` FROM ledger WHERE message_sid = ?2`)
}

// IndexWords puts the words of some texts into the index, those first that came last, and reports whether others are left. Call it a moment
// after texts came in, and let other writes go before. What it has done is done when it is broken off.
func (db *DB) IndexWords(ctx context.Context) (isMore bool, err error) {
	if isMore, err = db.hasToIndex(ctx); err != nil || !isMore {
		return false, err
	}
	err = db.write(ctx, func(ctx context.Context, t *tx) error {
		all, err := t.toIndex(ctx)
		isMore = len(all) == indexBatch
		for _, one := range all {
			if err == nil {
				err = t.indexText(ctx, one)
			}
		}
		return err
	})
	return isMore, err
}

func (db *DB) hasToIndex(ctx context.Context) (bool, error) {
	var id int64
	return db.reader.get(ctx, []any{&id}, "SELECT id FROM texts_to_index LIMIT 1")
}

// unindexed is a text that waits for its words to be put into the index.
type unindexed struct {
	id         int64
	messageSid string
}

func (t *tx) toIndex(ctx context.Context) (all []unindexed, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		var one unindexed
		err := rows.Scan(&one.id, &one.messageSid)
		all = append(all, one)
		return err
	}, toIndexQuery, indexBatch)
	return all, err
}

// indexText puts the words of a text into the index, if it is there and has any.
func (t *tx) indexText(ctx context.Context, one unindexed) error {
	var id int64
	found, err := t.get(ctx, []any{&id}, newIDQuery(), one.messageSid)
	if err == nil && found {
		_, err = t.exec(ctx, wordsQuery(), id, one.messageSid)
	}
	if err == nil {
		_, err = t.exec(ctx, toIndexDone, one.id)
	}
	return err
}
