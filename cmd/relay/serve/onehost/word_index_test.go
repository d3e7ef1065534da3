package onehost

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestWordsAreIndexed: what was there when the relay started is found, and what comes later, some seconds after it came.
func TestWordsAreIndexed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "relay.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		write := func(n int) {
			r := relaytest.Record(n, time.Now())
			r.Body = "Is the gate open?"
			if _, err := db.Ledger().Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		count := func() int {
			found, err := db.Ledger().Search(t.Context(), ledger.Search{Words: []string{"gate"}})
			if err != nil {
				t.Fatal(err)
			}
			return found.Count
		}
		const before = 120
		for n := range before {
			write(n + 1)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- wordIndexer{db, clock.Pause, slog.New(slog.DiscardHandler)}.run(ctx) }()
		time.Sleep(time.Second)
		if got := count(); got != before {
			t.Errorf("found %d of the %d texts that were there", got, before)
		}
		write(before + 1)
		time.Sleep(2 * wordsDelay)
		if got := count(); got != before+1 {
			t.Errorf("found %d texts, want the one, too, that came later", got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// sick is an index that cannot be filled the first time.
type sick struct{ asked int }

func (s *sick) Changed() <-chan struct{} { return make(chan struct{}) }

func (s *sick) IndexWords(context.Context) (isMore bool, err error) {
	if s.asked++; s.asked == 1 {
		return true, io.ErrShortWrite
	}
	return false, nil
}

// TestWordsAreTriedAgain: after a failure it is tried again, though nothing changes; after that nothing is done.
func TestWordsAreTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*wordsRetry)
		defer stop()
		db := &sick{}
		if err := (wordIndexer{db, clock.Pause, slog.New(slog.DiscardHandler)}).run(ctx); err != nil {
			t.Error(err)
		}
		if db.asked != 2 {
			t.Errorf("tried %d times, want twice", db.asked)
		}
	})
}
