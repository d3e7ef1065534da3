package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// flock takes an exclusive lock on the open file, or returns ErrInUse at once. Windows drops it when the process ends.
func flock(file *os.File) error {
	const how, firstByte = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY, 1
	err := windows.LockFileEx(windows.Handle(file.Fd()), how, 0, firstByte, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrInUse
	}
	return err
}
