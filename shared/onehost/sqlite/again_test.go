package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// refuse is a write that fails once it has written.
func refuse(db *DB) func() error {
	return func() error {
		err := db.write(context.Background(), func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, "INSERT INTO queue_deduplication VALUES ('another', 'same', 1)")
			return errors.Join(err, errRefused)
		})
		if !errors.Is(err, errRefused) {
			return errors.Join(errors.New("a write that fails was kept"), err)
		}
		return nil
	}
}

// TestWritesAreRunAgain: where one of a transaction fails, the others are run a second time, and leave what one run leaves.
func TestWritesAreRunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		records := ofOneMoment(3)
		q := db.Queue("main", QueueConfig{})
		send(t, q, short("a", "before"))
		removed, added, frozen := 0, 0, 0
		copied := filepath.Join(t.TempDir(), "copy.db")
		together := []func() error{
			func() (err error) { added, err = db.Ledger().Import(t.Context(), records); return err },
			func() (err error) {
				return db.CopyTo(t.Context(), copied, func() error { frozen++; return nil })
			},
			func() error { return q.Send(t.Context(), short("a", "b")) },
			func() error { return q.Send(t.Context(), short("a", "b")) },
			func() (err error) { removed, err = db.Expire(t.Context(), time.Now()); return err },
			refuse(db),
		}
		for n, err := range sendTogether(t, db, together...) {
			if err != nil {
				t.Errorf("write %d: %v", n, err)
			}
		}
		if added != 3 || removed != 0 || frozen != 2 {
			t.Errorf("%d records added, %d removed, frozen %d times; want 3, 0, and 2", added, removed, frozen)
		}
		receive(t, q, 10, 0, time.Hour, "before", "b")
		if left, err := db.writer.exec(t.Context(), "DELETE FROM queue_deduplication WHERE queue = 'another'"); err != nil || left != 0 {
			t.Errorf("%d rows of the write that failed, error %v", left, err)
		}
		again := openAt(t, copied, time.Now)
		receive(t, again.Queue("main", QueueConfig{}), 10, 0, time.Hour, "before")
	})
}

// TestAClockSetBackWhileAWriteFails: what was hidden by the clock before is moved back by the transaction that is kept.
func TestAClockSetBackWhileAWriteFails(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"alone": 0, "among others": 2} {
		synctest.Test(t, func(t *testing.T) {
			clock := relaytest.NewClock(noon)
			db := openAt(t, filepath.Join(t.TempDir(), "relay.db"), clock.Now)
			q := db.Queue("main", QueueConfig{})
			send(t, q, short("a", "hidden"))
			receive(t, q, 10, 0, time.Minute, "hidden")
			together := []func() error{func() error {
				clock.Advance(-time.Hour)
				return refuse(db)()
			}}
			for range others {
				together = append(together, func() error { return q.Send(t.Context(), short("b", "b")) })
			}
			if err := errors.Join(sendTogether(t, db, together...)...); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			send(t, q, short("b", "b"))
			clock.Advance(time.Minute)
			receive(t, q, 10, 0, time.Minute, "hidden", "b")
		})
	}
}
