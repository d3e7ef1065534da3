// Package sqlite keeps the data of a relay on one host in one SQLite file: the queues, the ledger, the routes, the
// conversations, the pace, and the stream of changes that the audit trail is made from. It is the door to modernc.org/sqlite,
// which is SQLite without cgo.
// Whatever a method reported as done survives kill -9 and a power cut: the file is in WAL mode with synchronous=FULL, and a
// method that writes returns only after the commit that holds its write was synced. One goroutine does all the writing and
// puts the writes that wait at the same time into one transaction, so that they share one sync.
// It is for one relay on one host: a second process that opens the same file with [Open] is refused. Operators' commands use
// the file at the same time, see [Attach]; the relay sees what they write a moment later.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// errClosed means that the database was closed. What was asked for did not happen.
var errClosed = errors.New("database is closed")

// DB is one open database file. It is safe for concurrent use.
type DB struct {
	now    func() time.Time
	path   string
	lock   *fileLock
	writer *writer
	reader *reader
	// changed rings when the change stream has grown.
	changed *bell

	// upgraded is what was done to the schema when the file was opened.
	upgraded Upgrade
	// replicated is set if package replica copies the file while it is open, and folds the log in our place.
	replicated bool

	// wrote is when the last transaction began, by the clock as it was then, without a monotonic reading. It is the writer's own.
	wrote time.Time

	closing chan struct{}
	once    sync.Once

	mu sync.Mutex
	// written rings after each commit.
	written bell
	// arrivals has a bell for each queue, by its name.
	arrivals map[string]*bell
}

// Open opens the database at path, and creates it (mode 0600) and its folder (mode 0700) where they are missing. It
// brings the schema up to date, after a copy of the file, see [DB.Upgraded], and notes which file it is, see [DB.Moved]. now is the clock.
//
// The error is ErrInUse if another process has the file open, and ErrNewerSchema if the file needs a newer version of this program.
func Open(ctx context.Context, path string, now func() time.Time) (*DB, error) {
	return open(ctx, path, now, durable.Disk{}, false)
}

func open(ctx context.Context, path string, now func() time.Time, disk durable.Disk, replicated bool) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	lock, err := prepare(path, disk)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db := newDB(path, now)
	db.lock, db.replicated = lock, replicated
	if err := db.connect(ctx, path, disk); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, errors.Join(err, lock.release()))
	}
	if err := db.remember(ctx); err != nil {
		err = errors.Join(err, db.Close()) //nolint:contextcheck // what was begun is ended whatever ctx says.
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

func newDB(path string, now func() time.Time) *DB {
	return &DB{now: now, path: path, changed: &bell{}, closing: make(chan struct{}), arrivals: map[string]*bell{}}
}

// prepare creates the folder and the file and gets the lock. SQLite gives its side files (-wal, -shm) the file's mode.
func prepare(path string, disk durable.Disk) (*fileLock, error) {
	if err := disk.MakeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	// The lock comes first: closing a file that SQLite has open in this very process would drop SQLite's own locks.
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	if err := file.Close(); err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return lock, nil
}

// connect opens the connections and starts the writer.
func (db *DB) connect(ctx context.Context, path string, disk durable.Disk) error {
	// fdatasync leaves out the file's timestamps, so a commit needs about half the time. If there is no fdatasync, SQLite uses
	// fsync.
	if _, err := driver.Fdatasync(true); err != nil && !errors.Is(err, driver.ErrFdatasyncUnavailable) {
		return err
	}
	conn, err := db.openWriter(ctx, path)
	if err != nil {
		return err
	}
	if db.upgraded, err = conn.upgrade(ctx, path, db.now(), disk); err != nil {
		return errors.Join(err, conn.close())
	}
	if db.reader, err = openReader(path); err != nil {
		return errors.Join(err, conn.close())
	}
	if err := disk.SyncFolder(filepath.Dir(path)); err != nil {
		return errors.Join(err, db.reader.close(), conn.close())
	}
	db.writer = startWriter(ctx, db, conn)
	return nil
}

// openPool returns a pool of at most connections connections, which make the file if it is missing. Every connection
// gets the pragmas.
func openPool(path string, connections int, pragmas ...string) (*sql.DB, error) {
	return openPoolAs("rwc", path, connections, pragmas...)
}

// openPoolAs does the same in one of SQLite's modes: "ro", "rw" or "rwc".
func openPoolAs(mode, path string, connections int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append([]string{"busy_timeout(5000)", "foreign_keys(1)", "synchronous(FULL)"}, pragmas...)}
	query.Set("mode", mode)
	query.Set("_dqs", "0")
	query.Set("_error_rc", "1")
	// The path is escaped, so that a question mark in it does not begin the query.
	name := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
	connector, err := driver.NewConnector(name)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// Close waits for the writes under way and closes the file. Those who wait for messages or changes get errClosed.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.closing)
		db.stopBells()
		err = errors.Join(db.reader.close(), db.writer.close(), db.lock.release())
	})
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// stopBells keeps timers from ringing after the end.
func (db *DB) stopBells() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, b := range db.arrivals {
		b.stop()
	}
}

// Written returns a channel that is closed after the next commit, by this process or by a command.
func (db *DB) Written() <-chan struct{} { return db.written.listen() }

// Changed returns a channel that is closed when the change stream has grown, by a write of this process or of a command.
func (db *DB) Changed() <-chan struct{} { return db.changed.listen() }

// ringAll wakes everyone who waits for messages or changes.
func (db *DB) ringAll() {
	db.changed.ring()
	db.written.ring()
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, b := range db.arrivals {
		b.ring()
	}
}

// arrival returns the bell that rings when something of the queue may have become visible.
func (db *DB) arrival(queue string) *bell {
	db.mu.Lock()
	defer db.mu.Unlock()
	b, ok := db.arrivals[queue]
	if !ok {
		b = &bell{}
		db.arrivals[queue] = b
	}
	return b
}

// await tries attempt until it is done, again each time the bell rings, for at most wait.
func (db *DB) await(ctx context.Context, b *bell, wait time.Duration, attempt func() (done bool, err error)) error {
	patience := time.NewTimer(max(wait, 0))
	defer patience.Stop()
	for {
		// Listening begins before the attempt, so that nothing that comes in between is missed.
		rung := b.listen()
		if done, err := attempt(); done || err != nil || wait <= 0 {
			return err
		}
		select {
		case <-rung:
		case <-patience.C:
			return nil
		case <-ctx.Done():
			return &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
		case <-db.closing:
			return &fault.Error{Kind: fault.Transient, Err: errClosed}
		}
	}
}
