package relaytest

import (
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/workload"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// CountedLedger is a ledger that counts what looking into it costs.
type CountedLedger struct {
	LedgerUnderTest
	// Reads returns how much was read so far, in the store's own unit.
	Reads func() int
}

// ReadsOptions says how TestReads holds a ledger.
type ReadsOptions struct {
	// Small and Large are two sizes of the ledger.
	Small, Large int
	// Page is the most that one page may read and Text the most that one text may, in ledgers of any size.
	Page, Text int
	// Open returns a ledger that holds just these records.
	Open func(t *testing.T, records []ledger.Record) CountedLedger
}

// workloadDays is over how many days the records of TestReads are spread.
const workloadDays = 30

// TestReads lists a small ledger and a large one in every way, and reads single texts. However large the ledger, a
// page and a text read no more than the options say.
func TestReads(t *testing.T, o ReadsOptions) {
	t.Helper()
	for _, size := range []int{o.Small, o.Large} {
		t.Run(fmt.Sprintf("%d texts", size), func(t *testing.T) {
			t.Parallel()
			records := workloadOf(t, size)
			r := readsTest{T: t, CountedLedger: o.Open(t, records), options: o, records: records}
			r.pages()
			r.texts()
		})
	}
}

// workloadOf makes the records of a busy relay.
func workloadOf(t *testing.T, texts int) []ledger.Record {
	t.Helper()
	c := workload.Config{Seed: 1, Texts: texts, Days: workloadDays, Until: recently(), Retention: 2 * workloadDays * 24 * time.Hour}
	records := make([]ledger.Record, 0, texts)
	for r, err := range c.Records() {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// readsTest is the ledger of one size.
type readsTest struct {
	*testing.T
	CountedLedger

	options ReadsOptions
	records []ledger.Record
}

// pages reads a page of every list: by everything that a list can be narrowed by, from its beginning and from the
// middle of the ledger, short and long.
func (r readsTest) pages() {
	most, asked := 0, ledger.Query{}
	for _, q := range r.queries() {
		reads := r.count(func() { r.page(q) })
		if reads > r.options.Page {
			r.Errorf("%s reads %d, want at most %d", queryName(q), reads, r.options.Page)
		}
		if reads > most {
			most, asked = reads, q
		}
	}
	r.Logf("the dearest page reads %d: %s", most, queryName(asked))
}

func (r readsTest) queries() []ledger.Query {
	now := r.records[len(r.records)-1].ReceivedAt
	var queries []ledger.Query
	for _, number := range []sms.PhoneNumber{"", workload.TwilioNumber(0), workload.Customer(0), Customer} {
		for _, state := range []ledger.State{"", ledger.Delivered, ledger.Dead, ledger.Queued} {
			for _, times := range []struct{ since, until time.Time }{{}, {since: now.AddDate(0, 0, -3)}, {until: now.AddDate(0, 0, -2)}} {
				for _, cursor := range []ledger.Cursor{{}, ledger.CursorAt(r.records[len(r.records)*19/20])} {
					for _, limit := range []int{20, ledger.MaxLimit} {
						queries = append(queries, ledger.Query{
							Number: number, State: state, Since: times.since, Until: times.until, Cursor: cursor, Limit: limit,
						})
					}
				}
			}
		}
	}
	return queries
}

// page reads a page. One of what there is most of must be full: that a list finds nothing for little proves nothing.
func (r readsTest) page(q ledger.Query) {
	page, err := r.List(r.Context(), q)
	if err != nil {
		r.Fatalf("%s: %v", queryName(q), err)
	}
	plenty := (q.Number == "" || q.Number == workload.TwilioNumber(0)) && (q.State == "" || q.State == ledger.Delivered) && q.Since.IsZero() &&
		q.Until.IsZero() && q.Limit == 20
	if plenty && len(page.Records) != q.Limit {
		r.Errorf("%s finds %d", queryName(q), len(page.Records))
	}
}

// texts reads single texts: old ones, new ones, and one that there is not.
func (r readsTest) texts() {
	for _, n := range []int{0, len(r.records) / 2, len(r.records) - 1} {
		reads := r.count(func() {
			if got, err := r.Get(r.Context(), r.records[n].MessageSid); err != nil || got.Body != r.records[n].Body {
				r.Errorf("text %d: got %q, error %v", n, got.Body, err)
			}
		})
		if reads > r.options.Text {
			r.Errorf("text %d reads %d, want at most %d", n, reads, r.options.Text)
		}
	}
	if reads := r.count(func() { _, _ = r.Get(r.Context(), MessageSid(1)) }); reads > r.options.Text {
		r.Errorf("a text that there is not reads %d, want at most %d", reads, r.options.Text)
	}
}

// count returns what look reads, which is more than nothing.
func (r readsTest) count(look func()) int {
	before := r.Reads()
	look()
	reads := r.Reads() - before
	if reads < 1 {
		r.Fatalf("%d reads were counted", reads)
	}
	return reads
}

func queryName(q ledger.Query) string {
	return fmt.Sprintf("list of number %q, state %q, since %v, until %v, from %v, limit %d", string(q.Number), string(q.State), q.Since,
		q.Until, q.Cursor.ReceivedAt, q.Limit)
}
