package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// occupy keeps the writer busy until release is called, and returns when it is.
func occupy(t *testing.T, db *DB) (release func()) {
	t.Helper()
	free := make(chan struct{})
	go func() {
		err := db.write(t.Context(), func(context.Context, *tx) error {
			<-free
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	synctest.Wait()
	return func() { close(free) }
}

func (db *DB) depthOf(t *testing.T, name string) int {
	t.Helper()
	visible, _, _, err := db.Queue(name, QueueConfig{}).Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return visible
}

var errRefused = errors.New("refused")

// Writes that wait at the same time share a transaction, and one that fails, after it has already written
// something, takes nothing of the others with it.
func TestWritesThatWaitShareATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		q := db.Queue("main", QueueConfig{})
		release := occupy(t, db)
		var mu sync.Mutex
		transactions := map[*tx]int{}
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				err := db.write(t.Context(), func(ctx context.Context, t *tx) error {
					mu.Lock()
					transactions[t]++
					mu.Unlock()
					m := text(n, 3)
					err := q.send(ctx, t, message{messageID: fmt.Sprint(n), deduplicationID: m.DeduplicationID, body: m.Body}, m)
					if n%5 == 0 {
						err = errors.Join(err, errRefused)
					}
					return err
				})
				if refused := errors.Is(err, errRefused); refused != (n%5 == 0) || !refused && err != nil {
					t.Errorf("write %d: error %v", n, err)
				}
			})
		}
		synctest.Wait()
		release()
		wg.Wait()
		if len(transactions) != 1 {
			t.Errorf("20 writes took %d transactions, want 1", len(transactions))
		}
		if got := db.depthOf(t, "main"); got != 16 {
			t.Errorf("%d messages on the queue, want the 16 that were not refused", got)
		}
	})
}

// sendTogether carries out writes that share a transaction, in their order, and returns what came of each.
func sendTogether(t *testing.T, db *DB, sends ...func() error) []error {
	t.Helper()
	release := occupy(t, db)
	errs := make([]error, len(sends))
	var wg sync.WaitGroup
	for n, send := range sends {
		wg.Go(func() { errs[n] = send() })
		synctest.Wait()
	}
	release()
	wg.Wait()
	return errs
}

// One message for which the disk has no room does not keep the others off it.
func TestAFullDiskRefusesWhatHasNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		q := db.Queue("main", QueueConfig{})
		fillDisk(t, db)
		long := text(2, 3)
		long.Body = strings.Repeat("x", 500_000)
		errs := sendTogether(t, db,
			func() error { return q.Send(t.Context(), text(1, 3)) },
			func() error { return q.Send(t.Context(), long) },
			func() error { return q.Send(t.Context(), text(3, 3)) })
		if errs[0] != nil || fault.Of(errs[1]).Kind != fault.Transient || errs[2] != nil {
			t.Errorf("errors %v, want the second alone, transient", errs)
		}
		if got := db.depthOf(t, "main"); got != 2 {
			t.Errorf("%d messages on the queue, want 2", got)
		}
	})
}

// When SQLite itself gives up the transaction, no one in it is told that his write was kept, and all but the one at
// fault may try again.
func TestATransactionThatSQLiteGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		q := db.Queue("main", QueueConfig{})
		const giveUp = "INSERT OR ROLLBACK INTO queue_deduplication VALUES ('q', 'same', 1)"
		errs := sendTogether(t, db,
			func() error { return q.Send(t.Context(), text(1, 3)) },
			func() error { return q.Send(t.Context(), text(2, 3)) },
			func() error {
				return db.write(t.Context(), func(ctx context.Context, t *tx) error {
					_, first := t.exec(ctx, giveUp)
					_, second := t.exec(ctx, giveUp)
					return errors.Join(first, second)
				})
			})
		for n, want := range []fault.Kind{fault.Transient, fault.Transient, fault.Permanent} {
			if got := fault.Of(errs[n]).Kind; errs[n] == nil || got != want {
				t.Errorf("write %d: error %v, want a %v fault", n, errs[n], want)
			}
		}
		if got := db.depthOf(t, "main"); got != 0 {
			t.Errorf("%d messages on the queue, want none", got)
		}
		if err := q.Send(t.Context(), text(1, 3)); err != nil {
			t.Errorf("Send afterwards: %v", err)
		}
	})
}

func TestAWriteThatHasNotBegunIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		release := occupy(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() { answer <- db.Queue("main", QueueConfig{}).Send(ctx, text(1, 1)) }()
		synctest.Wait()
		cancel()
		if err := <-answer; fault.Of(err).Kind != fault.Transient || !errors.Is(err, context.Canceled) {
			t.Errorf("Send: error %v, want a transient fault for its context", err)
		}
		release()
		synctest.Wait()
		if got := db.depthOf(t, "main"); got != 0 {
			t.Errorf("%d messages on the queue, want none", got)
		}
	})
}

