package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var _ ledger.Searcher = (*Ledger)(nil)

// The parameters of a search: ?1 the query of the index, ?2 the least id, ?3 the id before which the page begins, ?4 the limit. The index
// is in the order of ids, so SQLite stops at the limit.
const (
	searchQuery = `SELECT message_sid FROM text_words JOIN text_ids ON id = text_words.rowid
		WHERE text_words MATCH ?1 AND text_words.rowid >= ?2 AND text_words.rowid < ?3 ORDER BY text_words.rowid DESC LIMIT ?4`
	countFoundQuery = `SELECT count(*) FROM (SELECT 1 FROM text_words
		WHERE text_words MATCH ?1 AND rowid >= ?2 AND rowid < ?3 LIMIT ?4)`
	isFoundQuery    = `SELECT 1 FROM text_words WHERE text_words MATCH ?1 AND rowid >= ?2 AND rowid < ?3 LIMIT 1`
	notIndexedQuery = `SELECT count(*) FROM (SELECT 1 FROM texts_to_index LIMIT ?1)`
	idOfTextQuery   = `SELECT id FROM text_ids WHERE id BETWEEN ?1 AND ?1 + ` + idSpan + ` AND message_sid = ?2`
)

// Search finds texts by their words, see [ledger.Searcher]. A Limit out of range counts as MaxLimit.
func (l *Ledger) Search(ctx context.Context, s ledger.Search) (found ledger.Found, err error) {
	if !s.Cursor.IsZero() && (s.Cursor.MessageSid == "" || s.Cursor.ReceivedAt.IsZero()) {
		return found, ledger.ErrCursor
	}
	if s.Limit < 1 || s.Limit > ledger.MaxLimit {
		s.Limit = ledger.MaxLimit
	}
	reader := l.db.reader
	from, until := firstID(s.Since), firstID(s.Until)
	if s.Until.IsZero() {
		until = firstID(time.UnixMilli(maxIDMillis)) + 1<<20
	}
	// The words as they are go first: they are found at once, however many texts have them.
	match := matchOf(s, "")
	isThere, err := reader.get(ctx, []any{new(int)}, isFoundQuery, match, from, until)
	if err != nil {
		return found, err
	}
	if !isThere {
		if match, err = l.matchBeginning(ctx, s); err != nil {
			return found, err
		}
	}
	if _, err := reader.get(ctx, []any{&found.Count}, countFoundQuery, match, from, until, ledger.MaxCount); err != nil {
		return found, err
	}
	if _, err := reader.get(ctx, []any{&found.NotIndexed}, notIndexedQuery, ledger.MaxCount); err != nil {
		return found, err
	}
	if !s.Cursor.IsZero() {
		// A text that is gone meanwhile leaves its millisecond.
		before := firstID(s.Cursor.ReceivedAt)
		if _, err := reader.get(ctx, []any{&before}, idOfTextQuery, before, s.Cursor.MessageSid); err != nil {
			return found, err
		}
		until = min(until, before)
	}
	found.Page, err = l.foundPage(ctx, s, match, from, until)
	return found, err
}

// foundPage reads the texts of a page, and one more, which tells whether there is a next page.
func (l *Ledger) foundPage(ctx context.Context, s ledger.Search, match string, from, until int64) (page ledger.Page, err error) {
	var sids []string
	if err := l.db.reader.each(ctx, func(rows *sql.Rows) error {
		var sid string
		err := rows.Scan(&sid)
		sids = append(sids, sid)
		return err
	}, searchQuery, match, from, until, s.Limit+1); err != nil {
		return page, err
	}
	var last ledger.Record
	for _, sid := range sids[:min(s.Limit, len(sids))] {
		r, isThere, err := l.db.reader.record(ctx, sid)
		if err != nil {
			return ledger.Page{}, err
		}
		if !isThere {
			continue // it went between the two queries.
		}
		last = r
		// Numbers of other channels may have the same digits.
		if s.Takes(r) {
			page.Records = append(page.Records, r)
		}
	}
	if len(sids) > s.Limit && last.MessageSid != "" {
		page.Next = ledger.CursorAt(last)
	}
	return page, nil
}

// maxIDMillis is the last millisecond that an id can have, see idOf.
const maxIDMillis = 8_000_000_000_000

// firstID is the least id of texts that came in at that time or later.
func firstID(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if t.After(ledger.Stamp(t)) {
		t = t.Add(time.Millisecond)
	}
	return min(max(t.UnixMilli(), 0), maxIDMillis) << 20
}

// quoted is a word as the index's own language has it, in which nothing of it has a meaning: any signs within only part it.
func quoted(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }

// matchOf writes a search in the language of the index. If last is not empty, it stands in place of the last word.
func matchOf(s ledger.Search, last string) string {
	all := []string{}
	if len(s.Words) > 0 {
		all = append(all, "words : ("+matchAll(s.Words, last)+")")
	}
	if s.Number != "" {
		all = append(all, "people : "+quoted(string(s.Number)))
	}
	var some []string
	for _, c := range s.Customers {
		some = append(some, "(people : "+quoted(string(c.Customer))+" AND people : "+quoted(string(c.TwilioNumber))+")")
	}
	if len(some) > 0 {
		all = append(all, "("+strings.Join(some, " OR ")+")")
	}
	return strings.Join(all, " AND ")
}

// matchAll writes that all the words occur. If last is not empty, it stands in place of the last one.
func matchAll(words []string, last string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = quoted(word)
	}
	if last != "" {
		all[len(all)-1] = last
	}
	return strings.Join(all, " AND ")
}

const namedQuery = `SELECT conversation FROM name_words JOIN name_ids ON id = name_words.rowid
	JOIN conversations USING (twilio_number, item)
	WHERE name_words MATCH ?1 AND (?2 = '' OR twilio_number = ?2) ORDER BY twilio_number, item LIMIT ?3`

// Named returns the conversations of customers whose names have all these words, the last perhaps as the beginning of one, at most limit;
// of one Twilio number, or with "" of all.
func (c *Conversations) Named(
	ctx context.Context, words []string, number sms.PhoneNumber, limit int,
) (found []conversation.Conversation, err error) {
	err = c.db.reader.each(ctx, func(rows *sql.Rows) error {
		var one conversation.Conversation
		err := scanItem(rows, &one)
		found = append(found, one)
		return err
	}, namedQuery, matchAll(words, quoted(words[len(words)-1])+" *"), string(number), limit)
	return found, err
}
