//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sqlite

import (
	"fmt"
	"io/fs"
	"syscall"
)

// identityOf reads device and inode.
func identityOf(path string, info fs.FileInfo) identity {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{inode: path}
	}
	return identity{device: fmt.Sprint(stat.Dev), inode: fmt.Sprint(stat.Ino)}
}
