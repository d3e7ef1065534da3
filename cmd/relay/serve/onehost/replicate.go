package onehost

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/upgrades"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// ReplicaConfig says where the relay keeps a replica of its data folder while it runs. Without To it keeps none.
type ReplicaConfig struct {
	// To is a folder or s3://bucket/prefix, which is reached with Access.
	To     string
	Access awsprofile.Config
	// Settings are those in force; a replica has them without their secrets.
	Settings []backups.Setting
}

const (
	// replicaInterval is the least time between two looks at what is new: so much may be missing in the replica when the host is lost.
	replicaInterval = time.Second
	// maxReplicaPause is the longest pause after a try that failed. What is written meanwhile is kept in the folder.
	maxReplicaPause = time.Minute
	// replicaLook is the longest time between two looks if nothing is written.
	replicaLook = 15 * time.Second
	// replicaNoted is how often the state is written into the folder while all is well.
	replicaNoted = 30 * time.Second
	// lastCopyTime is how long the last changes may take when the relay stops. systemd waits for 30 seconds.
	lastCopyTime = 8 * time.Second
)

// replication is what keeps a replica up to date, see backups.Replication.
type replication interface {
	Copy(ctx context.Context) (at time.Time, err error)
	Tidy(ctx context.Context) error
	Close(ctx context.Context) (at time.Time, err error)
	Reads() bool
}

// replicator keeps a replica up to date while the relay runs.
type replicator struct {
	config ReplicaConfig
	data   string
	now    func() time.Time
	logger *slog.Logger
	pause  func(ctx context.Context, d time.Duration)
	// written returns a channel that is closed when something was written, and await waits for that, for so long at most.
	written func() <-chan struct{}
	await   func(ctx context.Context, written <-chan struct{}, longest time.Duration)
	// start begins to keep the replica of that ID, or a new one, whose ID is another.
	start func(ctx context.Context, id string) (r replication, newID string, err error)
	// fold folds the database's log if it is long, while it is not read.
	fold func(ctx context.Context) error

	// copying is nil while it could not be begun.
	copying replication
	// failures is how many tries have failed in a row, noted when the state was last written into the folder.
	failures int
	noted    time.Time

	mu    sync.Mutex
	state backups.ReplicaState
}

// newReplicator makes the relay's.
func (r *Relay) newReplicator() *replicator {
	p := &replicator{
		config: r.config.Replica, data: r.config.Data, now: time.Now, logger: r.config.Logger, pause: clock.Pause,
		written: r.db.Written, await: waitFor,
	}
	p.fold = func(ctx context.Context) error {
		return foldLong(ctx, filepath.Join(p.data, datafolder.DatabaseFile), longLog)
	}
	p.start = func(ctx context.Context, id string) (replication, string, error) {
		place, err := backups.Open(ctx, p.config.To, p.config.Access)
		if err != nil {
			return nil, "", err
		}
		copying, newID, err := backups.Replicate(ctx, backups.ReplicaSource{
			Data: p.data, Audit: r.auditLog, Settings: p.config.Settings, Relay: telemetry.ReadBuild().String(), Now: time.Now,
		}, place, id)
		if err != nil {
			return nil, "", err
		}
		return copying, newID, nil
	}
	return p
}

// openDatabase opens the database, as one that is replicated if it is, once there is room for what that takes.
func (r *Relay) openDatabase(ctx context.Context) (*sqlite.DB, error) {
	open := sqlite.Open
	if r.config.Replica.To != "" {
		if err := sqlite.LockByFile(); err != nil {
			return nil, err
		}
		open = sqlite.OpenReplicated
	}
	if err := upgrades.Ready(ctx, r.config.Data, datafolder.Space); err != nil {
		return nil, err
	}
	return open(ctx, filepath.Join(r.config.Data, datafolder.DatabaseFile), time.Now)
}

// begin reads how it stands, and notes what is wanted now. A folder that was copied since gets a replica of its own: the other folder may
// still go on with the one that it had.
func (p *replicator) begin(ctx context.Context, moved time.Time) {
	state, found, err := backups.ReadReplicaState(p.data)
	if err != nil {
		p.logger.LogAttrs(ctx, slog.LevelWarn, "what is known of the replica cannot be read: there will be a new one",
			slog.String("error", err.Error()))
	}
	if p.config.To == "" {
		if found && state.To != "" {
			p.keep(ctx, backups.ReplicaState{})
		}
		if err := backups.DropReplicaState(p.data); err != nil {
			p.logger.LogAttrs(ctx, slog.LevelWarn, "what was left of a replica is not removed", slog.String("error", err.Error()))
		}
		return
	}
	if state.To != p.config.To || moved.After(state.Since) {
		state = backups.ReplicaState{}
	}
	state.To, state.Since, state.StoppedAt = p.config.To, p.now().UTC(), time.Time{}
	p.keep(ctx, state)
}

