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
	// giveBackPause is the pause between two steps that make the database file smaller: texts go before it.
	giveBackPause = 100 * time.Millisecond
)

// expiry removes, every expiryInterval, what the ledger need not keep any longer, and gives the disk the room that the database file does
// not need.
type expiry struct {
	db interface {
		Expire(ctx context.Context, now time.Time) (removed int, err error)
		GiveBack(ctx context.Context) (bytes int64, err error)
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
		e.giveBack(ctx)
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

// giveBack gives back what the file does not need, in small steps.
func (e *expiry) giveBack(ctx context.Context) {
	total, pause := int64(0), time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		given, err := e.db.GiveBack(ctx)
		if err != nil && ctx.Err() == nil {
			e.logger.LogAttrs(ctx, slog.LevelWarn, "free room in the database file not given back", slog.String("error", err.Error()))
		}
		if total += given; err != nil || given == 0 {
			break
		}
		pause.Reset(giveBackPause)
	}
	if total > 0 {
		e.logger.LogAttrs(ctx, slog.LevelInfo, "free room in the database file given back", slog.Int64("bytes", total))
	}
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
