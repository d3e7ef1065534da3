package onehost

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/onehost/unused"
)

// restInterval is how long the relay has nothing to do until it is at rest. From then on it gives back what the minute brought of the
// program, and at each tenth interval all the memory that it can, which wakes threads up.
const (
	restInterval = time.Minute
	restEach     = 10
)

// resting gives memory back while there is nothing to do: docs/decisions/0025-memory-at-rest.md.
type resting struct {
	// worked counts what was done.
	worked   func() int64
	giveBack func(ctx context.Context, isAll bool)
}

// run runs until ctx ends.
func (r resting) run(ctx context.Context) error {
	before, idle := r.worked(), 0
	for clock.Pause(ctx, restInterval); ctx.Err() == nil; clock.Pause(ctx, restInterval) {
		if now := r.worked(); now != before {
			before, idle = now, 0
			continue
		}
		r.giveBack(ctx, idle%restEach == 0)
		idle++
	}
	return nil
}

// giveBack gives the system back the memory that the relay does not need at rest: the pages of its program, or all.
func (r *Relay) giveBack(ctx context.Context, isAll bool) {
	var err error
	if isAll {
		err = errors.Join(r.db.Rest(ctx), unused.GiveBack())
	}
	if err = errors.Join(err, unused.GiveBackProgram()); err != nil && ctx.Err() == nil {
		r.config.Logger.LogAttrs(ctx, slog.LevelDebug, "memory was not given back", slog.String("error", err.Error()))
	}
}
