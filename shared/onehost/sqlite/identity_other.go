//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package sqlite

import "io/fs"

// identityOf takes the path for what a file has of its own.
func identityOf(path string, _ fs.FileInfo) identity { return identity{inode: path} }
