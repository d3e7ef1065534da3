package relaytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxPages bounds a walk. An adapter may return empty pages where it looks day by day, but not for ever.
const maxPages = 2000

// walk lists all pages and returns the MessageSids in their order. Cursors travel as they do in URLs.
func (l ledgerTest) walk(q ledger.Query) []string {
	l.Helper()
	sids := []string{}
	for range maxPages {
		page := l.page(q)
		for _, r := range page.Records {
			sids = append(sids, r.MessageSid)
		}
		if page.Next.IsZero() {
			return sids
		}
		if page.Next == q.Cursor {
			l.Fatalf("List(%+v): the next page begins where this one does", q)
		}
		q.Cursor = l.reparse(page.Next)
	}
	l.Fatalf("List(%+v) has no end in %d pages", q, maxPages)
	return nil
}

func (l ledgerTest) page(q ledger.Query) ledger.Page {
	l.Helper()
	page, err := l.List(l.Context(), q)
	if err != nil {
		l.Fatalf("List(%+v): %v", q, err)
	}
	if len(page.Records) > q.Limit {
		l.Fatalf("List(%+v) returned %d records", q, len(page.Records))
	}
	return page
}

func (l ledgerTest) reparse(c ledger.Cursor) ledger.Cursor {
	l.Helper()
	parsed, err := ledger.ParseCursor(c.String())
	if err != nil {
		l.Fatalf("ParseCursor of %+v: %v", c, err)
	}
	return parsed
}

// lists waits until the query finds exactly want, in this order.
func (l ledgerTest) lists(q ledger.Query, want []string) {
	l.Helper()
	eventually(l.T, func() string {
		if diff := cmp.Diff(want, l.walk(q)); diff != "" {
			return fmt.Sprintf("List(number %q, state %q, since %v, until %v, limit %d) (-want +got):\n%s", string(q.Number), string(q.State),
				q.Since, q.Until, q.Limit, diff)
		}
		return ""
	})
}

// population is a ledger of two Twilio numbers and three customers over seven weeks. Some records share a time, and
// two customers text both numbers.
func (l ledgerTest) population() []ledger.Record {
	l.Helper()
	const day = 24 * time.Hour
	now := recently()
	ages := []time.Duration{
		0, 0, 0, time.Millisecond, time.Second, time.Hour, day, day, day + time.Millisecond, 2 * day, 9 * day,
		21 * day, 21 * day, 46 * day,
	}
	states := []ledger.State{ledger.Sent, ledger.Delivered, ledger.Failed, ledger.Dropped, ledger.Sent}
	var all []ledger.Record
	for i := range 3 * len(ages) {
		// 23 and 42 share no divisor: the order of MessageSids has nothing to do with the order of time.
		r := Record(100+i*23%42, now.Add(-ages[i%len(ages)]))
		r.State = states[i%len(states)]
		r.TwilioNumber = numbered(i % 2)
		r.Customer = numbered(10 + i%3)
		all = append(all, l.create(r))
	}
	// One that an operator sent to a customer as from nobody.
	manual := Record(7, now.Add(-3*day))
	manual.Manual, manual.Customer, manual.State, manual.TwilioNumber = true, "", ledger.Sent, numbered(0)
	return append(all, l.create(manual))
}

