package sqlite

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// lookInterval is how often the relay looks whether the file was written to though nobody rang: by a program that is not ours, or by
	// one that died between its commit and the ring. unwatchedInterval is that where the bell cannot be watched.
	lookInterval      = 10 * time.Second
	unwatchedInterval = 250 * time.Millisecond
)

// bellFile is the file that a process that has attached the database at path writes to after each commit.
func bellFile(path string) string { return path + ".bell" }

// Heed wakes those who wait for messages or changes when another process has written, until ctx ends. SQLite does not do that. Commands
// that have attached the database ring a bell, which is a file that is watched: while nothing happens, nothing is done, and the relay's
// own writes cost nothing. cannotWatch is called if there is no such watch on this host: the relay looks four times a second then.
func (db *DB) Heed(ctx context.Context, cannotWatch func(error)) {
	interval := lookInterval
	var rings <-chan fsnotify.Event
	var missed <-chan error
	watch, err := watchBell(db.path)
	if err != nil {
		cannotWatch(err)
		interval = unwatchedInterval
	} else {
		defer watch.Close() //nolint:errcheck // nothing was written to it.
		rings, missed = watch.Events, watch.Errors
	}
	looks := time.NewTicker(interval)
	defer looks.Stop()
	seen := db.lastWrite()
	// Somebody may have written before the bell was watched.
	db.ringAll()
	for {
		select {
		case <-ctx.Done():
			return
		case ring := <-rings:
			if ring.Has(fsnotify.Remove) || ring.Has(fsnotify.Rename) {
				// If there is no new bell, the looks go on.
				_ = addBell(watch, db.path)
			}
			db.ringAll()
		case <-missed: //nolint:errcheck // whatever it is, a ring may have been lost.
			db.ringAll()
		case <-looks.C:
			if now := db.lastWrite(); !now.Equal(seen) {
				seen = now
				db.ringAll()
			}
		}
	}
}

// watchBell makes the bell and watches it.
func watchBell(path string) (*fsnotify.Watcher, error) {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	if err := addBell(watch, path); err != nil {
		return nil, errors.Join(err, watch.Close())
	}
	return watch, nil
}

func addBell(watch *fsnotify.Watcher, path string) error {
	file, err := os.OpenFile(bellFile(path), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return watch.Add(bellFile(path))
}

// ringRelay tells the relay that has the database open, if there is one, that this process has written.
func (db *DB) ringRelay() {
	file, err := os.OpenFile(bellFile(db.path), os.O_WRONLY, 0)
	if err != nil {
		// No relay has made a bell, or it looks by itself.
		return
	}
	_, _ = file.WriteAt([]byte{'.'}, 0)
	_ = file.Close()
}

// lastWrite changes when anybody writes to the database, the relay itself included.
func (db *DB) lastWrite() (at time.Time) {
	if log, err := os.Stat(db.path + "-wal"); err == nil {
		at = log.ModTime()
	}
	return at
}
