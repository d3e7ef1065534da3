package onehost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestExpiryRuns: the ledger forgets what is past its time while a relay runs, and the change stream says so.
func TestExpiryRuns(t *testing.T) {
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
		r := relaytest.Record(1, time.Now())
		r.ExpiresAt = time.Now().Add(25 * time.Hour).Unix()
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		e := expiry{db: db, now: time.Now, logger: slog.New(slog.DiscardHandler)}
		ended := make(chan error)
		go func() { ended <- e.run(ctx) }()

		time.Sleep(25*time.Hour - time.Minute)
		if _, err := db.Ledger().Get(t.Context(), r.MessageSid); err != nil {
			t.Errorf("a minute before its time: %v", err)
		}
		time.Sleep(time.Minute + expiryInterval)
		synctest.Wait()
		if _, err := db.Ledger().Get(t.Context(), r.MessageSid); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a minute after its time: error %v, want that it is gone", err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// heldExpiry refuses to remove records.
type heldExpiry struct{ calls int }

func (h *heldExpiry) Expire(context.Context, time.Time) (int, error) {
	h.calls++
	return 0, fmt.Errorf("%w: try %d", sqlite.ErrExpiryHeld, h.calls)
}

// GiveBack has nothing to give back.
func (h *heldExpiry) GiveBack(context.Context) (int64, error) { return 0, nil }

// givingBack has so many steps to give back, and fails at the first when fails is set.
type givingBack struct {
	steps int
	fails bool
	at    []time.Time
}

func (*givingBack) Expire(context.Context, time.Time) (int, error) { return 0, nil }

func (g *givingBack) GiveBack(context.Context) (int64, error) {
	g.at = append(g.at, time.Now())
	if g.fails {
		g.fails = false
		return 0, errors.New("disk away")
	}
	if g.steps == 0 {
		return 0, nil
	}
	g.steps--
	return 1000, nil
}

// TestRoomIsGivenBackInSteps: with a pause between two, so that texts go before it; what fails is tried again at the next sweep.
func TestRoomIsGivenBackInSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		ctx, stop := context.WithTimeout(t.Context(), expiryInterval+time.Second)
		defer stop()
		db := &givingBack{steps: 3, fails: true}
		e := expiry{db: db, now: time.Now, logger: slog.New(slog.NewTextHandler(&log, nil))}
		if err := e.run(ctx); err != nil {
			t.Error(err)
		}
		if len(db.at) != 5 || db.at[1].Sub(db.at[0]) != expiryInterval || db.at[4].Sub(db.at[1]) != 3*giveBackPause {
			t.Errorf("asked at %v", db.at)
		}
		if text := log.String(); !strings.Contains(text, "disk away") || strings.Count(text, "bytes=3000") != 1 {
			t.Errorf("log:\n%s", text)
		}
	})
}

func TestExpirySaysThatRecordsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		ctx, stop := context.WithTimeout(t.Context(), heldInterval+expiryInterval/2)
		defer stop()
		e := expiry{db: &heldExpiry{}, now: time.Now, logger: slog.New(slog.NewTextHandler(&log, nil))}
		if err := e.run(ctx); err != nil {
			t.Error(err)
		}
		if got := strings.Count(log.String(), "level=ERROR"); got != 2 || strings.Count(log.String(), "\n") != 2 {
			t.Errorf("logged %q, want an ERROR at the start and one after %v", log.String(), heldInterval)
		}
	})
}
