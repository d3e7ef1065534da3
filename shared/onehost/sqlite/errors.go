package sqlite

import (
	"errors"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// primaryCode strips what SQLite adds to a result code to tell its cases apart.
const primaryCode = 0xff

// classify turns a failure before the commit, after which nothing of the write is left, into a *fault.Error. An error
// that is one already stays as it is.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if classified, ok := errors.AsType[*fault.Error](err); ok {
		return classified
	}
	return &fault.Error{Kind: kindOf(err), Err: err}
}

// kindOf says what to do about a failure that certainly had no effect.
func kindOf(err error) fault.Kind {
	failure, ok := errors.AsType[*driver.Error](err)
	if !ok {
		// The context has ended, or database/sql has no connection any more.
		return fault.Transient
	}
	switch failure.Code() & primaryCode {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM,
		lib.SQLITE_INTERRUPT, lib.SQLITE_CANTOPEN, lib.SQLITE_PROTOCOL, lib.SQLITE_ABORT:
		return fault.Transient
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_AUTH, lib.SQLITE_NOLFS:
		return fault.Fatal
	default:
		return fault.Permanent
	}
}

// isBusy reports whether another process was writing for as long as SQLite waits.
func isBusy(err error) bool {
	failure, ok := errors.AsType[*driver.Error](err)
	return ok && failure.Code()&primaryCode == lib.SQLITE_BUSY
}

// classifyCommit turns a failed commit into a *fault.Error. A file system that is full, or locked by someone else, stops the
// commit before its last page, and recovery ignores a transaction without that page. After anything else, especially a failed
// sync, the whole transaction may be in the log and may be found at the next start.
func classifyCommit(err error) error {
	if failure, ok := errors.AsType[*driver.Error](err); ok {
		switch failure.Code() & primaryCode {
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL:
			return &fault.Error{Kind: fault.Transient, Err: err}
		}
	}
	return &fault.Error{Kind: fault.Unknown, Err: err}
}

// permanent returns the fault of a call that can never succeed.
func permanent(text string) error {
	return &fault.Error{Kind: fault.Permanent, Err: errors.New(text)}
}
