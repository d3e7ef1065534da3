package sqlite

import (
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	driver "modernc.org/sqlite"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestRest: at rest no pages of the file are kept, and one connection for reads; all goes on after it.
func TestRest(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	for n := range 100 {
		if _, err := db.Ledger().Create(t.Context(), relaytest.Record(n, time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	var reads sync.WaitGroup
	for range 4 * readers {
		reads.Go(func() { _, _ = db.Ledger().Get(t.Context(), relaytest.Record(1, time.Now()).MessageSid) })
	}
	reads.Wait()
	before := cached(t, db)
	if err := db.Rest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := cached(t, db); after >= before/2 {
		t.Errorf("%d bytes of the file are kept, and %d were before", after, before)
	}
	if open := db.reader.pool.Stats().OpenConnections; open > 1 {
		t.Errorf("%d connections for reads are open", open)
	}
	if _, err := db.Ledger().Create(t.Context(), relaytest.Record(1000, time.Now())); err != nil {
		t.Error(err)
	}
	if _, err := db.Ledger().Get(t.Context(), relaytest.Record(1000, time.Now()).MessageSid); err != nil {
		t.Error(err)
	}
	if err := errors.Join(db.Close(), db.Rest(t.Context())); !errors.Is(err, errClosed) {
		t.Errorf("at rest after the end: %v", err)
	}
}

// cached is how many bytes of the file the connection that writes keeps.
func cached(t *testing.T, db *DB) (bytes int) {
	t.Helper()
	err := db.writer.conn.Raw(func(raw any) (err error) {
		status, ok := raw.(driver.DBStatus)
		if !ok {
			return sql.ErrConnDone
		}
		bytes, _, err = status.Status(driver.DBStatusCacheUsed, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
