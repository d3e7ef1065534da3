package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrOlderSchema means that the file was written by an older version of this program. Open brings it up to date.
var ErrOlderSchema = errors.New("schema is older than this program")

// Reader reads one database file, also while a process has it open with [Open]: it needs no lock of that process, delays none
// of its writes, and changes nothing in the file. A query sees what was committed when it began. It may leave empty side files
// (-wal, -shm), as SQLite does; the next Close of a DB removes them.
// The folder must be writable even so: in WAL mode readers, too, write to the -shm file.
type Reader struct{ reader *reader }

// OpenReader opens the database at path, which must exist, for reading.
//
// The error is fs.ErrNotExist if there is no such file, ErrNewerSchema if it needs a newer version of this program, and
// ErrOlderSchema if an older one wrote it.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	path, pool, err := openToRead(path)
	if err != nil {
		return nil, err
	}
	r := &reader{statements: newStatements(pool), pool: pool}
	if err := r.checkSchema(ctx); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, errors.Join(err, r.close()))
	}
	return &Reader{reader: r}, nil
}

// openToRead returns the whole path of a database that exists, and connections that only read it.
func openToRead(path string) (whole string, pool *sql.DB, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", nil, fmt.Errorf("open database: %w", err)
	}
	if err := exists(path); err != nil {
		return "", nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if pool, err = openPoolAs("ro", path, readers, "query_only(1)"); err != nil {
		return "", nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return path, pool, nil
}

// exists looks at the file without opening it: closing it again would drop the locks that a DB in this very process has
// on it.
func exists(path string) error {
	info, err := os.Stat(path) //nolint:gosec // the path is the operator's own setting.
	if unnamed, ok := errors.AsType[*fs.PathError](err); ok {
		return unnamed.Err
	}
	if err == nil && !info.Mode().IsRegular() {
		return errors.New("not a file")
	}
	return err
}

// checkSchema fails unless this program's queries are right for the file: a newer program may have added to it.
func (r *reader) checkSchema(ctx context.Context) error {
	schema, err := r.schema(ctx)
	switch {
	case err != nil:
		return err
	case schema.TooNew():
		return schema.tooNew()
	case schema.Version < SchemaVersion():
		return fmt.Errorf("%w: the file has version %d, this program reads %d", ErrOlderSchema, schema.Version, SchemaVersion())
	default:
		return nil
	}
}

// Routes returns the database's routing table.
func (r *Reader) Routes() StoredRoutes { return StoredRoutes{reader: r.reader} }

// Close closes the file.
func (r *Reader) Close() error {
	if err := r.reader.close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}
