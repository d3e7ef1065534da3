package onehost

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
)

// quotaInterval is how often the relay looks how large the data folder is.
const quotaInterval = time.Minute

// quota watches how large the data folder is. Nothing is refused and nothing is deleted at the quota: a text that is not taken is lost, and
// what could be deleted is what somebody may need. So people are told before.
type quota struct {
	limit datafolder.Quota
	// used returns how many bytes the folder has.
	used   func() (int64, error)
	logger *slog.Logger

	bytes atomic.Int64
	told  int
}

// newQuota watches the relay's own folder. The attachments, which are many, are counted by who keeps them.
func (r *Relay) newQuota() *quota {
	return &quota{limit: r.config.DiskQuota, logger: r.config.Logger, used: func() (int64, error) {
		bytes, err := datafolder.Used(r.config.Data, datafolder.MediaFolder)
		return bytes + r.media.Used(), err
	}}
}

// run looks until ctx ends.
func (q *quota) run(ctx context.Context) error {
	ticker := time.NewTicker(quotaInterval)
	defer ticker.Stop()
	for {
		q.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look counts once, and logs when it has become fuller.
func (q *quota) look(ctx context.Context) {
	used, err := q.used()
	if err != nil {
		if ctx.Err() == nil {
			q.logger.LogAttrs(ctx, slog.LevelWarn, "the size of the data folder is not known", slog.String("error", err.Error()))
		}
		return
	}
	q.bytes.Store(used)
	level := q.limit.Fullness(used)
	switch {
	case level > q.told && level == 1:
		q.logger.LogAttrs(ctx, slog.LevelWarn, "the data folder is near its quota", slog.String("problem", q.limit.Words(used)))
	case level > q.told:
		q.logger.LogAttrs(ctx, slog.LevelError, "the data folder has reached its quota", slog.String("problem", q.limit.Words(used)))
	}
	q.told = level
}

// state is how full the folder is, see datafolder.Quota, with words for people.
func (q *quota) state() (level int, words string) {
	if q == nil {
		return 0, ""
	}
	used := q.bytes.Load()
	return q.limit.Fullness(used), q.limit.Words(used)
}

// orWorse returns the finding of the disk, or that of the quota if that is worse.
func (q *quota) orWorse(disk notify.Finding) notify.Finding {
	level, words := q.state()
	if level <= disk.Count {
		return disk
	}
	disk.Count, disk.Title = level, "the data folder is near its quota"
	if level > 1 {
		disk.Title = "the data folder has reached its quota"
	}
	disk.Text = cli.Sentence(words) + " Texts are relayed as usual, as long as the disk has room." + runbook("disk")
	return disk
}