// keep remembers the state, here and in the folder.
func (p *replicator) keep(ctx context.Context, state backups.ReplicaState) {
	p.set(state)
	p.noted = p.now()
	if err := state.Write(p.data); err != nil {
		p.logger.LogAttrs(ctx, slog.LevelError, "the state of the replica was not kept", slog.String("error", err.Error()))
	}
}

func (p *replicator) set(state backups.ReplicaState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
}

// State returns how it stands with the replica.
func (p *replicator) State() backups.ReplicaState {
	if p == nil {
		return backups.ReplicaState{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// run keeps the replica up to date until ctx ends. What is written after that is copied by close.
func (p *replicator) run(ctx context.Context) error {
	if p.config.To == "" {
		return nil
	}
	for ctx.Err() == nil {
		written := p.written()
		p.step(ctx)
		wait := replicaInterval
		if p.failures > 0 {
			wait = min(replicaInterval<<min(p.failures, 6), maxReplicaPause)
		}
		p.pause(ctx, wait)
		if p.failures == 0 {
			p.await(ctx, written, replicaLook)
		}
	}
	return nil
}

// waitFor waits until the channel is closed, for at most so long.
func waitFor(ctx context.Context, closed <-chan struct{}, longest time.Duration) {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// step copies what is new, and puts the place in order if that is due.
func (p *replicator) step(ctx context.Context) {
	at, err := p.copy(ctx)
	if err == nil {
		p.succeeded(ctx, at)
		err = p.copying.Tidy(ctx)
	}
	if errors.Is(err, backups.ErrReplicaGone) {
		err = errors.Join(err, p.abandon(ctx))
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	if p.copying == nil || !p.copying.Reads() {
		err = errors.Join(err, p.fold(ctx))
	}
	p.failed(ctx, err)
}

// longLog is how long the log may become while the place is away.
const longLog = 64 << 20

// foldLong folds the log of the database at path if it has more than so many bytes. The replica begins with the whole database then.
func foldLong(ctx context.Context, path string, most int64) error {
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() <= most {
		return err
	}
	return sqlite.FoldBeside(ctx, path)
}

// copy begins if it has not begun, and copies what is new.
func (p *replicator) copy(ctx context.Context) (at time.Time, err error) {
	if p.copying == nil {
		state := p.State()
		if p.copying, state.ID, err = p.start(ctx, state.ID); err != nil {
			p.copying = nil
			return time.Time{}, err
		}
		if state.ID != p.State().ID {
			state.Last = time.Time{}
		}
		p.keep(ctx, state)
	}
	return p.copying.Copy(ctx)
}

// abandon ends the replica, which is not in its place any more. The next step begins a new one.
func (p *replicator) abandon(ctx context.Context) error {
	_, err := p.copying.Close(ctx)
	p.copying = nil
	state := p.State()
	state.ID, state.Last, state.Since = "", time.Time{}, p.now().UTC()
	p.keep(ctx, state)
	return err
}

// succeeded notes that the replica has the state of that moment.
func (p *replicator) succeeded(ctx context.Context, at time.Time) {
	state := p.State()
	first := state.Last.IsZero()
	state.Last, state.Failure = at, ""
	if p.failures > 0 || first {
		p.logger.LogAttrs(ctx, slog.LevelInfo, "the replica is up to date", slog.String("to", p.config.To), slog.Int("failures", p.failures))
	}
	if p.failures > 0 || first || p.now().Sub(p.noted) >= replicaNoted {
		p.keep(ctx, state)
	} else {
		p.set(state)
	}
	p.failures = 0
}

// failed notes why a try failed. The log has each reason once.
func (p *replicator) failed(ctx context.Context, err error) {
	state := p.State()
	p.failures++
	if state.Failure != err.Error() {
		p.logger.LogAttrs(ctx, slog.LevelError, "THE REPLICA IS NOT UP TO DATE", slog.String("to", p.config.To),
			slog.String("error", err.Error()))
	}
	state.Failure = err.Error()
	p.keep(ctx, state)
}

// close copies the last changes, if the place answers in time, and ends. It comes after everything else that writes, and before the
// database and the audit log are closed.
func (p *replicator) close(ctx context.Context) error {
	if p == nil || p.copying == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastCopyTime)
	defer cancel()
	at, err := p.copying.Close(ctx)
	p.copying = nil
	state := p.State()
	if err != nil {
		p.logger.LogAttrs(ctx, slog.LevelError, "THE REPLICA LACKS THE LAST CHANGES: they are copied after the next start",
			slog.String("to", p.config.To), slog.String("error", err.Error()))
		state.Failure = err.Error()
	} else {
		state.Last, state.Failure, state.StoppedAt = at, "", p.now().UTC()
	}
	p.keep(ctx, state)
	return nil
}

// readAge reads how old the replica is.
func (p *replicator) readAge(context.Context) ([]reading, error) {
	return alone(p.State().Age(p.now()).Seconds(), nil)
}
