package onehost

import (
	"context"
	"log/slog"
	"time"
)

const (
	// wordsDelay is how long after a change the words of new texts are put into the index: what changes often is looked at once.
	wordsDelay = 2 * time.Second
	// wordsPause is the pause between two steps: texts go before it.
	wordsPause = 50 * time.Millisecond
	// wordsRetry is when it is tried again after a failure, if nothing changes before.
	wordsRetry = time.Minute
)

// wordIndexer puts what texts say into the index by which they are searched, in small steps, some seconds after they came in. While no
// item changes, it does nothing.
type wordIndexer struct {
	db interface {
		Changed() <-chan struct{}
		IndexWords(ctx context.Context) (isMore bool, err error)
	}
	pause  func(ctx context.Context, d time.Duration)
	logger *slog.Logger
}

// run runs until ctx ends.
func (w wordIndexer) run(ctx context.Context) error {
	for {
		// Listening begins before the work, so that no change meanwhile is missed.
		changed := w.db.Changed()
		var again <-chan time.Time
		if !w.index(ctx) {
			again = time.After(wordsRetry)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case <-changed:
			w.pause(ctx, wordsDelay)
		}
	}
}

// index does all that there is to do, and reports whether it could.
func (w wordIndexer) index(ctx context.Context) (ok bool) {
	for ctx.Err() == nil {
		isMore, err := w.db.IndexWords(ctx)
		if err != nil && ctx.Err() == nil {
			w.logger.LogAttrs(ctx, slog.LevelWarn, "the words of some texts are not in the index yet", slog.String("error", err.Error()))
		}
		if err != nil || !isMore {
			return err == nil
		}
		w.pause(ctx, wordsPause)
	}
	return true
}
