// Package replica copies a database to another place while it is used, each change within a moment, and restores the copy. It is the door
// to Litestream, which does that: it reads SQLite's write-ahead log, keeps each part of it as a file (of the form LTX) in the place, and
// puts small files together to larger ones. It folds the log into the database, and nobody else may, because what was folded before it was
// read is missing in the copy. Package replica does not know what is in the database, and runs nothing by itself: whoever has the database
// open calls it again and again.
package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// Object is something that a store keeps.
type Object struct {
	Key  string
	Size int64
	// At is when it was stored; zero if the store does not say.
	At time.Time
}

// Store is where the copy is kept. Keys have slashes.
type Store interface {
	// Put stores size bytes under a key, whole or not at all, and returns nil only when they are there for good.
	Put(ctx context.Context, key string, content io.Reader, size int64) error
	// Open reads an object, or the part of it that begins at offset and has size bytes; with size 0 it goes to the end. The error is
	// fs.ErrNotExist if there is none.
	Open(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error)
	// List calls visit for each object whose key begins with prefix, in any order.
	List(ctx context.Context, prefix string, visit func(Object) error) error
	// Delete removes an object. It is no error that there is none.
	Delete(ctx context.Context, key string) error
}

// Config says what is copied, and where to.
type Config struct {
	// Database is the path of the database, which this process has opened with sqlite.OpenReplicated, and keeps open until Close.
	Database string
	// State is a folder for what was read and is not in the place yet. It is made if it is missing. If it is lost, the whole database is
	// copied again.
	State string
	// Store is the place. Nobody else copies to it.
	Store Store
}

const (
	// pagesBeforeFold is how long the log may become, in pages of 4 KiB, until it is folded without making anybody wait for long.
	// pagesBeforeForce is how long it may become at all: then it is folded in any case, and the whole database is copied again.
	pagesBeforeFold  = 1000
	pagesBeforeForce = (64 << 20) / 4096
	// busyTimeout is for how long it waits for its turn to write: it writes a number into a table of its own when the log is folded.
	busyTimeout = time.Second
	// keptAfter is how long a part is kept after it was put together with others: somebody may just restore from it.
	keptAfter = 10 * time.Minute
	// snapshotEvery is how often the database is copied whole, and snapshotKept how long such a copy stays. It is less than a day, so that
	// each copy replaces the one of the day before, and what came in between goes a day later.
	snapshotEvery = 24 * time.Hour
	snapshotKept  = 23 * time.Hour
	// mostWaiting is how much may wait in the state's folder for a place that is away, in bytes. The whole database takes less than twice
	// its size, so it may be that much in any case.
	mostWaiting = 256 << 20
)

// Kept is for how long the copy at most still has what is no longer in the database: two whole copies.
const Kept = 2 * snapshotEvery

// TidyEvery is how often Tidy puts something together, if there is something.
const TidyEvery = 5 * time.Minute

// levels say how often the parts of each level are put together to one of the next.
func levels() litestream.CompactionLevels {
	return litestream.CompactionLevels{{Level: 0}, {Level: 1, Interval: TidyEvery}, {Level: 2, Interval: time.Hour}}
}

// Replica copies one database. Its methods are for one goroutine.
type Replica struct {
	config Config
	// most is mostWaiting, or less in a test.
	most int64
	// db and all are nil after so much waited that it was thrown away, until the place is back.
	db  *litestream.DB
	all *litestream.Store
	// reads is true once the log was read, and last the head of what was read last before that; zero if nothing was.
	reads bool
	last  ltx.Header
}

// Open begins to copy. It reads nothing yet.
func Open(ctx context.Context, config Config) (*Replica, error) {
	r := &Replica{config: config, most: mostWaiting}
	return r, r.open(ctx)
}

func (r *Replica) open(ctx context.Context) error {
	db := litestream.NewDB(r.config.Database)
	db.SetMetaPath(r.config.State)
	db.CheckpointInterval = 0
	db.BusyTimeout = busyTimeout
	// Whoever copies says when. Litestream would start several goroutines, and wake up more often.
	db.MonitorInterval = 0
	db.Replica = litestream.NewReplicaWithClient(db, client{r.config.Store, r.config.State})
	db.Replica.MonitorEnabled = false
	all := litestream.NewStore([]*litestream.DB{db}, levels())
	all.SnapshotInterval, all.SnapshotRetention = snapshotEvery, snapshotKept
	db.L0Retention, db.ShutdownSyncTimeout = keptAfter, 0
	// What goes wrong is an error here, and told in our words.
	all.Logger = slog.New(slog.DiscardHandler)
	db.SetLogger(all.Logger)
	last, found, err := lastRead(db)
	if err == nil && !found {
		// The whole database is copied. Litestream may go on with what the place has, see continued, but not after this.
		err = sqlite.Fold(ctx, r.config.Database)
	}
	if err != nil {
		return fmt.Errorf("begin to copy the database: %w", err)
	}
	r.last, r.reads = last, false
	r.db, r.all = db, all
	return db.Open()
}

