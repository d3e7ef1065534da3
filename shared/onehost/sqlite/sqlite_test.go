package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// openAt opens the database at path and closes it when the test ends.
func openAt(tb testing.TB, path string, now func() time.Time) *DB {
	tb.Helper()
	db, err := Open(tb.Context(), path, now)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// openNew opens a new database that lives by the wall clock.
func openNew(tb testing.TB) *DB {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "relay.db"), time.Now)
}

func TestQueue(t *testing.T) {
	relaytest.TestQueue(t, func(t *testing.T, o relaytest.QueueOptions) relaytest.QueueUnderTest {
		t.Helper()
		db := openNew(t)
		q := db.Queue("main", QueueConfig{Standard: o.Standard, MaxReceiveCount: o.MaxReceiveCount, DeadLetter: "dead"})
		return relaytest.QueueUnderTest{Sender: q, Receiver: q, Dead: db.Queue("dead", QueueConfig{Standard: o.Standard})}
	})
}

func TestLedger(t *testing.T) {
	relaytest.TestLedger(t, func(t *testing.T) relaytest.LedgerUnderTest {
		t.Helper()
		l := openNew(t).Ledger()
		return relaytest.LedgerUnderTest{Store: l, Lister: l}
	})
}

func TestUnreadableRoute(t *testing.T) {
	relaytest.TestUnreadableRoute(t, func(t *testing.T) (route.Table, relaytest.Spoil) {
		t.Helper()
		db := openNew(t)
		return db.Routes(), func(t *testing.T, r route.Route, attribute string) {
			t.Helper()
			if _, err := db.writer.exec(t.Context(), "UPDATE routing SET route = json_set(route, '$.' || ?, 7) WHERE twilio_number = ?",
				attribute, string(r.TwilioNumber)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRoutes(t *testing.T) {
	relaytest.TestRoutes(t, func(t *testing.T) route.Table {
		t.Helper()
		return openNew(t).Routes()
	})
}
