package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// steadySince has the database know that the clock has not jumped since then, and was last looked at a minute before noon.
func steadySince(t *testing.T, db *DB, since time.Time) {
	t.Helper()
	if _, err := db.writer.exec(t.Context(), `INSERT INTO clock (id, seen, steady_since) VALUES (1, ?, ?)`,
		noon.Add(-time.Minute).UnixMilli(), since.UnixMilli()); err != nil {
		t.Fatal(err)
	}
}

// expireEvery removes what is due every hour of a span, or more often in a short one, and returns how many records it removed, and
// how often it kept them.
func expireEvery(t *testing.T, db *DB, from, until time.Time) (removed, held int) {
	t.Helper()
	for now := from; !now.After(until); now = now.Add(min(time.Hour, max(time.Minute, until.Sub(from)/8))) {
		for n := 1; n > 0; {
			var err error
			n, err = db.Expire(t.Context(), now)
			removed += n
			switch {
			case errors.Is(err, ErrExpiryHeld):
				held++
			case err != nil:
				t.Fatal(err)
			}
		}
	}
	return removed, held
}

// TestExpireByAClockThatJumps: a clock two years ahead for a minute takes nothing of the ledger.
func TestExpireByAClockThatJumps(t *testing.T) {
	t.Parallel()
	const years = 2 * 365 * 24 * time.Hour
	for name, tt := range map[string]struct {
		ahead, after time.Duration
		// records are this many, one in due of them past its time after that.
		records, due int
		gone, held   bool
	}{
		"for a minute":                              {ahead: years, after: time.Minute, records: 3, due: 1, held: true},
		"for almost a day":                          {ahead: years, after: expirySteady - time.Minute, records: 3, due: 1, held: true},
		"for a day, a few records":                  {ahead: years, after: expirySteady, records: expiryFew, due: 1, held: true, gone: true},
		"for a day, many records":                   {ahead: years, after: expirySteady, records: 3 * expiryFew, due: 2, held: true},
		"for a week, many records":                  {ahead: years, after: expiryCertain, records: 3 * expiryFew, due: 2, held: true, gone: true},
		"not at all, one in twenty is due":          {after: time.Minute, records: 21 * expiryFew, due: 20, gone: true},
		"not at all, more than that are due":        {after: time.Minute, records: 21 * expiryFew, due: 10, held: true},
		"not at all, but a relay stopped for a day": {ahead: maxUnseen + time.Minute, after: time.Minute, records: 3, due: 1, held: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openNew(t)
			due := 0
			fillLedger(t, db.Ledger(), tt.records, func(n int, r *ledger.Record) {
				r.ExpiresAt = noon.Add(10 * years).Unix()
				if n%tt.due == 0 {
					due++
					r.ExpiresAt = noon.Unix()
				}
			})
			steadySince(t, db, noon.Add(-expirySteady-time.Hour))
			removed, held := expireEvery(t, db, noon.Add(tt.ahead), noon.Add(tt.ahead+tt.after))
			if want := map[bool]int{true: due}[tt.gone]; removed != want || (held > 0) != tt.held {
				t.Errorf("%d records went, held %d times; want %d, held: %t", removed, held, want, tt.held)
			}
			// Set right again: nothing that is not due goes.
			if removed, _ := expireEvery(t, db, noon.Add(-time.Hour), noon.Add(-time.Minute)); removed != 0 {
				t.Errorf("%d records went before their time", removed)
			}
		})
	}
}

// TestQueuesFollowAClockThatIsSetBack: what was hidden by a clock that was ahead shows when it would have.
func TestQueuesFollowAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ahead := 26 * time.Hour
		db := openAt(t, filepath.Join(t.TempDir(), "relay.db"), func() time.Time { return time.Now().Add(ahead) })
		ordered, delayed := db.Queue("main", QueueConfig{}), db.Queue("timers", QueueConfig{Standard: true})
		send(t, ordered, short("a", "first"), short("b", "second"))
		send(t, delayed, queue.Outgoing{Body: "later", Delay: 5 * time.Minute})
		receive(t, ordered, 1, 0, time.Minute, "first")

		time.Sleep(10 * time.Second)
		ahead = 0
		receive(t, ordered, 10, 0, time.Hour, "second")
		receive(t, delayed, 10, 0, time.Hour)
		send(t, ordered, short("a", "second")) // a repeat, which is still remembered
		start := time.Now()
		receive(t, ordered, 10, time.Hour, time.Hour, "first")
		if waited := time.Since(start); waited < 50*time.Second || waited > time.Minute {
			t.Errorf("the message in flight showed after %v, want what was left of its minute", waited)
		}
		receive(t, delayed, 10, time.Hour, time.Hour, "later")
		if waited := time.Since(start); waited < 290*time.Second || waited > 300*time.Second {
			t.Errorf("the delayed message showed after %v, want what was left of its five minutes", waited)
		}
		time.Sleep(deduplicationWindow)
		send(t, ordered, short("c", "second"))
		receive(t, ordered, 10, 0, time.Hour, "second")
	})
}

// TestReleaseOfWhatAClockAheadDelayed: the clock was set right while the relay was stopped.
func TestReleaseOfWhatAClockAheadDelayed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "relay.db")
	clock := relaytest.NewClock(noon.Add(24 * time.Hour))
	db, err := Open(t.Context(), path, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		send(t, db.Queue("timers", QueueConfig{Standard: true}), queue.Outgoing{Body: fmt.Sprint(n), Delay: time.Minute})
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	clock = relaytest.NewClock(noon)
	db = openAt(t, path, clock.Now)
	if err := db.ReleaseInFlight(t.Context()); err != nil {
		t.Fatal(err)
	}
	timers := db.Queue("timers", QueueConfig{Standard: true})
	receive(t, timers, 10, 0, time.Hour)
	clock.Advance(maxDelay)
	receive(t, timers, 10, 0, time.Hour, "0", "1")
}

// TestBellRingsAtTheEarlier of two times that it was given, in either order.
func TestBellRingsAtTheEarlier(t *testing.T) {
	t.Parallel()
	for _, order := range [][]time.Duration{{time.Second, time.Minute}, {time.Minute, time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			b := &bell{}
			defer b.stop()
			rung, start := b.listen(), time.Now()
			for _, after := range order {
				b.ringAt(start.Add(after), start)
			}
			<-rung
			if got := time.Since(start); got != time.Second {
				t.Errorf("asked for %v: rung after %v", order, got)
			}
		})
	}
}
