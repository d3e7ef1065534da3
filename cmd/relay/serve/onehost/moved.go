package onehost

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
)

// movedPause is how far apart it is looked whether texts from before a move are still queued.
const movedPause = 5 * time.Second

// learnMoved finds out whether the folder is a copy, or was restored, and says so, in the health too while texts from before are
// queued. Whoever has the other folder may have sent them.
func (r *Relay) learnMoved(ctx context.Context) error {
	moved, err := r.db.Moved(ctx)
	if err != nil || moved.At.IsZero() {
		return err
	}
	r.moved = moved.At
	oldest, waits, err := r.waitsSinceBefore(ctx)
	if err != nil {
		return err
	}
	if !waits {
		r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "this data folder was copied or restored; no text from before is queued",
			slog.Time("since", r.moved))
		return nil
	}
	r.config.Logger.LogAttrs(ctx, slog.LevelWarn,
		"this data folder was copied or restored: of each text from before, Twilio is asked first whether it was sent",
		slog.Time("since", r.moved), slog.Time("oldest", oldest))
	r.problems.setMoved(fmt.Sprintf("this data folder was copied or restored, and started so at %s: of each text that was queued "+
		"before, Twilio is asked first whether it was sent. If the other copy still runs, stop it; docs/runbook.md, folder-moved", r.moved.Format(time.RFC3339)))
	return nil
}

// waitsSinceBefore reports whether something is queued that was queued before the move, and since when.
func (r *Relay) waitsSinceBefore(ctx context.Context) (oldest time.Time, waits bool, err error) {
	_, _, oldest, err = r.db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Depth(ctx)
	return oldest, err == nil && !oldest.IsZero() && oldest.Before(r.moved), err
}

// watchMoved takes the move off the health when nothing from before it is queued any more.
func (r *Relay) watchMoved(ctx context.Context) error {
	for r.problems.isMoved() {
		if _, waits, err := r.waitsSinceBefore(ctx); err == nil && !waits {
			r.problems.setMoved("")
			r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "no text from before the folder was copied or restored is queued any more")
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(movedPause):
		}
	}
	return nil
}
