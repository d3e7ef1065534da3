package onehost

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
)

// mediaInterval is how often expired attachments are removed. They are not offered any longer before that.
const mediaInterval = time.Hour

// openMedia opens the folder of attachments in the data folder.
func openMedia(data string) (*mediafolder.Folder, error) {
	folder, err := mediafolder.New(mediafolder.Config{Path: filepath.Join(data, datafolder.MediaFolder), Now: time.Now})
	if err != nil {
		return nil, fmt.Errorf("open the attachments: %w", err)
	}
	return folder, nil
}

// keeper copies what comes from source into the folder.
func (r *Relay) keeper(source media.Source) media.Keeper {
	return media.Keeper{Source: source, Store: r.media, KeepFor: r.config.MediaRetention, Now: time.Now}
}

// mediaSweeper removes what has expired, see mediafolder.Folder.
type mediaSweeper interface {
	Sweep(ctx context.Context) (removed int, err error)
}

// sweepMedia removes expired attachments until ctx ends.
func sweepMedia(ctx context.Context, folder mediaSweeper, logger *slog.Logger) error {
	ticker := time.NewTicker(mediaInterval)
	defer ticker.Stop()
	for {
		removed, err := folder.Sweep(ctx)
		if removed > 0 {
			logger.LogAttrs(ctx, slog.LevelInfo, "old attachments removed", slog.Int("removed", removed))
		}
		if err != nil && ctx.Err() == nil {
			logger.LogAttrs(ctx, slog.LevelWarn, "old attachments not removed", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