func numbered(n int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+185855501%02d", n)) }

// matching is what a list should hold, found the simple way.
func matching(all []ledger.Record, q ledger.Query) []string {
	var found []ledger.Record
	for _, r := range all {
		number := q.Number == "" || q.Number == r.TwilioNumber || q.Number == r.Customer
		state := q.State == "" || q.State == r.State
		until := q.Until.IsZero() || r.ReceivedAt.Before(q.Until)
		if number && state && until && !r.ReceivedAt.Before(q.Since) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, newestFirst)
	sids := []string{}
	for _, r := range found {
		sids = append(sids, r.MessageSid)
	}
	return sids
}

// newestFirst is the order of lists.
func newestFirst(a, b ledger.Record) int {
	if c := b.ReceivedAt.Compare(a.ReceivedAt); c != 0 {
		return c
	}
	return strings.Compare(b.MessageSid, a.MessageSid)
}

// listsEach looks at the lists of all queries, or, if the ledger is slow, of some: one in seven, so that each bound is among them.
func (l ledgerTest) listsEach(queries []ledger.Query, all []ledger.Record) {
	l.Helper()
	for i, q := range queries {
		if !l.Slow || i%7 == 0 {
			l.lists(q, matching(all, q))
		}
	}
}

func (l ledgerTest) listCombinations() {
	all := l.population()
	now := all[0].ReceivedAt
	var queries []ledger.Query
	for _, number := range []sms.PhoneNumber{"", numbered(0), numbered(1), numbered(10), numbered(12), numbered(99)} {
		for _, state := range []ledger.State{"", ledger.Sent, ledger.Failed, ledger.Dead} {
			for _, since := range []time.Time{{}, now, now.Add(-time.Hour), now.Add(-21 * 24 * time.Hour), now.Add(time.Hour)} {
				queries = append(queries, ledger.Query{Number: number, State: state, Since: since, Limit: 10})
			}
		}
	}
	l.listsEach(queries, all)
}

// listUntil: Until is a bound of its own, to the moment, alone, with Since and from page to page.
func (l ledgerTest) listUntil() {
	const day = 24 * time.Hour
	all := l.population()
	now := all[0].ReceivedAt
	var queries []ledger.Query
	for _, until := range []time.Time{
		now.Add(time.Hour), now.Add(1), now, now.Add(-1), now.Add(-time.Millisecond), now.Add(-day),
		now.Add(-21*day + 1), now.Add(-60 * day),
	} {
		for _, since := range []time.Time{{}, now.Add(-day), now.Add(-21*day + 1)} {
			for _, q := range []ledger.Query{
				{Limit: 10},
				{Limit: 2, Number: numbered(0)},
				{Limit: 10, State: ledger.Sent},
				{Limit: 3, Number: numbered(11), State: ledger.Sent},
			} {
				q.Since, q.Until = since, until
				queries = append(queries, q)
			}
		}
	}
	l.listsEach(queries, all)
}

func (l ledgerTest) listPages() {
	all := l.population()
	var queries []ledger.Query
	for _, limit := range []int{1, 2, 7, ledger.MaxLimit} {
		for _, q := range []ledger.Query{
			{},
			{Number: numbered(0)},
			{Number: numbered(11)},
			{State: ledger.Sent},
			{State: ledger.Sent, Number: numbered(0)},
		} {
			q.Limit = limit
			queries = append(queries, q)
		}
	}
	l.listsEach(queries, all)
	l.listed(all)
}

// listed checks that a list shows whole records.
func (l ledgerTest) listed(all []ledger.Record) {
	l.Helper()
	for _, r := range l.page(ledger.Query{Limit: ledger.MaxLimit}).Records {
		i := slices.IndexFunc(all, func(stored ledger.Record) bool { return stored.MessageSid == r.MessageSid })
		l.same("listed record", all[i], r)
	}
}

func (l ledgerTest) listEmpty() {
	for _, q := range []ledger.Query{
		{},
		{Number: Customer},
		{State: ledger.Sent},
		{Since: recently()},
		{Number: Customer, State: ledger.Sent, Since: recently()},
	} {
		q.Limit = 1
		l.lists(q, []string{})
	}
}

func (l ledgerTest) listFollowsState() {
	r := l.create(claimed(1, "claim"))
	other := l.create(claimed(2, "claim"))
	l.lists(ledger.Query{State: ledger.Sending, Limit: 10}, []string{other.MessageSid, r.MessageSid})
	for _, step := range []struct{ from, to ledger.State }{
		{ledger.Sending, ledger.Uncertain},
		{ledger.Uncertain, ledger.Sent},
		{ledger.Sent, ledger.Delivered},
	} {
		r.State = step.to
		r = l.update(r)
		l.lists(ledger.Query{State: step.to, Limit: 10}, []string{r.MessageSid})
		l.lists(ledger.Query{State: step.to, Number: Customer, Limit: 10}, []string{r.MessageSid})
		left := []string{}
		if step.from == ledger.Sending {
			left = []string{other.MessageSid}
		}
		l.lists(ledger.Query{State: step.from, Limit: 10}, left)
	}
	l.lists(ledger.Query{Limit: 10}, []string{other.MessageSid, r.MessageSid})
}

func (l ledgerTest) listWhileGrowing() {
	at := recently().Add(-time.Hour)
	var want []string
	for i := range 6 {
		want = append(want, l.create(Record(100-i, at.Add(-time.Duration(i)*time.Second))).MessageSid)
	}
	l.lists(ledger.Query{Limit: 10}, want)
	var got []string
	q := ledger.Query{Limit: 2}
	for n := 0; n < maxPages && len(got) < len(want); n++ {
		page := l.page(q)
		for _, r := range page.Records {
			got = append(got, r.MessageSid)
		}
		if n < 3 {
			l.create(Record(200+n, at.Add(time.Duration(n)*time.Minute)))
		}
		if q.Cursor = page.Next; q.Cursor.IsZero() {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.Errorf("listed while newer records came (-want +got):\n%s", diff)
	}
}

// cursorWithoutRecord continues at a place that no record has: the table may have forgotten it meanwhile.
func (l ledgerTest) cursorWithoutRecord() {
	at := recently()
	for n := 1; n <= 5; n += 2 {
		l.create(Record(n, at))
	}
	l.lists(ledger.Query{Limit: 10, Cursor: ledger.Cursor{ReceivedAt: at, MessageSid: MessageSid(4)}}, []string{MessageSid(3), MessageSid(1)})
	l.lists(ledger.Query{Limit: 10, Number: Customer, Cursor: ledger.Cursor{ReceivedAt: at, MessageSid: MessageSid(2)}},
		[]string{MessageSid(1)})
	l.lists(ledger.Query{Limit: 10, Cursor: ledger.Cursor{ReceivedAt: at.Add(-time.Millisecond), MessageSid: MessageSid(9)}}, []string{})
}

func (l ledgerTest) badCursor() {
	l.create(claimed(1, "claim"))
	for _, q := range []ledger.Query{{}, {Number: Customer}, {State: ledger.Sending}} {
		for name, c := range map[string]ledger.Cursor{
			"without a MessageSid": {ReceivedAt: recently()},
			"without a time":       {MessageSid: MessageSid(1)},
		} {
			q.Limit, q.Cursor = 10, c
			if _, err := l.List(l.Context(), q); !errors.Is(err, ledger.ErrCursor) {
				l.Errorf("List(number %q, state %q) with a cursor %s: error %v, want ErrCursor", string(q.Number), string(q.State), name, err)
			}
		}
	}
}
