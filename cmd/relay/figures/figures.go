// Package figures counts what went through a number in a day, a week or a month, from the ledger: texts, answers, how long customers
// waited, what was delivered, and how many segments that was. What the ledger does not have is not guessed.
package figures

import (
	"context"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Kind is how long a period is.
type Kind string

// The kinds.
const (
	Day   Kind = "day"
	Week  Kind = "week"
	Month Kind = "month"
)

// Period is a time of a kind, by the clocks of a place, in parts: the hours of a day, or the days of a week or a month.
type Period struct {
	Kind     Kind
	From, To time.Time
	Parts    []time.Time
}

// PeriodOf returns the period of a kind that a moment is in. A week begins on Monday. What is no kind is a week.
func PeriodOf(kind Kind, at time.Time) Period {
	p := Period{Kind: kind, From: time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())}
	switch kind {
	case Day:
		p.To = p.From.AddDate(0, 0, 1)
	case Month:
		p.From = p.From.AddDate(0, 0, 1-p.From.Day())
		p.To = p.From.AddDate(0, 1, 0)
	case Week:
		fallthrough
	default:
		p.Kind = Week
		p.From = p.From.AddDate(0, 0, -(int(p.From.Weekday())+6)%7)
		p.To = p.From.AddDate(0, 0, 7)
	}
	for at := p.From; at.Before(p.To); {
		p.Parts = append(p.Parts, at)
		if kind == Day {
			at = at.Add(time.Hour)
		} else {
			at = at.AddDate(0, 0, 1)
		}
	}
	return p
}

// Texts has the records.
type Texts interface {
	List(ctx context.Context, q ledger.Query) (ledger.Page, error)
}

const (
	// MaxRead is how many records are read for one answer. What is older than those is counted when it is asked for again: what was read is
	// remembered.
	MaxRead = 3_000
	// settled is after what time the records of a day hardly change any more: no text is sent later than that, but one that was held.
	settled = route.MaxMaxAge + 24*time.Hour
	// fresh is for how long what was read of any other day is remembered, if the day is over, or has too many texts to read at once.
	fresh = 15 * time.Minute
	// maxKept and maxDays bound how many records' figures are kept in memory, and of how many days.
	maxKept = 200_000
	maxDays = 1_000
	// maxWait is how long after a text an answer still counts as the answer to it.
	maxWait = 24 * time.Hour
)

// Book counts, and remembers what it has read of the days that hardly change any more.
type Book struct {
	Texts Texts
	Now   func() time.Time

	mu   sync.Mutex
	days map[dayKey]counted
	kept int
}

// counted is what was read of a day so far, the newest first.
type counted struct {
	entries []entry
	// next is where to go on; the zero value if all was read, which isWhole says, or nothing.
	next    ledger.Cursor
	isWhole bool
	// until is how long that is remembered; zero is for ever.
	until time.Time
}

type dayKey struct {
	number sms.PhoneNumber
	from   time.Time
}

// Of counts a period of a route's number. It reads the days newest first, and no more than MaxRead records that it does not remember.
func (b *Book) Of(ctx context.Context, way route.Route, p Period) (Figures, error) {
	// Whoever waits at the beginning may have written the day before, and be answered the day after the end.
	first, last := p.From.AddDate(0, 0, -1), p.To
	var days [][]entry
	budget, since := MaxRead, time.Time{}
	for day := last; !day.Before(first); day = day.AddDate(0, 0, -1) {
		if day.After(b.Now()) {
			continue
		}
		some, isWhole, err := b.day(ctx, way, day, &budget)
		if err != nil {
			return Figures{}, err
		}
		days = append(days, some)
		if !isWhole {
			if since = day.AddDate(0, 0, 1); len(some) > 0 {
				since = some[len(some)-1].at
			}
			break
		}
	}
	f := count(days, way, p, b.Now())
	if since.After(p.From) {
		f.Since = since.In(p.From.Location())
	}
	return f, nil
}

// day returns the entries of a day, the newest first, and whether they are all of them.
func (b *Book) day(ctx context.Context, way route.Route, from time.Time, budget *int) (entries []entry, isWhole bool, err error) {
	key, to := dayKey{way.TwilioNumber, from.UTC()}, from.AddDate(0, 0, 1)
	c := b.recall(key)
	before := len(c.entries)
	q := ledger.Query{Number: way.TwilioNumber, Since: from, Until: to, Limit: ledger.MaxLimit, Cursor: c.next}
	for !c.isWhole && *budget > 0 {
		page, err := b.Texts.List(ctx, q)
		if err != nil {
			return nil, false, err
		}
		*budget -= max(1, len(page.Records))
		for _, r := range page.Records {
			if r.TwilioNumber == way.TwilioNumber {
				c.entries = append(c.entries, entryOf(r))
			}
		}
		q.Cursor = page.Next
		c.next, c.isWhole = page.Next, page.Next.IsZero()
	}
	switch now := b.Now(); {
	case now.Sub(to) > settled:
		c.until = time.Time{}
	case c.until.IsZero():
		c.until = now.Add(fresh)
	}
	if isOver := !b.Now().Before(to); isOver || !c.isWhole {
		b.remember(key, c, len(c.entries)-before)
	}
	return c.entries, c.isWhole, nil
}

func (b *Book) recall(key dayKey) counted {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.days[key]
	if !c.until.IsZero() && b.Now().After(c.until) {
		b.kept -= len(c.entries)
		delete(b.days, key)
		return counted{}
	}
	c.entries = slices.Clip(c.entries)
	return c
}

// remember keeps what was read of a day, which has so many entries more than before. If there would be too many, all others are forgotten.
func (b *Book) remember(key dayKey, c counted, more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept += more; b.days == nil || b.kept > maxKept || len(b.days) > maxDays {
		b.days, b.kept = map[dayKey]counted{}, len(c.entries)
	}
	b.days[key] = c
}
