package onehost

import (
	"context"
	"log/slog"
	"time"
)

const (
	// auditCheckInterval is how often an idle log is checked, auditExpiryInterval how often one of its segments may be removed: a clock
	// that is wrong for a while does not empty the log.
	auditCheckInterval  = time.Minute
	auditExpiryInterval = time.Hour
)

// auditLost logs that someone else cut, moved, removed or wrote to the audit log's file.
func (r *Relay) auditLost(what string) {
	r.config.Logger.LogAttrs(context.Background(), slog.LevelError, "the audit log was changed while the relay runs",
		slog.String("problem", what),
		slog.String("advice", "leave its files alone while the relay runs: docs/audit.md says how to copy them; relay audit verify says what "+
			"is missing"))
}

// auditFiles are the audit log's files, see jsonlines.Log.
type auditFiles interface {
	Check() error
	Expire(keep time.Duration) (removed string, err error)
}

// keepAuditLog looks after the audit log's files until ctx ends.
func keepAuditLog(ctx context.Context, log auditFiles, keep time.Duration, logger *slog.Logger) error {
	check, expire := time.NewTicker(auditCheckInterval), time.NewTicker(auditExpiryInterval)
	defer check.Stop()
	defer expire.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-check.C:
			err = log.Check()
		case <-expire.C:
			var removed string
			if removed, err = log.Expire(keep); removed != "" {
				logger.LogAttrs(ctx, slog.LevelInfo, "old audit entries removed", slog.String("file", removed))
			}
		}
		if err != nil && ctx.Err() == nil {
			logger.LogAttrs(ctx, slog.LevelError, "the audit log's files cannot be looked after", slog.String("error", err.Error()))
		}
	}
}
