package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/route"
)

// besideAt opens the database at path as an operator's command does, and closes it when the test ends.
func besideAt(t *testing.T, path string) *DB {
	t.Helper()
	db, err := OpenBeside(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestARelayNoticesWhatIsWrittenBesideIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	received, changed := make(chan int, 1), make(chan int, 1)
	go func() {
		deliveries, err := relay.Queue("main", QueueConfig{}).Receive(context.Background(), 10, time.Minute, time.Minute)
		if err != nil {
			t.Error(err)
		}
		received <- len(deliveries)
	}()
	go func() {
		changes, err := relay.Changes().Read(context.Background(), 10, time.Minute)
		if err != nil {
			t.Error(err)
		}
		changed <- len(changes)
	}()
	beside := besideAt(t, path)
	if err := beside.Queue("main", QueueConfig{}).Send(t.Context(), text(1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := beside.Routes().Put(t.Context(), relaytest.Route()); err != nil {
		t.Fatal(err)
	}
	if n := <-received; n != 1 {
		t.Errorf("the relay received %d messages that were sent beside it, want 1", n)
	}
	if n := <-changed; n != 1 {
		t.Errorf("the relay read %d changes that were made beside it, want 1", n)
	}
}

// TestWritesOnBothSidesStayWhole has a relay and a command write the same route, each on what it read: no write is lost
// without its writer being told.
func TestWritesOnBothSidesStayWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	beside := besideAt(t, path)
	const each = 50
	write := func(db *DB) {
		for done := 0; done < each; {
			found, err := db.Routes().Lookup(t.Context(), relaytest.Route().TwilioNumber)
			if err != nil {
				t.Error(err)
				return
			}
			wanted, exists := found[relaytest.Route().TwilioNumber]
			if !exists {
				wanted = relaytest.Route()
			}
			switch _, err := db.Routes().Put(t.Context(), wanted); {
			case err == nil:
				done++
			case !errors.Is(err, route.ErrConflict):
				t.Error(err)
				return
			}
		}
	}
	finished := make(chan struct{})
	go func() { defer close(finished); write(beside) }()
	write(relay)
	<-finished
	routes, err := relay.Routes().List(t.Context())
	if err != nil || len(routes) != 1 || routes[0].Version != 2*each {
		t.Errorf("routes %+v (error %v), want one of version %d", routes, err, 2*each)
	}
}

func TestOpenBesideMakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	if _, err := OpenBeside(t.Context(), path, time.Now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenBeside without a file: error %v, want fs.ErrNotExist", err)
	}
	if db, err := Open(t.Context(), path, time.Now); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	old := besideAt(t, path)
	err := old.write(t.Context(), func(ctx context.Context, tx *tx) error {
		_, err := tx.exec(ctx, "PRAGMA user_version = 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBeside(t.Context(), path, time.Now); !errors.Is(err, ErrOlderSchema) {
		t.Errorf("OpenBeside of an older file: error %v, want ErrOlderSchema", err)
	}
}

func TestARelayOpensWhatACommandHasOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	if db, err := Open(t.Context(), path, time.Now); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	beside := besideAt(t, path)
	relay := openAt(t, path, time.Now)
	if err := beside.Queue("main", QueueConfig{}).Send(t.Context(), text(1, 1)); err != nil {
		t.Fatal(err)
	}
	var deliveries []queue.Delivery
	deliveries, err := relay.Queue("main", QueueConfig{}).Receive(t.Context(), 1, time.Minute, time.Minute)
	if err != nil || len(deliveries) != 1 {
		t.Errorf("received %v, %v", deliveries, err)
	}
}
