package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	driver "modernc.org/sqlite"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// ErrNotReplicable means that a database cannot be replicated on this system while it is open.
var ErrNotReplicable = errors.New("this system cannot copy a database all the time: it lacks locks that belong to an open file")

// LockByFile makes this process lock databases by its open files (Linux's OFD locks) and not by process and file, as POSIX says. It has to
// come before the process opens its first database, and [OpenReplicated] needs it. Whoever copies the file while it is open opens it a
// second time. With POSIX locks, to close that second file would drop every lock that SQLite has on the first; then a command in another
// process could take itself for the only one, and throw the log away under the relay.
//
// The error is ErrNotReplicable on systems other than Linux.
func LockByFile() error {
	if _, err := driver.OFDLocking(true); err != nil {
		return fmt.Errorf("%w: %w", ErrNotReplicable, err)
	}
	return nil
}

// OpenReplicated is Open for a file that package replica copies while it is open. The log is folded by that package alone, which has to
// have read it first; and it stays when the file is closed, so that the copy goes on at the next start with what comes after. After Close
// the file has everything even so.
//
// The error is also ErrNotReplicable if the file system of the file has no such locks as [LockByFile] asks for.
func OpenReplicated(ctx context.Context, path string, now func() time.Time) (*DB, error) {
	db, err := open(ctx, path, now, durable.Disk{}, true)
	if err == nil && !driver.OFDLockingEnabled() {
		err = errors.Join(fmt.Errorf("open database %s: %w", path, ErrNotReplicable), db.Close()) //nolint:contextcheck // see open.
		db = nil
	}
	return db, err
}

// replicatedPragmas are those of the connection that writes: it never folds the log by itself. The limit of the log's size would cut it to
// nothing at the end.
func replicatedPragmas() []string { return []string{"wal_autocheckpoint(0)", "journal_size_limit(-1)"} }

// keepLog leaves the log where it is when the connection, the last one, is closed.
func (c *connection) keepLog() error {
	return c.conn.Raw(func(raw any) error {
		control, ok := raw.(driver.FileControl)
		if !ok {
			return errors.New("this driver cannot keep the log")
		}
		_, err := control.FileControlPersistWAL("main", 1)
		return err
	})
}
