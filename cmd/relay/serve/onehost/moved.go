package onehost

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
)

// movedPause is the pause between two checks for texts that were queued before a move.
const movedPause = 5 * time.Second

// learnMoved finds out whether the folder was copied or restored, and says so in the log and, while texts from before are queued, in
// the health check. The relay on the other folder may have sent them.
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
		"this data folder was copied or restored: before the relay sends an older text, it asks Twilio whether that was sent already",
		slog.Time("since", r.moved), slog.Time("oldest", oldest))
	r.problems.setMoved(fmt.Sprintf("this data folder was copied or restored, and relay serve started on it at %s: before the relay "+
		"sends a text that was queued earlier, it asks Twilio whether that was sent already. If the other copy still runs, stop it; "+
		"docs/runbook.md, folder-moved", r.moved.Format(time.RFC3339)))
	return nil
}

// waitsSinceBefore reports whether something that was queued before the move is still queued, and since when.
func (r *Relay) waitsSinceBefore(ctx context.Context) (oldest time.Time, waits bool, err error) {
	_, _, oldest, err = r.db.Queue(datafolder.QueueName, datafolder.InboxConfig()).Depth(ctx)
	return oldest, err == nil && !oldest.IsZero() && oldest.Before(r.moved), err
}

// watchMoved removes the move from the health check when nothing from before it is queued.
func (r *Relay) watchMoved(ctx context.Context) error {
	for r.problems.isMoved() {
		if _, waits, err := r.waitsSinceBefore(ctx); err == nil && !waits {
			r.problems.setMoved("")
			r.config.Logger.LogAttrs(ctx, slog.LevelInfo, "no text from before the folder was copied or restored is queued now")
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
