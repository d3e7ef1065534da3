package onehost

import (
	"context"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/onehost/unused"
)

// restInterval is how long the relay has nothing to do until it is at rest. From then on it gives memory back at each third interval: each
// time wakes threads up.
const (
	restInterval = time.Minute
	restEach     = 3
)

// resting gives memory back while there is nothing to do: docs/decisions/0025-memory-at-rest.md.
type resting struct {
	// worked counts what was done.
	worked   func() int64
	giveBack func(ctx context.Context)
}

// run runs until ctx ends.
func (r resting) run(ctx context.Context) error {
	before, idle := r.worked(), 0
	for clock.Pause(ctx, restInterval); ctx.Err() == nil; clock.Pause(ctx, restInterval) {
		now := r.worked()
		switch {
		case now != before:
			before, idle = now, 0
			continue
		case idle%restEach == 0:
			r.giveBack(ctx)
		}
		idle++
	}
	return nil
}

// giveBack gives the system back the memory that the relay does not need at rest.
func (r *Relay) giveBack(ctx context.Context) {
	err := r.db.Rest(ctx)
	if err == nil {
		err = unused.GiveBack()
	}
	if err != nil && ctx.Err() == nil {
		r.config.Logger.LogAttrs(ctx, slog.LevelDebug, "memory was not given back", slog.String("error", err.Error()))
	}
}
