package onehost

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// BackupConfig says which backups the relay makes while it runs. Without To it makes none.
type BackupConfig struct {
	// To is a folder or s3://bucket/prefix, which is reached with Access.
	To     string
	Access awsprofile.Config
	// Every is the time between two backups, Keep says which of them stay.
	Every time.Duration
	Keep  backups.Keep
	// Settings are those in force; a backup has them without their secrets.
	Settings []backups.Setting
}

const (
	// MinBackupInterval is the shortest time between two backups: each reads everything twice.
	MinBackupInterval = time.Minute
	// backupPause is the pause after a backup that failed, unless the next one is due earlier.
	backupPause = 5 * time.Minute
	// backupVerified is how far back the copied audit log of a backup is verified. The whole log needs memory, and relay backup.
	backupVerified = 48 * time.Hour
)

// backupMaker makes backups while the relay runs.
type backupMaker struct {
	config BackupConfig
	data   string
	db     backups.Database
	now    func() time.Time
	logger *slog.Logger
	// pause waits; it returns at once when ctx ends.
	pause func(ctx context.Context, d time.Duration)

	mu    sync.Mutex
	state backups.State
}

// begin reads how it stands, and notes what is wanted now.
func (b *backupMaker) begin(ctx context.Context) {
	state, found, err := backups.ReadState(b.data)
	if err != nil {
		b.logger.LogAttrs(ctx, slog.LevelWarn, "what is known of earlier backups cannot be read", slog.String("error", err.Error()))
		state = backups.State{}
	}
	if b.config.To == "" {
		if found && state.Every > 0 {
			state.Every = 0
			b.keep(ctx, state)
		}
		return
	}
	if state.To != b.config.To {
		state = backups.State{}
	}
	state.To, state.Every, state.Since = b.config.To, b.config.Every, b.now().UTC()
	b.keep(ctx, state)
}

// keep remembers the state, here and in the folder.
func (b *backupMaker) keep(ctx context.Context, state backups.State) {
	b.mu.Lock()
	b.state = state
	b.mu.Unlock()
	if err := state.Write(b.data, durable.Disk{}); err != nil {
		b.logger.LogAttrs(ctx, slog.LevelError, "the state of the backups was not kept", slog.String("error", err.Error()))
	}
}

// State returns how it stands with the backups.
func (b *backupMaker) State() backups.State {
	if b == nil {
		return backups.State{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// run makes backups until ctx ends.
func (b *backupMaker) run(ctx context.Context) error {
	if b.config.To == "" {
		return nil
	}
	for {
		b.pause(ctx, b.due())
		select {
		case <-ctx.Done():
			return nil
		default:
			b.make(ctx)
		}
	}
}

// due is for how long no backup is due.
func (b *backupMaker) due() time.Duration {
	state, now := b.State(), b.now()
	wait := state.Last.Add(state.Every).Sub(now)
	if state.Failure != "" {
		wait = min(backupPause, state.Every) - now.Sub(state.FailedAt)
	}
	// A clock that was ahead keeps no backup waiting for longer than usual.
	return min(wait, state.Every)
}

// make makes one backup, and removes those that are too old.
func (b *backupMaker) make(ctx context.Context) {
	state := b.State()
	place, err := backups.Open(ctx, b.config.To, b.config.Access)
	var taken backups.Taken
	if err == nil {
		taken, err = backups.Take(ctx, backups.Source{
			Database: b.db, Data: b.data, Settings: b.config.Settings, Relay: telemetry.ReadBuild().String(), Now: b.now,
			VerifySince: b.now().Add(-backupVerified),
		}, place)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		state.Failure, state.FailedAt = err.Error(), b.now().UTC()
		b.keep(ctx, state)
		b.logger.LogAttrs(ctx, slog.LevelError, "NO BACKUP WAS MADE", slog.String("to", b.config.To), slog.String("error", err.Error()))
		return
	}
	state.Last, state.Failure, state.FailedAt, state.Unsound = taken.TakenAt, "", time.Time{}, !taken.Audit.Sound()
	b.keep(ctx, state)
	b.logger.LogAttrs(ctx, slog.LevelInfo, "backup made", slog.String("where", taken.Where), slog.Int64("bytes", taken.Packed),
		slog.Bool("audit_sound", taken.Audit.Sound()))
	removed, err := backups.Prune(ctx, place, b.config.Keep, b.now())
	if err != nil {
		b.logger.LogAttrs(ctx, slog.LevelWarn, "old backups not removed", slog.String("error", err.Error()))
	} else if removed > 0 {
		b.logger.LogAttrs(ctx, slog.LevelInfo, "old backups removed", slog.Int("removed", removed))
	}
}

// readLast reads when the newest backup was taken, in seconds since 1970.
func (b *backupMaker) readLast(context.Context) ([]reading, error) {
	last := b.State().Last
	if last.IsZero() {
		return alone(0, nil)
	}
	return alone(float64(last.UnixMilli())/1000, nil)
}

// readAge reads how old it is, or before the first, for how long the relay has been making backups.
func (b *backupMaker) readAge(context.Context) ([]reading, error) {
	state := b.State()
	since := state.Last
	if since.IsZero() {
		since = state.Since
	}
	if state.Every <= 0 {
		return alone(0, nil)
	}
	return alone(b.now().Sub(since).Seconds(), nil)
}