// Read reads what was committed since, and keeps it in the folder of the state. It returns the position of the last commit, which grows
// with what was written and is 0 if nothing ever was. If the log is long, it is folded.
//
// After too much waited for the place, see Send, the error is that of the place as long as it is away. Nobody folds the log then.
func (r *Replica) Read(ctx context.Context) (position uint64, err error) {
	if r.db == nil {
		// Litestream asks the place how far it is, and holds the log while it waits for an answer.
		err := r.config.Store.List(ctx, litestream.LTXDir("")+"/", func(Object) error { return errEnough })
		if err != nil && !errors.Is(err, errEnough) {
			return 0, fmt.Errorf("copy the whole database: %w", err)
		}
		if err := r.open(ctx); err != nil {
			return 0, err
		}
	}
	if !r.reads {
		if err := r.readFirst(ctx); err != nil {
			return 0, r.recover(ctx, fmt.Errorf("read the database's log: %w", err))
		}
	}
	if err := r.db.Sync(ctx); err != nil {
		return 0, r.recover(ctx, fmt.Errorf("read the database's log: %w", err))
	}
	at, err := r.db.Pos()
	if err != nil {
		return 0, r.recover(ctx, fmt.Errorf("read the database's log: %w", err))
	}
	return uint64(at.TXID), nil
}

// readFirst reads what was committed since the last run. If that is not all there anymore, the whole database is copied.
func (r *Replica) readFirst(ctx context.Context) error {
	// Until continued has looked, nothing is folded.
	r.db.MinCheckpointPageN, r.db.TruncatePageN = math.MaxInt32, math.MaxInt32
	if err := r.db.Sync(ctx); err != nil {
		return err
	}
	if r.last.MaxTXID != 0 {
		goesOn, err := continued(r.db.WALPath(), r.last)
		if err == nil && !goesOn {
			err = errors.Join(r.drop(ctx), r.open(ctx))
		}
		if err != nil {
			return err
		}
	}
	r.db.MinCheckpointPageN, r.db.TruncatePageN = pagesBeforeFold, pagesBeforeForce
	r.reads = true
	return nil
}

// errEnough ends a list that was asked for to see whether anybody answers.
var errEnough = errors.New("enough was listed")

// Reads is false while nobody reads the log and nobody folds it, because the place is away.
func (r *Replica) Reads() bool { return r.reads }

// Send brings what was read to the place. What it cannot bring waits, until that is more than the whole database would be: then it is
// thrown away, and the whole database is copied once the place is back.
func (r *Replica) Send(ctx context.Context) error {
	err := r.db.Replica.Sync(ctx)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("copy the database: %w", err)
	tooMuch, sizeErr := r.waitsTooMuch()
	if tooMuch {
		return errors.Join(err, r.drop(ctx))
	}
	return r.recover(ctx, errors.Join(err, sizeErr))
}

// waitsTooMuch says whether more waits in the folder than the whole database would take.
func (r *Replica) waitsTooMuch() (bool, error) {
	var waiting int64
	err := filepath.WalkDir(r.config.State, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			waiting += info.Size()
		}
		return err
	})
	if err != nil || waiting <= r.most {
		return false, err
	}
	info, err := os.Stat(r.config.Database)
	return err == nil && waiting > 2*info.Size(), err
}

// recover begins again with the whole database if the state in the folder is of no use any more: somebody removed it, or a disk lost it. It
// returns the error all the same.
func (r *Replica) recover(ctx context.Context, cause error) error {
	broken, ok := errors.AsType[*litestream.LTXError](cause)
	if !ok || !broken.IsAutoRecoverable() {
		return cause
	}
	return errors.Join(cause, r.drop(ctx), r.open(ctx))
}

// drop ends the reading, and throws away what was read.
func (r *Replica) drop(ctx context.Context) error {
	_ = r.Close(ctx) // What it could not send is read again.
	r.db, r.all, r.reads = nil, nil, false
	return os.RemoveAll(r.config.State)
}

// Tidy puts parts in the place together, copies the whole database once a day, and removes what is no longer needed, see Kept. It is to be
// called each TidyEvery, after what was read was sent.
func (r *Replica) Tidy(ctx context.Context) error {
	for _, level := range append(levels()[1:], r.all.SnapshotLevel()) {
		_, err := r.all.CompactDB(ctx, r.db, level)
		switch {
		case errors.Is(err, litestream.ErrNoCompaction), errors.Is(err, litestream.ErrCompactionTooEarly),
			errors.Is(err, litestream.ErrDBNotReady):
		case err != nil:
			return fmt.Errorf("put the parts of the copy together: %w", err)
		}
	}
	if err := r.db.EnforceL0RetentionByTime(ctx); err != nil {
		return fmt.Errorf("remove old parts of the copy: %w", err)
	}
	if err := r.all.EnforceSnapshotRetention(ctx, r.db); err != nil {
		return fmt.Errorf("remove old parts of the copy: %w", err)
	}
	return nil
}

// Close reads what was committed since, tries once to bring it to the place, and ends. It has to come before the database is closed.
func (r *Replica) Close(ctx context.Context) error {
	if r.db == nil {
		return nil
	}
	if err := r.db.Close(ctx); err != nil {
		return fmt.Errorf("end the copying of the database: %w", err)
	}
	return nil
}

// Restore writes the database as it was at that position to a new file at path. The error is fs.ErrNotExist if the store does not have all
// of it.
func Restore(ctx context.Context, store Store, position uint64, path string) error {
	from := litestream.NewReplicaWithClient(nil, client{store, ""})
	options := litestream.NewRestoreOptions()
	options.OutputPath, options.TXID = path, ltx.TXID(position)
	if err := from.Restore(ctx, options); err != nil {
		return fmt.Errorf("restore the database: %w", err)
	}
	return os.Chmod(path, 0o600)
}
