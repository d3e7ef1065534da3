package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Attach opens the database at path, which must exist, for an operator's command. The command may read and write while a relay has
// the file open with [Open], or while no relay has. SQLite keeps the writes of the two apart: each waits a few milliseconds for the
// other. The relay's receivers and its audit notice at once what was written, see [DB.Heed].
//
// Only the relay brings the schema up to date. The error is fs.ErrNotExist if there is no such file, ErrNewerSchema if it
// needs a newer version of this program, and ErrOlderSchema if an older one wrote it.
func Attach(ctx context.Context, path string, now func() time.Time) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := exists(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db := newDB(path, now)
	if err := db.attach(ctx, path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

// attach opens the connections and starts the writer, once the schema is known to be this program's.
func (db *DB) attach(ctx context.Context, path string) error {
	r, err := openReader(path)
	if err != nil {
		return err
	}
	if err := r.checkSchema(ctx); err != nil {
		return errors.Join(err, r.close())
	}
	conn, err := db.openWriter(ctx, path)
	if err != nil {
		return errors.Join(err, r.close())
	}
	db.reader = r
	db.writer = startWriter(ctx, db, conn)
	return nil
}
