package sqlite

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// maxFindings bounds what QuickCheck lists. One is enough to act upon.
const maxFindings = 5

// QuickCheck reads the whole file and returns what is wrong with its pages and records; nothing if all is well. A large file
// needs seconds. It changes nothing. A file too damaged to be read is a finding, not an error.
func (db *DB) QuickCheck(ctx context.Context) (findings []string, err error) {
	// Each page is read once: to keep many of them is of no use.
	pool, err := openPool(db.path, 1, "query_only(1)", "cache_size(-256)")
	if err != nil {
		return nil, err
	}
	once := &reader{statements: newStatements(pool), pool: pool}
	defer func() { err = errors.Join(err, once.close()) }()
	err = once.each(ctx, func(rows *sql.Rows) error {
		var finding string
		if err := rows.Scan(&finding); err != nil {
			return err
		}
		if finding != "ok" && len(findings) < maxFindings {
			findings = append(findings, finding)
		}
		return nil
	}, "PRAGMA quick_check(5)")
	if IsMalformed(err) {
		return append(findings, "it cannot be read whole"), nil
	}
	if len(findings) > 0 {
		db.reader.malformed.Store(true)
	}
	return findings, err
}

// Malformed reports whether a read, a write or a QuickCheck has found the file to be damaged. It stays true until the relay is
// started again: the file can be restored only while the relay does not run.
func (db *DB) Malformed() bool { return db.reader.malformed.Load() || db.writer.malformed.Load() }

// IsMalformed reports whether SQLite says that the file is damaged, or not a database any more.
func IsMalformed(err error) bool {
	failure, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return false
	}
	code := failure.Code() & primaryCode
	return code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB
}
