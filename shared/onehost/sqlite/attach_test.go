package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// attachedAt opens the database at path as an operator's command does, and closes it when the test ends.
func attachedAt(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Attach(t.Context(), path, time.Now)
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

// TestARelayNoticesWhatIsWrittenBesideIt each time, while its receivers and its audit wait.
func TestARelayNoticesWhatIsWrittenBesideIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	heeding(t, relay)
	attached := attachedAt(t, path)
	settled := relaytest.Route()
	for n := range 3 {
		received, changed := make(chan error, 1), make(chan error, 1)
		go func() { received <- receiveOne(relay) }()
		go func() { changed <- readChange(relay) }()
		if err := attached.Queue("main", QueueConfig{}).Send(t.Context(), text(n, 3)); err != nil {
			t.Fatal(err)
		}
		if err := <-received; err != nil {
			t.Errorf("message %d: %v", n, err)
		}
		var err error
		if settled, err = attached.Routes().Put(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
		if err := <-changed; err != nil {
			t.Errorf("change %d: %v", n, err)
		}
	}
}

// A command opens the database also while a relay writes for as long as SQLite waits, and longer: to open it is no write.
func TestAttachToABusyDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	err := relay.write(t.Context(), func(ctx context.Context, _ *tx) error {
		command, err := Attach(ctx, path, time.Now)
		if err == nil {
			err = command.Close() //nolint:contextcheck // it takes none.
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Whoever waits for the next commit, or for the next change, is woken by each of the relay's own, and of a command's.
func TestWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	heeding(t, relay)
	for bellIsThere := false; !bellIsThere; {
		_, err := os.Stat(bellFile(path))
		bellIsThere = err == nil
	}
	settled := relaytest.Route()
	for n, db := range []*DB{relay, attachedAt(t, path), relay} {
		written, changed := relay.Written(), relay.Changed()
		var err error
		if settled, err = db.Routes().Put(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
		for _, heard := range []<-chan struct{}{written, changed} {
			select {
			case <-heard:
			case <-time.After(10 * time.Second):
				t.Errorf("nobody heard of write %d", n)
			}
		}
	}
}

// Somebody removes the bell: the relay makes another one.
func TestTheBellIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	heeding(t, relay)
	made := func() error {
		_, err := os.Stat(bellFile(path))
		return err
	}
	for range 2 {
		for made() != nil {
			time.Sleep(time.Millisecond)
		}
		if err := os.Remove(bellFile(path)); err != nil {
			t.Fatal(err)
		}
	}
	for made() != nil {
		time.Sleep(time.Millisecond)
	}
	received := make(chan error, 1)
	go func() { received <- receiveOne(relay) }()
	if err := attachedAt(t, path).Queue("main", QueueConfig{}).Send(t.Context(), text(1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-received; err != nil {
		t.Error(err)
	}
}

// A program that rings no bell writes: the relay sees it when it looks.
func TestSeesWhatNobodyRangFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	before := relay.lastWrite()
	conn, err := newDB(path, time.Now).openWriter(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.exec(t.Context(), "CREATE TABLE anothers (word TEXT)"); err != nil {
		t.Error(err)
	}
	if err := conn.close(); err != nil {
		t.Error(err)
	}
	if relay.lastWrite().Equal(before) {
		t.Error("the write was not seen")
	}
}

// heeding has the relay notice what others write, until the test ends.
func heeding(t *testing.T, relay *DB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		relay.Heed(ctx, func(err error) { t.Errorf("commands cannot be watched: %v", err) })
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

// receiveOne waits for a message, much longer than it should take to notice it, and deletes it.
func receiveOne(db *DB) error {
	q := db.Queue("main", QueueConfig{})
	deliveries, err := q.Receive(context.Background(), 10, time.Minute, time.Minute)
	if err == nil && len(deliveries) != 1 {
		err = fmt.Errorf("%d messages within a minute", len(deliveries))
	}
	if err != nil {
		return err
	}
	return q.Delete(context.Background(), []string{deliveries[0].ReceiptHandle})
}

// readChange waits for a change in the same way.
func readChange(db *DB) error {
	changes, err := db.Changes().Read(context.Background(), 10, time.Minute)
	if err == nil && len(changes) != 1 {
		err = fmt.Errorf("%d changes within a minute", len(changes))
	}
	if err != nil {
		return err
	}
	return db.Changes().Checkpoint(context.Background(), changes[0].SequenceNumber)
}

// TestWritesOnBothSidesStayWhole has a relay and a command write the same route, each on what it read: no write is lost
// without its writer being told.
func TestWritesOnBothSidesStayWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	relay := openAt(t, path, time.Now)
	attached := attachedAt(t, path)
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
	go func() { defer close(finished); write(attached) }()
	write(relay)
	<-finished
	routes, err := relay.Routes().List(t.Context())
	if err != nil || len(routes) != 1 || routes[0].Version != 2*each {
		t.Errorf("routes %+v (error %v), want one of version %d", routes, err, 2*each)
	}
}

func TestOpenBesideMakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	if _, err := Attach(t.Context(), path, time.Now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Attach without a file: error %v, want fs.ErrNotExist", err)
	}
	if db, err := Open(t.Context(), path, time.Now); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	old := attachedAt(t, path)
	setVersion(t, old, 1)
	if _, err := Attach(t.Context(), path, time.Now); !errors.Is(err, ErrOlderSchema) {
		t.Errorf("Attach of an older file: error %v, want ErrOlderSchema", err)
	}
}

func TestARelayOpensWhatACommandHasOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	if db, err := Open(t.Context(), path, time.Now); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	attached := attachedAt(t, path)
	relay := openAt(t, path, time.Now)
	if err := attached.Queue("main", QueueConfig{}).Send(t.Context(), text(1, 1)); err != nil {
		t.Fatal(err)
	}
	var deliveries []queue.Delivery
	deliveries, err := relay.Queue("main", QueueConfig{}).Receive(t.Context(), 1, time.Minute, time.Minute)
	if err != nil || len(deliveries) != 1 {
		t.Errorf("received %v, %v", deliveries, err)
	}
}
