package sqlite

import (
	"context"
	"database/sql"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// maxRead limits how many records one page reads if the query has a number and a state: an index finds the number's records,
// and the state is compared on each of them.
const maxRead = 500

// The parameters of a list: ?1 the value that is looked for, ?2 the oldest received_at, ?3 and ?4 the place of the
// record before the page, ?5 the limit.
const (
	listColumns = `SELECT received_at, message_sid, state, record FROM ledger WHERE `
	listPage    = ` received_at >= ?2 AND (received_at, message_sid) < (?3, ?4)
		ORDER BY received_at DESC, message_sid DESC LIMIT ?5`

	listAllQuery   = listColumns + `?1 = '' AND` + listPage
	listStateQuery = listColumns + `state = ?1 AND` + listPage
	// Each half reads its own index and stops at the limit. UNION drops a record that is in both.
	listNumberQuery = `
		SELECT * FROM (` + listColumns + `customer = ?1 AND` + listPage + `)
		UNION
		SELECT * FROM (` + listColumns + `twilio_number = ?1 AND` + listPage + `)
		ORDER BY 1 DESC, 2 DESC LIMIT ?5`
)

// beforeAll comes before every received_at in a list that begins with the newest.
const beforeAll = "~"

// found is a record as a list found it, not yet decoded.
type found struct {
	receivedAt, messageSid, state, item string
}

// List returns a page of records, see [ledger.Lister]. A Limit out of range counts as MaxLimit.
func (l *Ledger) List(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	if !q.Cursor.IsZero() && (q.Cursor.MessageSid == "" || q.Cursor.ReceivedAt.IsZero()) {
		return ledger.Page{}, ledger.ErrCursor
	}
	if q.Limit < 1 || q.Limit > ledger.MaxLimit {
		q.Limit = ledger.MaxLimit
	}
	// One more than is shown tells whether there is a next page.
	limit := q.Limit + 1
	if q.Number != "" && q.State != "" {
		limit = maxRead
	}
	rows, err := l.find(ctx, q, limit)
	if err != nil {
		return ledger.Page{}, err
	}
	return page(q, rows, len(rows) == limit)
}

const countQuery = "SELECT count(*) FROM ledger WHERE state = ?"

// Count returns how many texts are in a state. It reads an index entry of each, so ask for states that few texts are in.
func (l *Ledger) Count(ctx context.Context, state ledger.State) (n int, err error) {
	_, err = l.db.reader.get(ctx, []any{&n}, countQuery, string(state))
	return n, err
}

// find reads up to limit records; some may be in another state than the query's.
func (l *Ledger) find(ctx context.Context, q ledger.Query, limit int) ([]found, error) {
	query, value := listAllQuery, ""
	switch {
	case q.Number != "":
		query, value = listNumberQuery, string(q.Number)
	case q.State != "":
		query, value = listStateQuery, string(q.State)
	}
	since := ""
	if !q.Since.IsZero() {
		since = ledger.SortKeyFrom(q.Since)
	}
	before, beforeSid := start(q)
	var rows []found
	err := l.db.reader.each(ctx, func(r *sql.Rows) error {
		var f found
		err := r.Scan(&f.receivedAt, &f.messageSid, &f.state, &f.item)
		rows = append(rows, f)
		return err
	}, query, value, since, before, beforeSid, limit)
	return rows, err
}

// start returns the place before which the page begins: the cursor's, or that of Until if it comes first.
func start(q ledger.Query) (receivedAt, messageSid string) {
	receivedAt, messageSid = beforeAll, ""
	if !q.Cursor.IsZero() {
		receivedAt, messageSid = ledger.SortKey(q.Cursor.ReceivedAt), q.Cursor.MessageSid
	}
	if until := ledger.SortKeyFrom(q.Until); !q.Until.IsZero() && until <= receivedAt {
		return until, ""
	}
	return receivedAt, messageSid
}

// page picks the records in the query's state. more says that the ledger may hold others beyond rows.
func page(q ledger.Query, rows []found, more bool) (ledger.Page, error) {
	var p ledger.Page
	for _, row := range rows {
		if q.State != "" && row.state != string(q.State) {
			continue
		}
		if len(p.Records) == q.Limit {
			p.Next = ledger.CursorAt(p.Records[q.Limit-1])
			return p, nil
		}
		r, err := decodeRecord(row.item)
		if err != nil {
			return ledger.Page{}, err
		}
		p.Records = append(p.Records, r)
	}
	if !more {
		return p, nil
	}
	// The next page goes on behind the last record that was read, whatever its state.
	last, err := decodeRecord(rows[len(rows)-1].item)
	p.Next = ledger.CursorAt(last)
	return p, err
}
