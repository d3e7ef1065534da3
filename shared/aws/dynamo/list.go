package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// place is a record's place in an index: all that an index has.
type place struct {
	// receivedKey orders the places, newest first.
	receivedKey string
	messageSid  string
}

// cursor returns the cursor that continues after the place.
func (p place) cursor() ledger.Cursor {
	at, _, _ := strings.Cut(p.receivedKey, " ")
	received, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return ledger.Cursor{}
	}
	return ledger.Cursor{ReceivedAt: received, MessageSid: p.messageSid}
}

// stretch is a part of a list, read from the indexes: its places, newest first, each once.
type stretch struct {
	places []place
	// rest is the cursor of what follows the places, zero if nothing does.
	rest ledger.Cursor
}

// cut returns the first n places of the stretch.
func (s stretch) cut(n int) stretch {
	if len(s.places) <= n {
		return s
	}
	return stretch{places: s.places[:n], rest: s.places[n-1].cursor()}
}

// List finds the places of a page in the indexes, then reads the records themselves from the table.
// With a number, it reads the texts with that customer and with that Twilio number; a state then only filters, so up to
// MaxLimit places are read for a page. Without a number, it goes backwards from now day by day, in the partition of the state
// or of all states, no further than the retention. A page ends early after maxQueries queries, so a page may have no record
// and still a Next. A record that is just changing its state may be missed.
func (l *Ledger) List(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	if !q.Cursor.IsZero() && (q.Cursor.MessageSid == "" || q.Cursor.ReceivedAt.IsZero()) {
		return ledger.Page{}, ledger.ErrCursor
	}
	q.Limit = min(max(q.Limit, 1), ledger.MaxLimit)
	found, err := l.find(ctx, q)
	if err != nil {
		return ledger.Page{}, err
	}
	return l.page(ctx, q, found)
}

// find reads the stretch that the page is made from, of at most MaxLimit places.
func (l *Ledger) find(ctx context.Context, q ledger.Query) (stretch, error) {
	switch {
	case q.Number == "":
		return l.walk(ctx, q)
	case q.State == "":
		return l.ofNumber(ctx, q, q.Limit)
	default:
		return l.ofNumber(ctx, q, ledger.MaxLimit)
	}
}

// ofNumber reads the number's texts, in both its roles.
func (l *Ledger) ofNumber(ctx context.Context, q ledger.Query, limit int) (stretch, error) {
	bounds := boundsOf(q)
	found, err := l.merge(ctx, limit, []partition{
		{index: IndexByCustomer, attribute: attrCustomer, value: string(q.Number), bounds: bounds},
		{index: IndexByTwilioNumber, attribute: attrTwilioNumber, value: string(q.Number), bounds: bounds},
	})
	return found.cut(limit), err
}

// page reads the records of the stretch and keeps those that match: the indexes may be out of date, and those of numbers have
// no state.
func (l *Ledger) page(ctx context.Context, q ledger.Query, found stretch) (ledger.Page, error) {
	records, err := l.records(ctx, found.places)
	if err != nil {
		return ledger.Page{}, err
	}
	page := ledger.Page{Next: found.rest}
	for i, p := range found.places {
		r, ok := records[p.messageSid]
		if !ok || !matches(q, r) {
			continue
		}
		page.Records = append(page.Records, r)
		if len(page.Records) == q.Limit && i+1 < len(found.places) {
			page.Next = p.cursor()
			break
		}
	}
	return page, nil
}

// records reads the records at the places, by MessageSid.
func (l *Ledger) records(ctx context.Context, places []place) (map[string]ledger.Record, error) {
	keys := make([]string, len(places))
	for i, p := range places {
		keys[i] = p.messageSid
	}
	items, err := l.table.batchGet(ctx, l.table.distinct(keys), false)
	if err != nil {
		return nil, err
	}
	records := make(map[string]ledger.Record, len(items))
	for _, stored := range items {
		r, err := record(stored)
		if err != nil {
			return nil, err
		}
		records[r.MessageSid] = r
	}
	return records, nil
}

// matches reports whether the record fits the query.
func matches(q ledger.Query, r ledger.Record) bool {
	switch {
	case q.Number != "" && !slices.Contains([]sms.PhoneNumber{r.Customer, r.TwilioNumber}, q.Number):
		return false
	case q.State != "" && q.State != r.State:
		return false
	case !q.Until.IsZero() && !r.ReceivedAt.Before(q.Until):
		return false
	default:
		return !r.ReceivedAt.Before(q.Since)
	}
}

// newestFirst compares two places in the order of lists.
func newestFirst(a, b place) int { return cmp.Compare(b.receivedKey, a.receivedKey) }
