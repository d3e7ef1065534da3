package sqlite

import (
	"errors"
	"os"
)

// ErrInUse means that another process has the database open.
var ErrInUse = errors.New("another process has it open")

// fileLock keeps a second relay away from the database: each would think that the other's messages in flight are lost. The
// kernel drops the lock when the process ends, however it ends, so that there is never a stale one to clear; the empty file
// stays and has no meaning on its own.
type fileLock struct{ file *os.File }

// acquire takes the lock on the file at path, or returns ErrInUse at once.
func acquire(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, err
	}
	if err := flock(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &fileLock{file: file}, nil
}

// release gives the lock up, if there is one.
func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
