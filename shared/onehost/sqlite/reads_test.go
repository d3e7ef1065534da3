package sqlite

import (
	"reflect"
	"testing"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// stepCounter counts the steps of SQLite's virtual machine in the reader's statements. A query takes some steps for
// each row or index entry that it visits, and so one that visits them all shows.
type stepCounter struct {
	tls *libc.TLS
	db  uintptr
}

// countSteps leaves the reader one connection and returns its counter. The driver has no way to ask SQLite for it, and
// so its handle is read out of the driver's own connection.
func countSteps(t *testing.T, db *DB) stepCounter {
	t.Helper()
	db.reader.pool.SetMaxOpenConns(1)
	conn, err := db.reader.pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var c stepCounter
	err = conn.Raw(func(driverConn any) error {
		inside := reflect.ValueOf(driverConn).Elem()
		c.tls = (*libc.TLS)(unsafe.Pointer(inside.FieldByName("tls").Pointer()))
		c.db = uintptr(inside.FieldByName("db").Uint())
		return nil
	})
	if err != nil || conn.Close() != nil || c.tls == nil || c.db == 0 {
		t.Fatalf("no handle in the driver's connection, error %v", err)
	}
	return c
}

// steps returns those of all the connection's statements so far.
func (c stepCounter) steps() int {
	steps := 0
	for s := sqlite3.Xsqlite3_next_stmt(c.tls, c.db, 0); s != 0; s = sqlite3.Xsqlite3_next_stmt(c.tls, c.db, s) {
		steps += int(sqlite3.Xsqlite3_stmt_status(c.tls, s, sqlite3.SQLITE_STMTSTATUS_VM_STEP, 0))
	}
	return steps
}

// What looking into the ledger may cost, in steps.
const (
	// maxPageSteps is of the dearest list, by number and state, whose halves visit maxRead rows each.
	maxPageSteps = 25_000
	maxTextSteps = 50
	largeLedger  = 50_000
)

// importAll adds the records to a new ledger.
func importAll(t *testing.T, records []ledger.Record) *Ledger {
	t.Helper()
	l := openNew(t).Ledger()
	for len(records) > 0 {
		n := min(10_000, len(records))
		if added, err := l.Import(t.Context(), records[:n]); err != nil || added != n {
			t.Fatalf("added %d of %d, error %v", added, n, err)
		}
		records = records[n:]
	}
	return l
}

func TestReads(t *testing.T) {
	t.Parallel()
	relaytest.TestReads(t, relaytest.ReadsOptions{
		Small: 1_000, Large: largeLedger, Page: maxPageSteps, Text: maxTextSteps,
		Open: func(t *testing.T, records []ledger.Record) relaytest.CountedLedger {
			t.Helper()
			l := importAll(t, records)
			return relaytest.CountedLedger{
				LedgerUnderTest: relaytest.LedgerUnderTest{Store: l, Lister: l}, Reads: countSteps(t, l.db).steps,
			}
		},
	})
}

// ofOneMoment returns delivered texts that came at the same time.
func ofOneMoment(texts int) []ledger.Record {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var records []ledger.Record
	for n := range texts {
		r := relaytest.Record(n, at)
		r.State, r.Version = ledger.Delivered, 1
		records = append(records, r)
	}
	return records
}

// A cursor leads into the middle of texts that all came at one moment without a visit to those before it.
func TestReadsWithinOneMoment(t *testing.T) {
	t.Parallel()
	records := ofOneMoment(10_000)
	l := importAll(t, records)
	counter := countSteps(t, l.db)
	for name, q := range map[string]ledger.Query{
		"all": {}, "state": {State: ledger.Delivered}, "number": {Number: relaytest.Customer},
		"number and state": {Number: relaytest.Customer, State: ledger.Delivered},
	} {
		t.Run(name, func(t *testing.T) {
			q.Limit, q.Cursor, q.Since = 20, ledger.CursorAt(records[10]), records[0].ReceivedAt
			before := counter.steps()
			page, err := l.List(t.Context(), q)
			if err != nil || len(page.Records) != 10 {
				t.Fatalf("%d records, error %v; want the 10 before the cursor's", len(page.Records), err)
			}
			if steps := counter.steps() - before; steps > maxPageSteps {
				t.Errorf("%d steps, want at most %d", steps, maxPageSteps)
			}
		})
	}
}

// The counter itself sees a query that visits every row.
func TestStepsShowAScan(t *testing.T) {
	t.Parallel()
	l := importAll(t, ofOneMoment(10_000))
	counter := countSteps(t, l.db)
	before := counter.steps()
	var bodies int
	if _, err := l.db.reader.get(t.Context(), []any{&bodies}, "SELECT count(*) FROM ledger WHERE record LIKE '%gate%'"); err != nil ||
		bodies != 10_000 {
		t.Fatalf("found %d, error %v", bodies, err)
	}
	if steps := counter.steps() - before; steps < 3*10_000 {
		t.Errorf("a scan of 10,000 rows took %d steps", steps)
	}
}
