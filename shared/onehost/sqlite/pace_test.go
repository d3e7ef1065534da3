package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestPace(t *testing.T) {
	relaytest.TestPace(t, func(t *testing.T) relaytest.PaceUnderTest {
		t.Helper()
		db := openNew(t)
		return relaytest.PaceUnderTest{Book: db.Pace(), Other: db.Pace()}
	})
}

// oneASecond asks for one segment at one a second.
func oneASecond() pace.Request {
	return pace.Request{
		Number: relaytest.TwilioNumber, To: relaytest.Destination, Segments: 1,
		Limits: pace.Limits{Pair: pace.Limit{N: 10, Per: 30 * time.Second}, Number: pace.Limit{N: 1, Per: time.Second}},
	}
}

// A restart must not send what is booked for later once more at once.
func TestWhatWasBookedIsBookedAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pace().Reserve(t.Context(), oneASecond(), now); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	at, err := openAt(t, path, time.Now).Pace().Reserve(t.Context(), oneASecond(), now)
	if want := now.Add(time.Second); err != nil || !at.Equal(want) {
		t.Errorf("booked %v, error %v; want %v", at, err, want)
	}
}

// TestAFileFromBeforePace opens a file as the version before wrote it.
func TestAFileFromBeforePace(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("testdata", "before_pace.sql"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "relay.db")
	pool, err := openPool(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.ExecContext(t.Context(), string(script)); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}

	db := openAt(t, path, time.Now)
	schema, err := db.reader.schema(t.Context())
	if err != nil || schema.Version != SchemaVersion() || schema.Needs != SchemaNeeds() {
		t.Errorf("schema %+v, error %v; want version %d, which needs %d", schema, err, SchemaVersion(), SchemaNeeds())
	}
	r, err := db.Ledger().Get(t.Context(), relaytest.MessageSid(1))
	if err != nil || r.State != ledger.Sent || r.Version != 2 {
		t.Errorf("record %+v, error %v; want the one that was there", r, err)
	}
	r.State = ledger.Delivered
	if r, err = db.Ledger().Update(t.Context(), r); err != nil || r.Version != 3 {
		t.Errorf("updated to version %d, error %v; want 3", r.Version, err)
	}
	routes, err := db.Routes().Lookup(t.Context(), relaytest.TwilioNumber)
	if err != nil || routes[relaytest.TwilioNumber].DestinationCarrier != relaytest.Destination {
		t.Errorf("routes %v, error %v; want the one that was there", routes, err)
	}
	if got, err := db.Queue("main", QueueConfig{}).Receive(t.Context(), 10, 0, time.Minute); err != nil || len(got) != 1 {
		t.Errorf("received %d messages, error %v; want the one that was there", len(got), err)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	if at, err := db.Pace().Reserve(t.Context(), oneASecond(), now); err != nil || !at.Equal(now) {
		t.Errorf("booked %v, error %v; want %v", at, err, now)
	}
	if diff := cmp.Diff(schemaOf(t, openNew(t)), schemaOf(t, db)); diff != "" {
		t.Errorf("schema (-of a new file +of this one):\n%s", diff)
	}
}

// schemaOf returns the statements that make the database's tables and indexes.
func schemaOf(t *testing.T, db *DB) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := db.reader.each(t.Context(), func(rows *sql.Rows) error {
		var name, statement string
		err := rows.Scan(&name, &statement)
		all[name] = statement
		return err
	}, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnUnreadablePaceIsPermanent(t *testing.T) {
	db := openNew(t)
	if _, err := db.writer.exec(t.Context(), `INSERT INTO pace VALUES (?, '{"Next":"soon"}')`, string(relaytest.TwilioNumber)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pace().Reserve(t.Context(), oneASecond(), time.Now()); fault.Of(err).Kind != fault.Permanent {
		t.Errorf("error %v, want a permanent fault", err)
	}
}

func BenchmarkReserve(b *testing.B) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	b.Run("sequential", func(b *testing.B) {
		p := openNew(b).Pace()
		for b.Loop() {
			if _, err := p.Reserve(b.Context(), oneASecond(), now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		p := openNew(b).Pace()
		var n atomic.Int64
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := p.Reserve(b.Context(), oneASecond(), now.Add(time.Duration(n.Add(1))*time.Second)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
