package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	driver "modernc.org/sqlite"
)

// stepPages is how many pages are copied between two looks at whether the caller still wants the copy.
const stepPages = 1024

// copyPatience is for how long a copy waits until it may write: a relay under load leaves other processes few moments.
const copyPatience = time.Minute

// CopyTo copies the database to a new file at path while it is used: what was committed at one moment, whole. At that moment frozen is
// called, within the one transaction that keeps every other write waiting; it has to return within milliseconds. It is called again if that
// moment does not come about, and the last call counts. Readers and writers go on while the pages are copied.
//
// The copy takes itself for a copy at its next Open, wherever it is, see [DB.Moved]; and it was read and found whole.
func (db *DB) CopyTo(ctx context.Context, path string, frozen func() error) (err error) {
	pool, err := openPool(db.path, 1, "query_only(1)")
	if err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	patience, cancel := context.WithTimeout(ctx, copyPatience)
	defer cancel()
	for {
		err = db.write(ctx, func(ctx context.Context, _ *tx) error {
			if err := begin(ctx, conn); err != nil {
				return err
			}
			return frozen()
		})
		if !isBusy(err) || patience.Err() != nil {
			break
		}
	}
	if err == nil {
		err = copyPages(ctx, conn, path)
	}
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // It may never have begun, and has read only.
	if err != nil {
		return fmt.Errorf("copy database: %w", err)
	}
	return finishCopy(ctx, path)
}

// begin pins what the connection reads from now on, and no longer what it read before. The first read does that.
func begin(ctx context.Context, conn *sql.Conn) error {
	_, _ = conn.ExecContext(ctx, "ROLLBACK") // it may be the first time.
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	var count int
	return conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&count)
}

// copyPages copies what the connection reads. It goes on in the read that has begun: no write changes what is copied.
func copyPages(ctx context.Context, conn *sql.Conn, path string) error {
	return conn.Raw(func(raw any) error {
		from, ok := raw.(interface {
			NewBackup(name string) (*driver.Backup, error)
		})
		if !ok {
			return errors.New("this driver copies no database")
		}
		backup, err := from.NewBackup(path)
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = backup.Step(stepPages)
			}
		}
		return errors.Join(err, backup.Finish())
	})
}

// finishCopy makes the copy know that it is one, and reads it to its end.
func finishCopy(ctx context.Context, path string) error {
	if err := MarkCopied(ctx, path); err != nil {
		return err
	}
	return Check(ctx, path)
}

// notAFile is the inode of no file: what has it is another file wherever it is.
const notAFile = "copied"

// MarkCopied makes the database at path, which nobody has open, take itself for a copy at its next Open: a file that was restored may get
// the inode of the one that was lost. Afterwards the file is all there is of it.
func MarkCopied(ctx context.Context, path string) error {
	return withFile(path, func(file *sql.DB) error {
		_, err := file.ExecContext(ctx, "UPDATE identity SET device = '', inode = ?", notAFile)
		return err
	})
}

// Check reads the database at path, which nobody has open, and returns an error if anything in it is damaged.
func Check(ctx context.Context, path string) error {
	return withFile(path, func(file *sql.DB) error {
		var finding string
		if err := file.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&finding); err != nil {
			return err
		}
		if finding != "ok" {
			return fmt.Errorf("it is damaged: %s", finding)
		}
		return nil
	})
}

// withFile calls do with a connection to the file. It leaves no statement open: the last to close the file clears its side files away.
func withFile(path string, do func(file *sql.DB) error) error {
	path, err := filepath.Abs(path)
	if err == nil {
		err = exists(path)
	}
	if err != nil {
		return fmt.Errorf("database %s: %w", path, err)
	}
	file, err := openPoolAs("rw", path, 1)
	if err != nil {
		return fmt.Errorf("database %s: %w", path, err)
	}
	if err := errors.Join(do(file), file.Close()); err != nil {
		return fmt.Errorf("database %s: %w", path, err)
	}
	return nil
}

// Hold keeps every relay away from the database at path, which need not exist, until release is called. The error is ErrInUse if one has
// it open.
func Hold(path string) (release func() error, err error) {
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	return lock.release, nil
}
