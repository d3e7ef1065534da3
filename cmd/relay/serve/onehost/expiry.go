package onehost

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

const (
	expiryInterval = time.Minute
	// heldInterval is how often the log repeats that old records are kept because the clock may be wrong.
	heldInterval = 6 * time.Hour
)

// expiry removes, every expiryInterval, what the ledger need not keep any longer.
type expiry struct {
	db interface {
		Expire(ctx context.Context, now time.Time) (removed int, err error)
	}
	now    func() time.Time
	logger *slog.Logger
	// told is when the log last said that records are kept, zero if they are not.
	told time.Time
}

// run runs until ctx ends.
func (e *expiry) run(ctx context.Context) error {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		e.forget(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// forget removes everything that is due, in small steps.
func (e *expiry) forget(ctx context.Context) {
	for removed := 1; removed > 0 && ctx.Err() == nil; {
		var err error
		removed, err = e.db.Expire(ctx, e.now())
		switch {
		case errors.Is(err, sqlite.ErrExpiryHeld):
			e.tell(ctx, err)
			return
		case err != nil && ctx.Err() == nil:
			e.logger.LogAttrs(ctx, slog.LevelWarn, "old records not removed", slog.String("error", err.Error()))
			return
		}
	}
	e.told = time.Time{}
}

// tell logs from time to time that old records are kept.
func (e *expiry) tell(ctx context.Context, held error) {
	now := e.now()
	if !e.told.IsZero() && now.Sub(e.told).Abs() < heldInterval {
		return
	}
	e.told = now
	e.logger.LogAttrs(ctx, slog.LevelError, "old records kept: check this machine's clock", slog.String("error", held.Error()))
}
