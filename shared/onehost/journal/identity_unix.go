//go:build linux || darwin || freebsd

package journal

import (
	"os"
	"syscall"
)

// identity returns the device and the inode of an open file.
func identity(file *os.File) (device, inode uint64, ok bool) {
	info, err := file.Stat()
	if err != nil {
		return 0, 0, false
	}
	found, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return uint64(found.Dev), found.Ino, true //nolint:unconvert // it is signed on some systems.
}