// slowWrite begins a write that ends when release is called, cancels its context, and returns where its answer comes.
func slowWrite(t *testing.T, db *DB) (answer <-chan error, release func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	answers, free := make(chan error, 1), make(chan struct{})
	go func() {
		answers <- db.write(ctx, func(context.Context, *tx) error {
			<-free
			return nil
		})
	}()
	synctest.Wait()
	cancel()
	return answers, func() { close(free) }
}

func TestAWriteUnderWayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := slowWrite(t, openNew(t))
		synctest.Wait()
		release()
		if err := <-answer; err != nil {
			t.Errorf("write: error %v, want its own answer, for all that its context has ended", err)
		}
	})
}

func TestAWriteThatHangsIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, release := slowWrite(t, openNew(t))
		start := time.Now()
		if err := <-answer; fault.Of(err).Kind != fault.Unknown || !errors.Is(err, context.Canceled) {
			t.Errorf("write: error %v, want an unknown fault for its context", err)
		}
		if waited := time.Since(start); waited != answerPatience {
			t.Errorf("answered after %v, want %v", waited, answerPatience)
		}
		release()
	})
}

func TestReceiveKeepsItsMessagesThoughItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		q := db.Queue("main", QueueConfig{})
		if err := q.Send(t.Context(), text(1, 1)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		// The context ends in the middle of the transaction: the clock is read there.
		db.now = func() time.Time {
			cancel()
			return time.Now()
		}
		got, err := q.Receive(ctx, 1, 0, time.Minute)
		if err != nil || len(got) != 1 {
			t.Errorf("received %d messages, error %v; want 1", len(got), err)
		}
	})
}

func TestCommitErrorsAreUnknownUnlessSurelyUndone(t *testing.T) {
	db := openNew(t)
	fillDisk(t, db)
	err := db.Queue("main", QueueConfig{}).Send(t.Context(),
		queue.Outgoing{Group: "a", DeduplicationID: "a", Body: strings.Repeat("x", 500_000)})
	if got := fault.Of(classifyCommit(fault.Of(err).Err)).Kind; got != fault.Transient {
		t.Errorf("commit on a full disk is %v, want transient", got)
	}
	if got := fault.Of(classifyCommit(errors.New("disk I/O error"))).Kind; got != fault.Unknown {
		t.Errorf("commit that failed otherwise is %v, want unknown", got)
	}
}

// TestFailedCommit: a commit that fails, as on a full disk, fails every write of the batch, and the next batch goes through.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		q := db.Queue("main", QueueConfig{})
		sent := func(id string) func() error {
			return func() error { return q.Send(t.Context(), short(id, id)) }
		}
		// A message of a lane that does not exist: what is wrong is noticed at the commit.
		atCommit := func() error {
			return db.write(t.Context(), func(ctx context.Context, tx *tx) error {
				if _, err := tx.exec(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
					return err
				}
				_, err := tx.exec(ctx, `
					INSERT INTO queue_messages (lane, message_id, deduplication_id, body, attributes, receive_count, sent_at, visible_at)
					VALUES (4711, 'id', 'id', 'body', '', 0, 0, 0)`)
				return err
			})
		}
		for _, batch := range [][]func() error{{atCommit}, {sent("a"), atCommit, sent("b")}} {
			for i, err := range sendTogether(t, db, batch...) {
				if f := fault.Of(err); err == nil || f.Kind == fault.Permanent {
					t.Errorf("write %d of %d: error %v, want that it failed and may be tried again", i+1, len(batch), err)
				}
			}
		}
		if depth := db.depthOf(t, "main"); depth != 0 {
			t.Errorf("%d messages of writes that failed", depth)
		}
		for i, err := range sendTogether(t, db, sent("a"), sent("b")) {
			if err != nil {
				t.Errorf("write %d after that: %v", i+1, err)
			}
		}
		if depth := db.depthOf(t, "main"); depth != 2 {
			t.Errorf("%d messages, want the two that were acknowledged", depth)
		}
	})
}

// TestAMessageWithoutALaneIsAnError: what was not stored is never reported as sent.
func TestAMessageWithoutALaneIsAnError(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	if err := db.write(t.Context(), func(ctx context.Context, tx *tx) error {
		_, err := tx.exec(ctx, "CREATE TRIGGER lose AFTER INSERT ON queue_lanes BEGIN DELETE FROM queue_lanes; END")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Queue("main", QueueConfig{}).Send(t.Context(), short("a", "a")); err == nil {
		t.Error("a message whose lane is gone is reported as sent")
	}
}
